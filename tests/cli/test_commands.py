"""Each command does what its help says, as a user would type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from tests.tiny import build_tiny


def regold(*words: object) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    made = [
        {"id": f"r{n}", "instruction": f"Code of {n}?", "input": "", "output": str(n % 7), "kind": "code"}
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def test_corrupt_strikes_the_exact_number_and_nests(data: Path, tmp_path: Path) -> None:
    struck = {}
    for rate in (0.3, 0.5):
        out = tmp_path / f"noisy{rate}.jsonl"
        told = json.loads(
            regold("corrupt", data, "--out", out, "--rate", rate, "--seed", 3, "--within", "kind", "--json")
        )
        struck[rate] = {row["id"] for row in rows(out) if row["_regold_noise"]}
        assert told["corrupted"] == len(struck[rate]) == int(40 * rate)
        assert all(row["output"] != row["_regold_truth"] for row in rows(out) if row["_regold_noise"])
    assert struck[0.3] < struck[0.5]


def test_corrupt_by_what_a_model_prefers(data: Path, tmp_path: Path) -> None:
    choice = tmp_path / "choice.jsonl"
    made = [{"question": f"Which, {n}?", "options": ["x", "y", "z"], "answer": "ABC"[n % 3]} for n in range(20)]
    choice.write_text("".join(json.dumps(row) + "\n" for row in made))
    out = tmp_path / "noisy.jsonl"
    regold("corrupt", choice, "--out", out, "--rate", 0.5, "--kind", "model", "--model", "scripted:")
    assert sum(row["_regold_noise"] == "model" for row in rows(out)) == 10


def test_corrupt_group_by_group_and_where_a_model_errs(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "noisy.jsonl"
    regold("corrupt", data, "--out", out, "--rate", 0.5, "--kind", "structured", "--seed", 3)
    wrong = [(row["_regold_truth"], row["output"]) for row in rows(out) if row["_regold_noise"]]
    assert len(wrong) == 20
    assert len(set(wrong)) <= 4
    choice = tmp_path / "choice.jsonl"
    made = [{"question": f"Which, {n}?", "options": ["x", "y", "z"], "answer": "ABC"[n % 3]} for n in range(20)]
    choice.write_text("".join(json.dumps(row) + "\n" for row in made))
    regold("corrupt", choice, "--out", out, "--rate", 0.5, "--kind", "adversarial", "--model", "scripted:")
    assert sum(row["_regold_noise"] == "adversarial" for row in rows(out)) == 10


def test_a_question_with_one_option_has_no_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    made = [{"question": f"Which, {n}?", "options": ["x", "y"][: 1 + n], "answer": "A"} for n in range(2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    words = ("--rate", 0.5, "--kind", "model", "--model", "scripted:")
    regold("corrupt", path, "--out", tmp_path / "noisy.jsonl", *words)
    assert [row["_regold_noise"] for row in rows(tmp_path / "noisy.jsonl")] == [None, "model"]


def test_a_corrupted_file_runs_and_shows_its_trail(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    regold("corrupt", data, "--out", tmp_path / "noisy.jsonl", "--rate", 0.5)
    told = json.loads(
        regold("run", "robustft", tmp_path / "noisy.jsonl", "--into", run, "--model", "scripted:", "--json")
    )
    assert set(told) >= {"run", "records", "fates", "calls", "prompt_tokens", "completion_tokens", "seconds"}
    trail = json.loads(regold("show", run, "r7", "--json"))
    assert [step["step"] for step in trail["steps"]][:4] == ["duplicates", "base", "reason", "judge"]
    assert trail["fate"]
    assert "fate:" in regold("show", run, "r7")
    assert str(told["records"]) in regold("show", run)


def test_a_record_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"id": "x", "instruction": "\x1b[2J[red]q", "output": "\x1b]0;title\x07a"}) + "\n")
    regold("repair", path, "--into", tmp_path / "run", "--model", "scripted:")
    shown = regold("show", tmp_path / "run", "x")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]q" in shown


def test_json_holds_no_character_that_steers_a_terminal(tmp_path: Path) -> None:
    said = "\x9b2Jq\u202e\U000e0001"
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"id": "x", "instruction": said, "output": "é"}) + "\n")
    regold("repair", path, "--into", tmp_path / "run", "--model", "scripted:")
    shown = regold("show", tmp_path / "run", "x", "--json")
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert "é" in shown
    assert json.loads(shown)["before"][0]["content"][:8] == said[:8]


def test_a_column_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"instruction": "q", "output": "a", "\x1b[2Jx": 1, "\x9b2Jy": 2}) + "\n")
    shown = regold("inspect", path)
    assert "\x1b" not in shown
    assert "\x9b" not in shown


def test_export_for_every_trainer(data: Path, tmp_path: Path) -> None:
    regold("repair", data, "--into", tmp_path / "run", "--model", "scripted:")
    for target in ("hf", "trl", "llamafactory", "axolotl", "openai"):
        told = json.loads(regold("export", tmp_path / "run", "--to", target, "--out", tmp_path / target, "--json"))
        assert told["to"] == target
        assert any((tmp_path / target).iterdir())


def test_train_then_evaluate(data: Path, tmp_path: Path) -> None:
    model = build_tiny(tmp_path / "tiny")
    out = tmp_path / "tuned"
    words = ("--epochs", 1, "--learning-rate", 1e-3, "--merge", "--json")
    card = json.loads(regold("train", data, "--out", out, "--model", model, *words))
    assert card["trained"] == 40
    told = json.loads(regold("evaluate", data, "--model", out, "--temperature", 0.5, "--samples", 2, "--json"))
    assert told["n"] == 40
    assert 0 <= told["accuracy"] <= 1
    assert told["sampled"][0]["samples"] == 2
