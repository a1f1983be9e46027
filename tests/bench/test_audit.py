"""The bench of the text checks on generated records whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.bench.audit import bench_audit, curve, threshold, wilson
from regold.cli import app
from regold.errors import InputError
from regold.methods.checks.score import fit_weights, score, shipped_threshold, shipped_weights


def files(folder: Path) -> tuple[Path, Path]:
    data, labels = folder / "data.jsonl", folder / "labels.jsonl"
    rows, known = [], []
    for n in range(60):
        bad = n % 3 == 0
        rows.append({"id": n, "instruction": f"Name city {n}.", "input": "<noinput>" if bad else "", "output": "Paris"})
        known.append({"id": n, "noise": int(bad or n == 1), "confidence": "high" if bad else None})
    data.write_text("".join(json.dumps(r) + "\n" for r in rows))
    labels.write_text("".join(json.dumps(k) + "\n" for k in known[::-1]))
    return data, labels


def test_figures_of_a_known_truth(tmp_path: Path) -> None:
    data, labels = files(tmp_path)
    found = bench_audit(data, labels)
    assert (found["records"], found["wrong"]) == (60, 21)
    for at in (found["five_fold"]["all"], found["shipped"]["all"], found["strictness"]["lenient"]):
        assert (at["precision"], at["hits"], at["flagged"]) == (1.0, 20, 20)
        assert at["recall"] == pytest.approx(20 / 21)
    assert found["shipped"]["high"]["recall"] == 1.0
    by_name = {c["without"]: c for c in found["leave_one_out"]}
    assert by_name["placeholder-input"]["hits"] == 0
    assert bench_audit(data, labels) == found


def test_the_command_writes_them_and_refuses_foreign_labels(tmp_path: Path) -> None:
    data, labels = files(tmp_path)
    words = ["bench", "audit", "--data", str(data), "--labels", str(labels), "--json", str(tmp_path / "o.json")]
    pages = tmp_path / "pages"
    assert CliRunner().invoke(app, [*words, "--out", str(pages)]).exit_code == 0
    assert {p.name for p in pages.iterdir()} == {"README.md", "precision_recall.png", "precision_recall.svg"}
    assert "| five folds, high | 1.000 [.839, 1.000] |" in (pages / "README.md").read_text()
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "placeholder-input" in done.output
    assert json.loads((tmp_path / "o.json").read_text())["records"] == 60
    labels.write_text('{"id": "x", "noise": 1}\n')
    assert CliRunner().invoke(app, words).exit_code == 2
    labels.write_text('{"id": "x", "noise": 7}\n')
    with pytest.raises(InputError, match="noise"):
        bench_audit(data, labels)


def test_scores_weights_and_thresholds() -> None:
    weights = fit_weights([["a"], ["a"], ["b"], []], [True, True, False, False], ["a", "b", "c"])
    assert weights == {"a": 0.75, "b": pytest.approx(1 / 3, abs=1e-4), "c": 0.5}
    assert score(["a", "b"], weights) == pytest.approx(1 - 0.25 * 2 / 3, abs=1e-4)
    assert score([], weights) == 0.0
    assert threshold([True, True, False], [0.9, 0.5, 0.1]) == 0.5
    assert threshold([False], [0.9]) == 1.1
    assert [p["recall"] for p in curve([True, False, True], [0.9, 0.5, 0.0])] == [0.5, 0.5]
    low, high = wilson(9, 10)
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert 0 < shipped_threshold() < shipped_weights()["placeholder-input"] < 1
