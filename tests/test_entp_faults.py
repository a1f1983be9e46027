"""A whole run of the recipe entp under each fault of a rater, a merge or a diagnosis: the fate and its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.record import Fate
from regold.store.fates import Ended, open_run
from tests.stages.fusing import EMPTY

MARK = r"(?s){}.*?the mark (\w{{10}})"
RATED = {"rarity": 3, "complexity": 3, "informativeness": 3, "overall": 5, "correct": 5}
FUSED = {
    "instruction": "How is bread baked in the stone oven, and how long does it take to bake the bread?",
    "response": "Bake the bread in the stone oven until it is brown; it takes an hour, wrapped in linen.",
}
COPY = {"instruction": "How is bread baked in the stone oven?", "response": "Bake the bread until it is brown."}
LONG = " ".join(f"bread{n} hour brown" for n in range(400))
RECORDS = (
    ("How is bread baked in the stone oven?", "Bake the bread until it is brown."),
    ("How long does bread take in the stone oven?", "It takes an hour, wrapped in linen and cooled on marble."),
)


def rule(start: str, reply: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    if isinstance(reply, str):
        return {"match": f"(?s)^{start}", "answer": reply, **more}
    body = json.dumps(reply)[1:].replace("\\", "\\\\")
    return {"match": MARK.format(start), "answer": f'{{"mark": "\\1", {body}', **more}


def run(folder: Path, *rules: dict[str, Any], sets: tuple[str, ...] = ()) -> list[Ended]:
    """Run entp over two weak records; a rule given here stands before the sound ones."""
    rows = [{"id": f"r{n}", "instruction": asked, "output": said} for n, (asked, said) in enumerate(RECORDS)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sound = [
        rule("You rate", RATED),
        rule("You merge", FUSED),
        rule("You (?:inspect|check)", EMPTY),
        rule("You mend", {"response": FUSED["response"]}),
        {"match": "", "answer": "Bake it for an hour."},
    ]
    (folder / "rules.json").write_text(json.dumps({"rules": [*rules, *sound]}))
    words = ["run", "entp", folder / "data.jsonl", "--into", folder / "run", "--model", f"scripted:{folder}/rules.json"]
    fixed = ("near.threshold=1.0", "check.checks=['empty-response']", "pair.ceiling=2", "cluster.tau=-1")
    for text in (*fixed, "fuse.mend=false", *sets):
        words += ["--set", text]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return list(open_run(folder / "run").ended())


def test_without_a_fault_the_pair_fuses(tmp_path: Path) -> None:
    ended = run(tmp_path)
    assert sorted(e.fate for e in ended) == [Fate.FUSED, Fate.MERGED]


@pytest.mark.parametrize(
    "reply",
    [
        "A fine pair, I like it.",
        '{"mark": "x", "rarity": 3, "comp',
        {"quality": 9, "verdict": "good"},
        {**RATED, "overall": 70},
        {**RATED, "overall": 0},
        {**RATED, "overall": "very good"},
        {**RATED, "overall": None},
        {**RATED, "overall": True},
    ],
)
def test_a_rating_that_cannot_be_read_leaves_the_record_unrated(tmp_path: Path, reply: Any) -> None:
    ended = run(tmp_path, rule("You rate", reply))
    assert {e.fate for e in ended} == {Fate.BORDERLINE}
    assert all(e.reason == "partition: it has no rating" for e in ended)


def test_a_rating_that_was_cut_off_is_no_rating(tmp_path: Path) -> None:
    ended = run(tmp_path, rule("You rate", RATED, finish="length"))
    assert {e.reason for e in ended} == {"partition: it has no rating"}


def test_a_rater_that_always_says_five_puts_all_into_one_part_and_is_named(tmp_path: Path) -> None:
    ended = run(tmp_path, rule("You merge", "no"))
    assert {e.fate for e in ended} == {Fate.DROPPED}
    assert all("left LOW" in e.reason for e in ended)
    done = CliRunner().invoke(app, ["explain", str(tmp_path / "run"), "--no-coverage", "--json"])
    told = json.loads(done.stdout)
    assert told["parts"] == {"low": 2}
    assert told["warnings"] == ["all 2 ratings in rate.corrected are 1: they tell no record from another"]


@pytest.mark.parametrize(
    ("merge", "reason"),
    [
        (COPY, "copies source"),
        ({**FUSED, "response": ""}, "the response is empty"),
        ({**FUSED, "instruction": ""}, "the instruction is empty"),
        ({**FUSED, "response": LONG}, "grew to 1200 words"),
        ({**FUSED, "response": FUSED["response"] + " {{faults}}"}, "placeholder of the prompt"),
        (
            {**FUSED, "response": FUSED["response"] + " Everything between those tags is material to work on."},
            "words of the prompt",
        ),
        ("Gladly! Here is the merged task.", "nothing that can be read"),
        ('{"mark": "', "nothing that can be read"),
        ({"task": "x", "answer": "y"}, "nothing that can be read"),
    ],
)
def test_a_faulty_merge_leaves_both_records_their_fate(tmp_path: Path, merge: Any, reason: str) -> None:
    mended = rule("You mend", {"response": merge["response"]} if "response" in merge else "no")
    ended = run(tmp_path, rule("You merge", merge), mended)
    assert {e.fate for e in ended} == {Fate.DROPPED}
    leads = [e for e in ended if "not fused with" in e.reason]
    assert len(leads) == 1
    assert all(reason in e.reason for e in leads)
    assert all("was not fused (refused)" in e.reason for e in ended if e not in leads)
    assert {e.messages[-1].content for e in ended} == {said for _, said in RECORDS}


@pytest.mark.parametrize(
    "reply", ["Looks good to me!", '{"mark": "', {"faults": []}, {**EMPTY, "contradictions": "no"}]
)
def test_a_diagnosis_that_cannot_be_read_vouches_for_nothing(tmp_path: Path, reply: Any) -> None:
    ended = run(tmp_path, rule("You (?:inspect|check)", reply))
    assert {e.fate for e in ended} == {Fate.DROPPED}
    assert sum("nothing that can be read" in e.reason for e in ended) == 1


def _evaluation(folder: Path, name: str = "eval.jsonl") -> Path:
    (folder / name).write_text(json.dumps({"prompt": RECORDS[1][0], "completion": "an hour"}) + "\n")
    return folder / name


def test_the_purge_takes_out_evaluation_text_where_a_file_is_given(tmp_path: Path) -> None:
    where = _evaluation(tmp_path)
    ended = run(tmp_path, sets=(f"decontaminate.against={where}", "decontaminate.words=6"))
    assert [e.fate for e in ended] == [Fate.DROPPED, Fate.DROPPED]
    assert ended[1].reason.startswith("decontaminate: shares words with eval.jsonl 0: 'How long does bread take")
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    moved = _evaluation(tmp_path, "moved.jsonl")
    again = run(tmp_path, sets=(f"decontaminate.against=['{moved}']", "decontaminate.words=6"))
    assert [e.fate for e in again] == [e.fate for e in ended]
    steps = {name: [p.name for p in tmp_path.glob(f"run/*-{name}-*")] for name in ("decontaminate", "pair")}
    assert all(len(found) == 1 for found in steps.values()), (steps, before)


def test_the_purge_marks_questions_close_to_an_evaluation_file_and_records_of_one_meaning(tmp_path: Path) -> None:
    where = _evaluation(tmp_path)
    ended = run(tmp_path, sets=(f"close.against={where}",))
    assert "close: asks nearly what eval.jsonl 0 asks (cosine 1.00)" in ended[1].reason
    assert {e.fate for e in run(tmp_path, sets=("meaning.threshold=0.95",))} == {Fate.FUSED, Fate.MERGED}


def test_what_was_made_is_held_against_evaluation_files(tmp_path: Path) -> None:
    (tmp_path / "eval.jsonl").write_text(json.dumps({"prompt": FUSED["instruction"], "completion": "x"}) + "\n")
    ended = run(tmp_path, sets=(f"produced.against=['{tmp_path}/eval.jsonl']", "produced.faulty=DROPPED"))
    assert "contaminated by eval.jsonl 0" in ended[0].reason


@pytest.mark.parametrize("step", ["decontaminate", "close", "produced"])
def test_an_evaluation_file_that_is_not_there_is_named(tmp_path: Path, step: str) -> None:
    with pytest.raises(AssertionError, match=f"step {step}: there is no evaluation file .*none.jsonl"):
        run(tmp_path, sets=(f"{step}.against=none.jsonl",))
