"""Rating and correcting from the command line: raters that agree, that stray and that say nothing of use."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.methods.ratings import diagnosis

KINDS = ("dull", "plain", "fair", "fine", "rich", "rare")
SIZE = 240


@pytest.fixture(autouse=True)
def few_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is tested, not the estimate: it may be rough."""
    rough = partial(diagnosis.estimate, restarts=2, steps=100)
    monkeypatch.setattr(diagnosis, "estimate", lambda target, restarts, seed: rough(target, seed=seed))
    monkeypatch.setattr(diagnosis, "misfit", partial(diagnosis.misfit, bootstraps=5, steps=50))


def _data(folder: Path) -> Path:
    rng, rows = Random(2), []
    for n in range(SIZE):
        kind = KINDS[n % 6]
        words = " ".join(f"{kind}{rng.randrange(9)}" for _ in range(5))
        rows.append({"id": n, "instruction": f"Tell me of {words}, number {n}.", "output": f"{words}."})
    place = folder / "data.jsonl"
    place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


def _rater(folder: Path, name: str, *rules: dict[str, str]) -> str:
    (folder / f"{name}.json").write_text(json.dumps({"rules": list(rules)}))
    return f"scripted:{folder / name}.json"


def _says(match: str, overall: int, correct: int = 9) -> dict[str, str]:
    scores = {"rarity": 3, "complexity": 3, "informativeness": 3, "overall": overall, "correct": correct}
    body = json.dumps(scores)[1:]
    return {"match": rf"(?s)<task (\w+)>(?:(?!</task).)*{match}", "answer": f'{{"mark": "\\1", {body}'}


def _run(folder: Path, *words: str) -> tuple[Path, str]:
    into = folder / "run"
    done = CliRunner().invoke(
        app, ["run", "rate", str(_data(folder)), "--into", str(into), "--model", "scripted:", *words]
    )
    assert done.exit_code == 0, done.output
    return into, CliRunner().invoke(app, ["show", str(into)]).output


def test_several_raters_and_samples_are_brought_together_and_the_choice_is_shown(tmp_path: Path) -> None:
    true = _rater(tmp_path, "true", *(_says(kind, 4 + n) for n, kind in enumerate(KINDS)))
    odd = [_says(f"number \\d*{n}\\.", 4 + n) for n in (1, 3)]
    astray = _rater(tmp_path, "astray", *odd, *(_says(kind, 4 + n) for n, kind in enumerate(KINDS)))
    into, told = _run(
        tmp_path,
        *("--rater", true, "--rater", astray),
        *("--set", 'rate.raters=["rater", "rater2"]', "--set", "rate.samples=2"),
        *("--set", 'correct.scores=["rate.rater.value", "rate.rater2.value"]'),
    )
    assert "correct: rate.rater2.value: " in told
    assert "agreement with a second rating of 240 records" in told
    assert "correct: together: the mean of two raters" in told
    found = json.loads(CliRunner().invoke(app, ["show", str(into), "11", "--json"]).output)
    notes = {name: value for step in found["steps"] for name, value in step["notes"].items()}
    assert (notes["rate.rater.value"], notes["rate.rater2.value"]) == (5.0, 1.0)
    assert (notes["rate.half1"], notes["rate.correct"]) == (3.0, 9.0)
    assert notes["rate.corrected"] > 2.5
    assert found["fate"] == "KEPT"


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"match": "", "answer": "What a fine pair, I like it."}, "left as they are: 0 scores, fewer than 200"),
        ({"match": "", "answer": '{"mark": "x", "rarity": 3, "compl'}, "left as they are: 0 scores"),
        ({"match": r"<task (\w+)>", "answer": '{"mark": "\\1", "quality": 9}'}, "left as they are: 0 scores"),
        (_says("", 70, 55), "left as they are: 0 scores"),
        (_says("", 9), "left as they are: the rater gave every record 5"),
    ],
    ids=["prose", "half a JSON", "other keys", "out of range", "always 5"],
)
def test_a_faulty_rater_ends_in_missing_ratings_or_none_corrected(
    tmp_path: Path, rule: dict[str, str], shown: str
) -> None:
    into, told = _run(tmp_path, "--rater", _rater(tmp_path, "faulty", rule))
    assert shown in told
    found = json.loads(CliRunner().invoke(app, ["show", str(into), "7", "--json"]).output)
    notes = {name: value for step in found["steps"] for name, value in step["notes"].items() if value is not None}
    assert notes.get("rate.corrected") == (5.0 if "every record 5" in shown else None)
    assert found["fate"] == "KEPT"
