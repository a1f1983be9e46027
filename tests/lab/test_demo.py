"""The demo through its real command: the whole way on the shipped model, and a second call that pays nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regold.fingerprint import file_digest
from regold.lab.demo import METHODS, TEST_ITEMS
from tests.alone import ENVIRONMENT


def demo(into: Path, *words: str) -> str:
    small = ["--noise", "70", "--seeds", "1", "--items", "60"]
    command = [sys.executable, "-m", "regold", "demo", "--into", str(into), *small, *words]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def held(folder: Path) -> dict[str, str]:
    """Return the digest of every file of the demo: journals, runs, models and results."""
    return {str(f.relative_to(folder)): file_digest(f) for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.mark.slow
def test_the_demo_goes_the_whole_way_and_a_second_call_pays_nothing(tmp_path: Path) -> None:
    told: dict[str, Any] = json.loads(demo(tmp_path / "demo", "--json"))
    rows = {row["method"]: row for row in told["table"]}
    assert sorted(rows) == sorted(METHODS)
    assert len(told["table"]) == len(METHODS)
    assert all((row["noise"], row["seed"], row["n"]) == (70, 0, TEST_ITEMS) for row in rows.values())
    assert all(0 <= row["accuracy"] <= 1 for row in rows.values())
    assert rows["clean oracle"]["accuracy"] > rows["sft on noisy"]["accuracy"]
    (found,) = told["detection"]
    assert (found["noise"], found["seed"]) == (70, 0)
    assert found["recall"] > 0.5
    assert found["precision"] >= 0.7
    assert told["calls"] > 60
    print({name: row["accuracy"] for name, row in rows.items()}, found, told["calls"], told["seconds"])

    before = held(tmp_path / "demo")
    assert any("/calls/" in name for name in before)
    again = demo(tmp_path / "demo")
    assert held(tmp_path / "demo") == before
    table = [line.split() for line in again.splitlines()]
    assert ["noise", "70", "%"] in table
    for name, row in rows.items():
        assert [*name.split(), f"{row['accuracy']:.3f}", "±0.000"] in table
    assert f"{told['calls']} calls, {told['tokens']} tokens" in again
