"""The bench on a tiny grid: every method runs, a killed bench goes on where it was, wrong requests are named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("matplotlib")

from regold.bench.lab import Asked, bench_lab, chosen, forecast, planned
from regold.bench.lab_work import alone
from regold.cli import app
from regold.errors import RunBusy, UsageError
from regold.files import read_json, write_json
from regold.lab.grid import SHIPPED
from regold.lab.ground import MODEL

GRID = """
items = 40
test = 20
seeds = 2

[train]
epochs = 1
learning_rate = 1e-3
batch_size = 16
rank = 2
alpha = 4
"""


def tiny(folder: Path, parts: str) -> Path:
    """Write a grid with the shipped methods and parts of its own."""
    shipped = SHIPPED.read_text()
    methods = shipped[shipped.index("[[method]]") : shipped.index("[[part]]")]
    (folder / "grid.toml").write_text(f"{GRID}\n{methods}\n{parts}")
    return folder / "grid.toml"


def test_parts_sets_and_rates_narrow_the_grid(tmp_path: Path) -> None:
    grid, parts = chosen(Asked(tmp_path, parts=("methods", "sets"), sets=("wire", "atlas-mc-x"), rates=(50,), seeds=2))
    assert grid.seeds == 2
    assert [(p.name, p.sets, p.noise) for p in parts] == [
        ("methods", ("atlas-mc-x",), (50,)),
        ("sets", ("wire",), (50,)),
    ]
    with pytest.raises(UsageError, match="no part 'method'"):
        chosen(Asked(tmp_path, parts=("method",)))


def test_a_plan_counts_what_is_left_and_learns_from_what_is_done(tmp_path: Path) -> None:
    asked = Asked(tmp_path, parts=("methods",), sets=("atlas-open-x",), rates=(50,), seeds=1)
    before = forecast(asked)
    assert (before["trials"], before["to_do"]) == (10, 10)
    assert before["core_minutes"] == pytest.approx(2 * before["minutes"], abs=0.11)
    (task,) = planned(asked)[2]
    cell = next(cell for cell in task.cells if cell.method == "RobustFT")
    spent = {"prepare": {"wall": 9.0, "core": 600.0}}
    write_json(task.result(cell), {"key": task.key(cell), "seconds": spent})
    assert forecast(asked)["to_do"] == 9
    assert forecast(replace(asked, seeds=2))["core_minutes"] > before["core_minutes"] * 2 + 5


def test_the_command_plans_and_tells_results_without_working(tmp_path: Path) -> None:
    words = ["bench", "lab", "--quick", "--into", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    planned_only = CliRunner().invoke(app, [*words, "--plan", "--json", str(tmp_path / "plan.json")])
    assert planned_only.exit_code == 0, planned_only.output
    assert "| quick | 16 | 16 |" in planned_only.stdout
    assert read_json(tmp_path / "plan.json")["to_do"] == 16
    so_far = CliRunner().invoke(app, [*words, "--so-far"])
    assert so_far.exit_code == 0, so_far.output
    assert "0 of 16 trials" in so_far.stdout
    assert read_json(tmp_path / "out" / "results.json")["rows"] == []


def test_another_checkpoint_is_a_row_of_its_own(tmp_path: Path) -> None:
    grid, parts = chosen(Asked(tmp_path, other=MODEL))
    assert grid.methods["other-checkpoint"].load(0).evaluate.model == str(MODEL)
    assert "other-checkpoint" in next(part for part in parts if part.name == "methods").methods
    with pytest.raises(UsageError, match="holds no model"):
        chosen(Asked(tmp_path, other=tmp_path))


def test_two_benches_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(RunBusy, match="another bench"), alone(tmp_path):
        pass


@pytest.mark.slow
def test_every_method_runs_on_every_set_and_kind(tmp_path: Path) -> None:
    every = SHIPPED.read_text().split("[[part]]")[1].split("methods = ")[1].split("\n")[0]
    parts = f"""
[[part]]
name = "methods"
sets = ["atlas-open-x", "atlas-mc-x"]
noise = [0, 50]
methods = {every}

[[part]]
name = "sets"
sets = ["atlas-open", "atlas-mc", "ledger", "wire"]
noise = [50]
kinds = ["symmetric", "pair", "free-text"]
methods = ["RobustFT"]
"""
    told: list[str] = []
    asked = Asked(tmp_path / "runs", seeds=1, grid=tiny(tmp_path, parts))
    found = bench_lab(asked, tmp_path / "out", lambda name, total: lambda done: None, told.append)
    assert {r["method"] for r in found["rows"]} >= {"vanilla", "SFT", "NoiseAL", "SelfRAG", "RobustFT"}
    assert not found["skipped"]
    assert read_json(tmp_path / "out" / "results.json")["asked"]["trials"] == found["asked"]["trials"]
    assert "trials" in told[0]


@pytest.mark.slow
def test_a_killed_bench_does_no_trial_twice_and_comes_to_the_same_bytes(tmp_path: Path) -> None:
    part = '[[part]]\nname = "x"\nsets = ["atlas-open-x"]\nnoise = [30, 50]\nmethods = ["vanilla", "SFT", "RobustFT"]'
    grid, runs = tiny(tmp_path, part), tmp_path / "runs"
    bench = [sys.executable, "-c", "from regold.cli import main; main()", "bench", "lab", "--grid", str(grid)]
    bench += ["--seeds", "1"]
    command = [*bench, "--out", str(tmp_path / "out"), "--into", str(runs)]
    first = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while len(done := sorted(runs.glob("*/*/*/symmetric-*/*.json"))) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    stamps = {path: path.stat().st_mtime_ns for path in done}
    assert len(stamps) >= 2
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert {path: path.stat().st_mtime_ns for path in done} == stamps
    assert len(sorted(runs.glob("*/*/*/symmetric-*/*.json"))) == 5
    whole = [*bench, "--out", str(tmp_path / "whole"), "--into", str(tmp_path / "other-runs")]
    subprocess.run(whole, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert (tmp_path / "whole" / "results.json").read_bytes() == (tmp_path / "out" / "results.json").read_bytes()
