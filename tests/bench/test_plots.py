"""Plots are written as SVG and PNG, the same bytes for the same data, and small."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from regold.bench.plots import Series, bars, figure, histograms, lines, reliability


def _draw(out: Path) -> bytes:
    one = Series("a", [0, 30], [0.5, None], [0.4, None], [0.6, None])
    with figure(out, columns=2, rows=2) as axes:
        lines(axes[0], [one], x="x", y="y", title="t")
        bars(axes[1], [one, Series("b", [0, 30], [0.1, 0.2])], y="y")
        histograms(axes[2], {"right": [1, 2], "none": [0, 0]}, [0, 1, 2], x="nll", title="")
        reliability(axes[3], [Series("c", [0.1, 0.9], [0.2, 0.8])], x="p", title="r")
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    return out.with_suffix(".svg").read_bytes()


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = _draw(tmp_path / "one"), _draw(tmp_path / "two")
    assert first == second
    assert len(first) < 200_000
