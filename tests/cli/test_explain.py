"""The recipe entp from the command line over generated data, and what `regold explain` tells of it."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.report.story import changed

EMPTY = {
    "required_terms": [],
    "missing_terms": [],
    "sub_questions": [],
    "contradictions": [],
    "unsupported": [],
    "redundant": [],
    "format": [],
    "off_topic": [],
}
HOSTILE = "<script>alert('x')</script>"
TOPICS = (
    ("bread", "How is bread number {n} baked in the stone oven?", "Bake the bread in the oven until it is brown."),
    ("violin", "How is violin string {n} tuned before the concert?", "Tune the violin string with the peg."),
)


def rule(start: str, **reply: object) -> dict[str, str]:
    body = json.dumps(reply)[1:].replace("\\", "\\\\")
    return {"match": rf"(?s){start}.*?the mark (\w{{10}})", "answer": f'{{"mark": "\\1", {body}'}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("entp")
    rows = [
        {"id": f"{name}{n}", "instruction": asked.format(n=n), "output": f"{said} {HOSTILE if n == 3 else ''}".strip()}
        for name, asked, said in TOPICS
        for n in range(12)
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scores = "".join(f"{row['id']},{4 if n % 4 == 0 else 1}\n" for n, row in enumerate(rows))
    (folder / "scores.csv").write_text("id,value\n" + scores)
    fused = {
        "instruction": "How is bread baked in the stone oven, and how is a violin string tuned before the concert?",
        "response": "Bake the bread in the oven until it is brown. Tune the violin string with the peg.",
    }
    rules = [
        rule("You merge", **fused),
        rule("You (?:inspect|check)", **EMPTY),
        rule("You mend", response=fused["response"]),
        {"match": "", "answer": "Bake the bread; tune the violin with the peg."},
    ]
    (folder / "rules.json").write_text(json.dumps({"rules": rules}))
    words = [
        "run",
        "entp",
        folder / "data.jsonl",
        "--into",
        folder / "run",
        "--model",
        f"scripted:{folder / 'rules.json'}",
    ]
    words += ["--import", folder / "scores.csv", "--column", "value=rate.value", "--set", "partition.correct="]
    words += [
        "--set",
        "check.checks=['empty-response']",
        "--set",
        "near.threshold=1.0",
        "--set",
        "pair.ceiling=2",
        "--set",
        "cluster.tau=0",
    ]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return folder / "run"


def told(*words: object) -> dict[str, object]:
    done = CliRunner().invoke(app, [str(word) for word in (*words, "--json")])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_ledger_of_the_pool_adds_up(run: Path) -> None:
    found = told("explain", run)
    parts, fates, mix = found["parts"], found["fates"], found["mix"]
    assert isinstance(parts, dict)
    assert isinstance(fates, dict)
    assert isinstance(mix, dict)
    assert sum(parts.values()) == sum(fates.values()) == found["records"] == 24
    assert parts == {"low": 18, "high": 6}
    assert mix["fused"] == fates["FUSED"] == fates["MERGED"] > 0
    assert mix["ratio"] == pytest.approx(mix["fused"] / (mix["fused"] + mix["high"]), abs=1e-4)
    assert found["fusion"]["rounds"][0]["cycle"] == "merge"  # type: ignore[index]
    assert set(found["coverage"]) == {"pool", "high", "mix"}  # type: ignore[call-overload]


def fused_id(run: Path) -> str:
    rows = [json.loads(line) for line in (run / "train.jsonl").read_text().splitlines()]
    return next(row["id"] for row in rows if row["instruction"].startswith("How is bread baked"))


def test_a_record_is_explained_on_one_page_that_loads_nothing(run: Path) -> None:
    id_ = fused_id(run)
    found = told("explain", run, id_)
    page = Path(str(found["page"])).read_text()
    assert not re.search(r"(?:src|href)=|@import|url\(|<script", page)
    assert "default-src 'none'" in page
    text = unescape(page)
    for word in (
        id_,
        "The two parents",
        "neutral",
        "accepted",
        "cluster.words",
        "fused at once",
        "no fault found",
        "The audit",
    ):
        assert word in text
    assert "<ins>" in page
    assert "<del>" in page


def test_a_merged_record_is_told_at_its_lead(run: Path) -> None:
    id_ = fused_id(run)
    partner = told("explain", run, id_)["partner"]["id"]  # type: ignore[index]
    assert told("explain", run, partner)["record"]["id"] == id_  # type: ignore[index]
    said = CliRunner().invoke(app, ["explain", str(run), str(partner)]).output
    assert f"{partner} was merged into {id_}" in said


def test_the_data_cannot_write_markup_or_name_the_file(run: Path, tmp_path: Path) -> None:
    told("explain", run, "bread3", "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert HOSTILE not in page
    assert HOSTILE in unescape(page)


def test_show_writes_the_same_page(run: Path) -> None:
    id_ = fused_id(run)
    assert CliRunner().invoke(app, ["show", str(run), id_, "--html"]).exit_code == 0
    assert (run / f"explain-{id_}.html").is_file()


def test_an_unknown_record_and_another_recipe_are_named(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["explain", str(run), "nobody"])
    assert done.exit_code == 2
    assert "nobody" in done.output
    data = tmp_path / "d.jsonl"
    data.write_text('{"instruction": "q", "output": "a"}\n')
    CliRunner().invoke(app, ["repair", str(data), "--into", str(tmp_path / "r"), "--model", "scripted:"])
    done = CliRunner().invoke(app, ["explain", str(tmp_path / "r")])
    assert done.exit_code == 2
    assert "no run of the recipe entp" in done.output


def test_changes_are_shown_word_by_word() -> None:
    assert changed("a b c", "a x c") == [("same", "a "), ("gone", "b"), ("new", "x"), ("same", " c")]
    assert changed("same", "same") == [("same", "same")]
    assert changed("", "new") == [("new", "new")]
    long = "word " * 5000
    assert changed(long, "short") == [("gone", long), ("new", "short")]


def test_a_file_is_measured_against_the_one_it_came_from(run: Path) -> None:
    data = run.parent / "data.jsonl"
    covers = told("inspect", run / "train.jsonl", "--against", data)["coverage"]
    assert isinstance(covers, dict)
    assert covers["against"]["records"] == 24
    assert 0 < covers["data"]["clusters"] <= 1
    alone = told("inspect", data, "--diversity")["coverage"]
    assert set(alone["data"]) == {"records", "measured", "knn_distance", "distinct_1", "distinct_2", "vendi"}  # type: ignore[index]


def test_what_was_made_is_told_and_a_sheet_is_written_for_people(run: Path, tmp_path: Path) -> None:
    found = told("produced", run, "--sheet", tmp_path / "s.csv", "--records", "3")
    assert found["made"] == told("explain", run, "--no-coverage")["mix"]["fused"]  # type: ignore[index]
    assert found["items"] == 9
    assert (tmp_path / "s.key.csv").is_file()
    again = CliRunner().invoke(app, ["produced", str(run), "--sheet", str(tmp_path / "s.csv")])
    assert again.exit_code == 2
    assert "already there" in again.output
    assert "duplicate" in found["found"]  # type: ignore[operator]
    done = CliRunner().invoke(app, ["produced", str(run), "--filled", str(tmp_path / "s.csv")])
    assert done.exit_code == 2
    assert "score_1_to_10" in done.output
    assert CliRunner().invoke(app, ["produced", str(run)]).exit_code == 0
