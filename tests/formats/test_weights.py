"""The column `loss_weight` is a record's weight, from the file through a run to what is trained on and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.errors import InputError
from regold.formats import Reject, read, read_rows
from regold.output import training_rows

TALK = [{"role": r, "content": c} for r, c in zip(["user", "assistant"] * 2, "abcd", strict=True)]


def written(path: Path, *weights: Any) -> Path:
    rows = [{"instruction": f"q{n}", "output": f"a{n}"} | w for n, w in enumerate(weights)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def asked(*words: object) -> str:
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == 0, done.output
    return done.output


def weights(place: Path) -> list[float]:
    return [weight for _, weight in training_rows(place)]


def test_the_column_is_the_weight_and_nothing_is_1(tmp_path: Path) -> None:
    given = ({"loss_weight": 0.25}, {"loss_weight": "2e0"}, {"loss_weight": 0}, {"loss_weight": None}, {})
    data = written(tmp_path / "data.jsonl", *given)
    assert weights(data) == [0.25, 2.0, 0.0, 1.0, 1.0]
    (tmp_path / "data.csv").write_text("instruction,output,loss_weight\nq,a,0.5\nr,b,\n")
    assert weights(tmp_path / "data.csv") == [0.5, 1.0]
    (tmp_path / "talk.jsonl").write_text(json.dumps({"messages": TALK, "loss_weight": 0.5}) + "\n")
    assert [row.weight for row in read_rows(tmp_path / "talk.jsonl", turns="all")] == [0.5, 0.5]


@pytest.mark.parametrize("bad", [-0.5, "much", True, [1], "nan", "inf", 10**400])
def test_what_is_no_weight_is_named_with_its_line(tmp_path: Path, bad: Any) -> None:
    data = written(tmp_path / "data.jsonl", {"loss_weight": 1}, {"loss_weight": bad})
    with pytest.raises(InputError, match=r"data\.jsonl.*2.*loss_weight is .*at least 0"):
        list(read(data))
    assert isinstance(list(read(data, on_bad_line="skip"))[1], Reject)
    done = CliRunner().invoke(app, ["run", "sft", str(data), "--into", str(tmp_path / "run")])
    assert (done.exit_code, "loss_weight is" in done.output) == (2, True)


def test_weights_go_through_a_run_into_its_output_and_its_exports(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", {"loss_weight": 0.5}, {}, {"loss_weight": 0})
    run, out = tmp_path / "run", tmp_path / "out.jsonl"
    asked("run", "sft", data, "--into", run, "--out", out)
    assert weights(run) == weights(out) == [0.5, 1.0, 0.0]
    assert out.read_text() == data.read_text()
    asked("export", run, "--to", "trl", "--out", tmp_path / "trl", "--model", "m")
    lines = (tmp_path / "trl" / "train.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss_weight"] for line in lines] == [0.5, 1.0]
    asked("export", run, "--to", "hf", "--out", tmp_path / "hf")
    assert weights(tmp_path / "hf") == [0.5, 1.0, 0.0]


def test_weights_are_imported_beside_scores(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", {}, {"loss_weight": 0.5}, {})
    (tmp_path / "scores.csv").write_text("id,w\n0,3\n2,0.1\n")
    how = ("--import", tmp_path / "scores.csv", "--column", "w=loss_weight")
    run, out = tmp_path / "run", tmp_path / "out.jsonl"
    told = asked("run", "sft", data, "--into", run, "--out", out, *how)
    assert weights(run) == weights(out) == [3.0, 0.5, 0.1], told
    assert "loss_weight 0.1" in asked("show", run, "2")
    (tmp_path / "scores.csv").write_text("id,w\n0,-3\n")
    done = CliRunner().invoke(app, [str(w) for w in ("run", "sft", data, "--into", tmp_path / "again", *how)])
    assert (done.exit_code, "expected at least 0" in done.output) == (2, True), done.output
