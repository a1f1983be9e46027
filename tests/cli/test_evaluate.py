"""`regold evaluate --tasks` and `regold compare` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from tests.evaluate.fixtures import write_files


def regold(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "data", "label-noise/arc_test", "gsm8k/test", "gsm8k/train")


LIVES = {"Ada": "Rill", "Bo": "Fern", "Cleo": "Moss"}


def script(path: Path, answer: str) -> str:
    path.write_text(json.dumps({"rules": [{"match": "", "answer": answer}]}))
    return f"scripted:{path}"


def test_benchmarks_then_a_comparison(folder: Path, tmp_path: Path) -> None:
    one, other = script(tmp_path / "a.json", "The answer is A."), script(tmp_path / "b.json", "The answer is C.")
    how = ("--tasks", "arc,gsm8k,simpleqa", "--data", folder, "--form", "generation")
    told = json.loads(regold("evaluate", one, *how, "--out", tmp_path / "a", "--json"))
    assert [task["task"] for task in told["tasks"]] == ["arc", "gsm8k"]
    assert told["tasks"][0]["metrics"]["acc"]["mean"] == pytest.approx(2 / 6)
    assert "simpleqa" in told["missing"]
    said = regold("evaluate", "--model", other, *how, "--out", tmp_path / "b", "--temperature", 0.5)
    assert "arc              acc 0.167 ± 0.167" in said
    assert "generation, 5 shots, version 1, greedy" in said
    assert "temperature 0.5, 1 samples" in said
    assert "simpleqa         not run: no eval/simpleqa" in said
    compared = json.loads(regold("compare", tmp_path / "a", tmp_path / "b" / "results.json", "--json"))
    assert compared["tasks"][0]["difference"] == pytest.approx(1 / 6)
    assert (compared["tasks"][0]["only_a"], compared["tasks"][0]["only_b"]) == (2, 1)
    assert (compared["only_a"], compared["only_b"]) == ([], ["arc sampled", "gsm8k sampled"])
    shown = regold("compare", tmp_path / "a", tmp_path / "b")
    assert "a - b +0.167" in shown
    assert "not compared, only in b: arc sampled, gsm8k sampled" in shown


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("evaluate",), "which model"),
        (("evaluate", "--model", "scripted:"), "what is to be evaluated"),
        (("evaluate", "x.jsonl", "--model", "scripted:", "--limit", "3"), "go with --tasks"),
        (("evaluate", "scripted:", "--tasks", "mlu"), "did you mean mmlu"),
        (("evaluate", "scripted:", "--model", "lab", "--tasks", "arc"), "two models"),
        (("evaluate", "scripted:", "--tasks", "arc", "--data", "nowhere"), "no such folder"),
        (("evaluate", "scripted:", "--tasks", "arc", "--form", "guess"), "--form"),
        (("evaluate", "scripted:", "--tasks", "arc", "--prompts", "lab"), "held-out files"),
        (("compare", "nowhere", "nowhere"), "not the results"),
        (("evaluate", "x.jsonl", "--model", "scripted:", "--recipe", "self-rag"), "shows 3 records before each"),
        (("evaluate", "x.jsonl", "--model", "scripted:", "--shown", "y.jsonl"), "--shown goes with a recipe"),
        (("evaluate", "x.jsonl", "--model", "scripted:", "--recipe", "sft", "--samples", "2"), "evaluate.samples=4"),
        (("evaluate", "scripted:", "--tasks", "arc", "--recipe", "self-rag"), "held-out files"),
    ],
)
def test_mistakes_are_told_in_a_line(words: tuple[str, ...], wanted: str) -> None:
    said = regold(*words, code=2)
    assert wanted in " ".join(said.split())
    assert "Traceback" not in said


def test_a_recipe_shows_the_nearest_records_before_each_question(tmp_path: Path) -> None:
    for file, end in {"shown": "?", "held-out": " now?"}.items():
        rows = [{"instruction": f"Where does {name} live{end}", "output": place} for name, place in LIVES.items()]
        (tmp_path / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    script = {
        "rules": [{"match": r"assistant: (\w+)\nuser: Where does \w+ live now\?$", "on": "prompt", "answer": "\\1"}]
    }
    (tmp_path / "script.json").write_text(json.dumps(script))
    ask = ("evaluate", tmp_path / "held-out.jsonl", "--model", f"scripted:{tmp_path / 'script.json'}", "--json")
    near = ("--shown", tmp_path / "shown.jsonl", "--set", "evaluate.neighbours=1", "--set", "evaluate.temperature=0")
    assert json.loads(regold(*ask, "--recipe", "self-rag", *near))["accuracy"] == 1.0
    told = json.loads(regold(*ask, "--recipe", "vanilla"))
    assert (told["accuracy"], told["sampled"][0]["temperature"]) == (0.0, 0.5)


def test_with_nothing_to_run_the_code_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "not run" in regold("evaluate", "scripted:", "--tasks", "drop", "--data", tmp_path / "empty", code=2)
