from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.shared_data
def test_the_published_rule_finds_what_it_should_on_every_pair(shared_data: Path, tmp_path: Path) -> None:
    data, out = shared_data / "mmlu-redux" / "mmlu_redux.jsonl.gz", tmp_path / "views.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "views.py"), "--data", str(data), "--json", str(out)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    found = json.loads(out.read_text())
    assert found["records"] == 2780
    assert len(found["pairs"]) == 91 == done.stdout.count(" precision ")
    for pair in found["pairs"].values():
        assert pair["wrong"] == 834
        assert 0.59 <= pair["precision"] <= 0.69
        assert 0.935 <= pair["recall"] <= 0.99
