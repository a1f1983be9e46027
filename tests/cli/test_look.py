"""`regold show` tells a person what a run came to and one record's trail, without anything that says nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.told import assert_told, regold


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the recipe with a model that says B to all: a quarter of 32 records agree, 8 of the others lack a repair."""
    folder = tmp_path_factory.mktemp("look")
    rows = [
        {"id": f"r{n}", "question": f"What is {n}?", "options": ["a", "b", "c", "d"], "answer": "ABCD"[n % 4]}
        for n in range(32)
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, {**rows[1], "id": "again"}]))
    (folder / "b.json").write_text(json.dumps({"rules": [{"match": "", "answer": "The answer is B."}]}))
    model = f"scripted:{folder / 'b.json'}"
    assert_told(regold("repair", folder / "data.jsonl", "--into", folder / "run", "--model", model), 0)
    return folder / "run"


def test_the_ledger_is_a_table(run: Path) -> None:
    told = json.loads(regold("show", run, "--json").stdout)
    lines = regold("show", run).stdout.splitlines()
    words = [line.split() for line in lines]
    assert told["fates"]["KEPT"] == 8
    assert ["KEPT", "8", "24.2%"] in words
    assert ["DROPPED", "13", "39.4%"] in words
    assert not any("True" in line or "['" in line or "FAILED" in line for line in lines)
    assert ["duplicates", "33", "1", "DROPPED"] in words
    assert ["judge", "32", "24", "SUSPECT,", "8", "CLEAN"] in words
    assert ["base", "32", "no", "status", "changed"] in words
    why = [line for line in lines[lines.index("why records were not kept") :] if line.startswith("DROPPED")]
    assert [line.split()[1:3] for line in why] == [["12", "select:"], ["1", "duplicates:"]]
    calls = next(line for line in lines if line.startswith("calls "))
    assert int(calls.split()[1].strip(",")) > 64


def test_a_run_broken_off_says_how_far_it_got(run: Path, tmp_path: Path) -> None:
    half = shutil.copytree(run, tmp_path / "half")
    for edits in half.glob("0[4-9]-*/edits-*"):
        edits.unlink()
    told = regold("show", half).stdout
    assert "not finished: run its command again" in told
    assert "33 not looked at yet" in told
    assert "KEPT" not in told


def test_a_trail_has_no_empty_section_and_says_why(run: Path) -> None:
    dropped = next(i for i in (f"r{n}" for n in range(32)) if "fate: DROPPED" in regold("show", run, i).stdout)
    told = regold("show", run, dropped).stdout
    for empty in ("[duplicates]", "[embed]"):
        assert empty not in told
    assert told.count("fate: DROPPED   (select: review.mean_nll ") == 1
    assert "    transcript:\n        - The answer is B.\n        - " in told
    near = json.loads(regold("show", run, dropped, "--json").stdout)
    ids = next(s["notes"]["relabel.neighbours"] for s in near["steps"] if s["step"] == "relabel")
    assert f"- {ids[0]}: What is {ids[0][1:]}?" in told
    assert "fate: DROPPED   (duplicates: " in regold("show", run, "again").stdout


def test_where_nothing_was_made_nothing_is_measured(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regold.report.produced.made", lambda past: iter(()))
    assert (
        regold("produced", run).stdout == "No record was made out of others in this run: there is nothing to measure.\n"
    )
    assert json.loads(regold("produced", run, "--json").stdout)["made"] == 0
