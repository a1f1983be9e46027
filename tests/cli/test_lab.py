"""A newcomer's sample files, and the two runs that they are for, from a fresh folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.cli.local import LABS, lab_folder


def regold(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == code, done.output
    return done.output


def test_a_sample_holds_the_noise_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "sample.jsonl"
    told = json.loads(regold("lab", "sample", "--out", out, "--records", 20, "--noise", 0.5, "--json"))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert (told["records"], told["faulty"]) == (len(rows), 10) == (20, 10)
    assert all((row["output"] != row["_regold_truth"]) == bool(row["_regold_noise"]) for row in rows)
    first = out.read_bytes()
    regold("lab", "sample", "--out", out, "--records", 20, "--noise", 0.5)
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "atlas"), "give one of atlas-open"),
        (("--set", "pool", "--noise", "0.3"), "leave it out"),
        (("--records", "0"), "--records"),
    ],
)
def test_what_cannot_be_sampled_is_said(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    assert says in regold("lab", "sample", "--out", tmp_path / "x.jsonl", *words, code=2)


@pytest.mark.parametrize(
    ("sample", "run"),
    [
        ("--out s.jsonl --records 16", "run robustft s.jsonl --into runs/s --model lab"),
        ("--set pool --out s.jsonl --records 16", "run entp s.jsonl --into runs/s --model lab-fuse"),
    ],
)
def test_the_run_that_a_sample_is_for_works(
    sample: str, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    if not all(lab_folder(name).is_dir() for name in LABS):
        pytest.skip("the shipped checkpoints are not there")
    monkeypatch.chdir(tmp_path)
    assert f"then: regold {run}" in regold("lab", "sample", *sample.split())
    assert "16 records:" in regold(*run.split())
    assert Path("runs/s/train.jsonl").is_file()
