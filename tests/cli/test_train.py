"""`regold train` takes its settings from the command line, a preset or the run's recipe, in this order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.train.settings import presets
from tests.tiny import build_tiny

RECIPE = """name = "mine"
{train}
[[step]]
use = "DropDuplicates"
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return build_tiny(tmp_path / "tiny")


def asked(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(w) for w in words])
    return done.exit_code, done.stdout if done.exit_code == 0 else done.output


def trained(*words: object) -> dict:
    code, told = asked("train", *words, "--json")
    assert code == 0, told
    return json.loads(told)


def a_run(folder: Path, train: str, *words: object) -> Path:
    turns = [{"role": r, "content": c} for r, c in (("user", "a"), ("assistant", "b"), ("user", "c"))]
    rows = [{"messages": [*turns, {"role": "assistant", "content": str(n)}]} for n in range(6)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.toml").write_text(RECIPE.format(train=train))
    code, told = asked("run", folder / "mine.toml", folder / "data.jsonl", "--into", folder / "run", *words)
    assert code == 0, told
    return folder / "run"


def test_the_settings_of_the_runs_recipe_stand_unless_overridden(tiny: Path, tmp_path: Path) -> None:
    run = a_run(tmp_path, "[train]\nepochs = 3\nrank = 4\n", "--model", "scripted:")
    told = trained(run, "--out", tmp_path / "a", "--model", tiny, "--rank", 2, "--targets", "q_proj")
    settings = told["settings"]
    assert (settings["epochs"], settings["rank"], settings["targets"]) == (3, 2, ["q_proj"])
    told = trained(run, "--out", tmp_path / "b", "--model", tiny, "--settings", "paper", "--epochs", 1)
    assert (told["settings"]["epochs"], told["settings"]["rank"]) == (1, 16)


def test_weights_in_a_data_file_decide_the_adapter(tiny: Path, tmp_path: Path) -> None:
    def adapter(name: str, weights: list[float], *words: str) -> bytes:
        rows = [{"instruction": f"q{n}", "output": f"a{n}", "loss_weight": w} for n, w in enumerate(weights)]
        (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        how = ("--model", tiny, "--epochs", 3, "--rank", 2, "--learning-rate", 1e-2, *words)
        trained(tmp_path / "data.jsonl", "--out", tmp_path / name, *how)
        return (tmp_path / name / "adapter_model.safetensors").read_bytes()

    uneven, ones = [1.0, 0.1, 0.6, 3.0], [1.0] * 4
    plain = adapter("plain", uneven, "--no-weighted")
    assert adapter("ones", ones) == plain
    assert adapter("uneven", uneven) != plain


@pytest.mark.parametrize("turns", ["last", "all"])
def test_a_run_trains_on_the_turns_it_checked(tiny: Path, tmp_path: Path, turns: str) -> None:
    run = a_run(tmp_path, "", "--turns", turns, "--model", "scripted:")
    told = trained(run, "--out", tmp_path / "a", "--model", tiny, "--epochs", 1)
    assert told["settings"]["turns"] == turns
    assert told["response_tokens"] == told["trained"] * (2 if turns == "last" else 4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--settings", "papre"], "did you mean paper"),
        (["--schedule", "cosin"], "cosine, linear, constant"),
        (["--full", "--qlora"], "four-bit weights cannot be trained"),
        (["--chat-template", "absent.jinja"], "cannot be read"),
        (["--settings", "broken.toml"], "did you mean 'epochs'"),
    ],
)
def test_mistakes_are_named(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.toml").write_text("[train]\nepoch = 2\n")
    Path("data.jsonl").write_text(json.dumps({"instruction": "a", "output": "b"}) + "\n")
    code, told = asked("train", "data.jsonl", "--out", "out", "--model", tiny, *words)
    assert (code, said in told) == (2, True), told


def test_every_preset_is_sound() -> None:
    from regold.declared import build
    from regold.train import TrainSettings
    from regold.train.settings import train_table

    found = {name: build(TrainSettings, train_table(name), name) for name in presets()}
    assert found["paper"].epochs == 2
    assert (found["ds2"].rank, found["ds2"].alpha, found["ds2"].learning_rate) == (64, 16, 1e-4)
    assert found["qlora"].qlora
    assert found["full"].full
