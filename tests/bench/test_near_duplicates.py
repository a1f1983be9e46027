"""The bench of near duplicates: its truth against a comparison of all pairs, and what it would show of worse tools."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from regold.bench import near_duplicates as bench
from regold.cli import app


def test_the_truth_is_that_of_comparing_all_pairs() -> None:
    texts, source = bench.planted(60, 1)
    cut = [bench.runs(text) for text in texts]
    kept: list[int] = []
    slowly: dict[int, list[int]] = {}
    for row, text in enumerate(cut):
        if alike := [other for other in kept if bench.likeness(text, cut[other]) >= 0.8]:
            slowly[row] = alike
        else:
            kept.append(row)
    found = bench.exactly(cut, 0.8)
    assert found == slowly
    assert 20 < len(found) < 60
    assert all(source[row] in found[row] for row in found if source[row] >= 0)


def test_planted_copies_are_found_more_surely_than_by_the_peer() -> None:
    found = bench.bench_near_duplicates(200, seed=3, peers=(64,))
    own, *peers = found["tools"]
    assert own["tool"] == "regold"
    assert own["precision"] >= 0.98
    assert own["recall"] >= 0.97
    assert all(own["recall"] >= peer["recall"] and own["precision"] >= peer["precision"] for peer in peers)
    assert sum(at["copies"] for at in found["by_likeness"]) <= found["copies"] == 200
    assert bench.planted(9, 3) == bench.planted(9, 3) != bench.planted(9, 4)


def test_a_tool_that_finds_too_much_or_nothing_looks_bad() -> None:
    cut = [bench.runs(text) for text in bench.planted(40)[0]]
    truth = bench.exactly(cut, 0.8)
    everything = bench._rated({row: [0] for row in range(1, len(cut))}, truth, cut, 0.8)
    assert everything["precision"] < 0.2
    assert everything["recall"] == 1
    nothing = bench._rated({}, truth, cut, 0.8)
    assert (nothing["precision"], nothing["recall"]) == (None, 0)


def test_the_command_writes_figures_and_page(tmp_path: Path) -> None:
    words = [
        "bench",
        "near-duplicates",
        "--originals",
        "18",
        "--json",
        str(tmp_path / "n.json"),
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "precision 1.000" in done.output
    assert json.loads((tmp_path / "n.json").read_text())["copies"] == 18
    assert "| regold | 1.000" in (tmp_path / "near_duplicates.md").read_text()
