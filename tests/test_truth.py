"""What a run is worth against the truth its data carries: every figure against a count by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regold.store.fates import open_run
from regold.truth import is_right, known_truth, says
from tests.cli.told import assert_told, regold

TRUTH, NOISE = "_regold_truth", "_regold_noise"


def ran(folder: Path, rows: list[dict[str, object]]) -> Path:
    """Run the recipe with a model that says B to all."""
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "b.json").write_text(json.dumps({"rules": [{"match": "", "answer": "The answer is B."}]}))
    model = f"scripted:{folder / 'b.json'}"
    assert_told(regold("repair", folder / "data.jsonl", "--into", folder / "run", "--model", model), 0)
    return folder / "run"


def rows_of(given: str, truth: str, noise: str | None, count: int, start: int = 0) -> list[dict[str, object]]:
    own = {"options": ["a", "b", "c", "d"], "answer": given, TRUTH: truth, NOISE: noise}
    return [{"id": f"r{n}", "question": f"What is {n}?", **own} for n in range(start, start + count)]


def test_every_figure_is_the_count_by_hand(tmp_path: Path) -> None:
    """Say B to all: 6 wrong given A are found, 2 wrong given B are missed, 4 right given C are suspected wrongly."""
    rows = [
        *rows_of("B", "B", None, 8),
        *rows_of("A", "B", "symmetric", 6, 8),
        *rows_of("B", "D", "pair", 2, 14),
        *rows_of("C", "C", None, 4, 16),
    ]
    run = ran(tmp_path, rows)
    found = json.loads(regold("show", run, "--json").stdout)["known_truth"]
    assert found["made_wrong"] == {"symmetric": 6, "pair": 2}
    seen = found["detection"]
    assert (seen["flagged"], seen["wrong"]) == (10, 8)
    assert (seen["precision"], seen["recall"]) == (6 / 10, 6 / 8)
    assert found["given"] == {"records": 20, "right": 12, "undecided": 0}
    # All ten suspects are repaired to B, which is right for six of them; selection keeps half.
    assert (found["repairs"]["repaired"], found["repairs"]["right_before"]) == (10, 0.6)
    kept = found["repairs"]["kept"]
    right = 8 + round(found["repairs"]["right_after"] * kept)
    assert found["kept_or_repaired"] == {"records": 10 + kept, "right": right, "undecided": 0}
    told = [" ".join(line.split()) for line in regold("show", run).stdout.splitlines()]
    assert "made wrong 8 6 symmetric, 2 pair" in told
    assert "suspects 10 precision 0.600, recall 0.750, F1 0.667; 8 were wrong" in told
    assert f"reviewed 10 60.0% right, {found['repairs']['right_after']:.1%} of the {kept} kept" in told
    assert "given 20 60.0% right" in told


def test_a_response_that_is_wrong_by_nature_counts_as_wrong(tmp_path: Path) -> None:
    rows = [*rows_of("B", "B", None, 3), *rows_of("A", "B", None, 2, 3)]
    found = known_truth(open_run(ran(tmp_path, rows)))
    assert found is not None
    assert found["made_wrong"] == {}
    assert (found["detection"]["wrong"], found["detection"]["f1"]) == (2, 1)


def test_a_spoiled_question_has_no_right_response(tmp_path: Path) -> None:
    rows = [*rows_of("B", "B", None, 3), *rows_of("B", "What was asked?", "instruction", 2, 3)]
    found = known_truth(open_run(ran(tmp_path, rows)))
    assert found is not None
    assert found["given"] == {"records": 5, "right": 3, "undecided": 0}


def test_without_truth_nothing_is_told(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k not in (TRUTH, NOISE)} for row in rows_of("B", "", None, 4)]
    run = ran(tmp_path, rows)
    assert "the known truth" not in regold("show", run).stdout
    assert "known_truth" not in json.loads(regold("show", run, "--json").stdout)


@pytest.mark.parametrize(
    ("response", "truth", "right"),
    [("The answer is 17.", "17", True), ("16", "17", False), ("17 pieces", "That makes 17.", None)],
)
def test_what_texts_alone_cannot_tell_is_not_right(response: str, truth: str, right: bool | None) -> None:
    assert says(response, truth) is right
    assert is_right(response, truth) is (right is True)
