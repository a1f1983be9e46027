"""Each trainer's configuration says what our settings say, and the trainers themselves load the exported folders."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.train import TrainSettings
from regold.train.configs import trainer_config
from tests.tiny import build_tiny

yaml = pytest.importorskip("yaml")
LOADERS = Path(__file__).parents[2] / "benchmarks" / "load_exports.py"
TALK = [("user", "Who?"), ("assistant", "Ann"), ("user", "Sure?"), ("assistant", "Yes, she.")]


def read(target: str, settings: TrainSettings, model: str = "meta-llama/Llama-3.1-8B-Instruct") -> dict:
    config = trainer_config(target, Path("out"), settings, model)
    assert config is not None
    return yaml.safe_load(config[1])


@pytest.mark.parametrize("target", ["trl", "llamafactory", "axolotl"])
def test_numbers_stay_numbers_and_both_ways_of_training_are_told_apart(target: str) -> None:
    settings = TrainSettings(learning_rate=1e-5, weight_decay=2e-6, turns="last")
    lora, full = read(target, settings), read(target, dataclasses.replace(settings, full=True))
    assert (lora["learning_rate"], lora["weight_decay"]) == (1e-5, 2e-6)
    assert 16 in lora.values()
    assert not any(key.startswith("lora") for key in full)
    assert read(target, dataclasses.replace(settings, qlora=True)) != lora


def test_the_turns_with_loss_are_told_to_each() -> None:
    last, every = TrainSettings(turns="last"), TrainSettings(turns="all")
    assert read("llamafactory", last)["mask_history"]
    assert not read("llamafactory", every)["mask_history"]
    assert read("trl", last)["completion_only_loss"]
    assert read("trl", every)["assistant_only_loss"]
    assert read("axolotl", last)["datasets"][0]["message_field_training"] == "train"
    assert "message_field_training" not in read("axolotl", every)["datasets"][0]
    assert read("llamafactory", last)["template"] == "llama3"
    assert "template" not in read("llamafactory", last, "mine")
    assert trainer_config("hf", Path("out"), last, "mine") is None


@pytest.fixture
def run(tmp_path: Path) -> Path:
    build_tiny(tmp_path / "tiny")
    rows = [{"messages": [{"role": r, "content": c + str(n)} for r, c in TALK]} for n in range(12)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = (
        'name = "mine"\n[train]\nlearning_rate = 1e-5\nbatch_size = 3\nrank = 4\n[[step]]\nuse = "DropDuplicates"\n'
    )
    (tmp_path / "mine.toml").write_text(recipe)
    regold("run", tmp_path / "mine.toml", tmp_path / "data.jsonl", "--into", tmp_path / "run", "--model", "scripted:")
    return tmp_path / "run"


def regold(*words: object) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def exported(run: Path, target: str) -> Path:
    out = run.parent / target
    regold("export", run, "--to", target, "--out", out, "--model", run.parent / "tiny")
    return out


def test_the_card_tells_of_the_run(run: Path) -> None:
    card = (exported(run, "openai") / "README.md").read_text()
    assert all(word in card for word in ("recipe `mine`", "| KEPT | 12 |", "openai does not read it"))
    assert json.loads((run.parent / "openai" / "job.json").read_text())["method"]["type"] == "supervised"


def test_trl_trains_on_the_export_with_its_own_configuration(run: Path) -> None:
    out = exported(run, "trl")
    loaded = _load("trl", out, sys.executable)
    assert loaded["records"] == 12
    assert loaded["trained_texts"][0].startswith("Yes, she.0")
    assert loaded["steps"] == 2
    assert loaded["learning_rate"] == 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("target", ["llamafactory", "axolotl"])
def test_the_trainer_itself_loads_the_export(run: Path, target: str) -> None:
    python = os.environ.get(f"REGOLD_{target.upper()}_PYTHON")
    if not python:
        pytest.skip(f"REGOLD_{target.upper()}_PYTHON names no Python in which {target} is installed")
    loaded = _load(target, exported(run, target), python)
    assert loaded["records"] == 12
    assert {text.split("<|end|>")[0] for text in loaded["trained_texts"]} == {f"Yes, she.{n}" for n in range(12)}


def _load(target: str, folder: Path, python: str) -> dict:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(folder / "c")}
    words = [python, str(LOADERS), target, str(folder)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
