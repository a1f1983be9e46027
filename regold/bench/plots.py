"""Plots of results, each written as SVG and PNG: lines with bands, bars, densities, reliability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regold.errors import MissingExtra

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#8c564b", "#999933", "#000000")
"""Told apart by colour-blind readers; the first seven by Okabe and Ito."""
MARKS = "osD^vPX<>*"
PNG_DPI = 110


@dataclass(frozen=True)
class Series:
    """One line or group of bars: values y at x, with intervals where low and high are given."""

    name: str
    x: Sequence[Any]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    look: int | None = None
    """Which colour and mark of the palette; by default as it comes."""

    def drawn(self, place: int) -> tuple[str, str]:
        """Return the colour and the mark of a series that comes at a place."""
        look = place if self.look is None else self.look
        return COLOURS[look % len(COLOURS)], MARKS[look % len(MARKS)]


@contextmanager
def figure(out: Path, *, size: tuple[float, float] = (6.4, 4.2), columns: int = 1, rows: int = 1) -> Iterator[Any]:
    """Yield the axes of a new figure, one or a list of them; saves `out`.svg and .png when the block ends well.

    The same data give the same bytes. Raises MissingExtra without matplotlib.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise MissingExtra("matplotlib", "bench") from None
    style = {"svg.hashsalt": "regold", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}
    with matplotlib.rc_context({**style, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25}):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        drawn = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(drawn)
        axes = drawn.subplots(rows, columns, squeeze=False).flatten().tolist()
        yield axes[0] if len(axes) == 1 else axes
        out.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(out.with_suffix(".svg"), metadata={"Date": None})
        drawn.savefig(out.with_suffix(".png"), dpi=PNG_DPI, metadata={"Software": None})


def lines(axes: Any, series: Sequence[Series], *, x: str, y: str, title: str = "", legend: bool = True) -> None:
    """Draw lines with marks, and bands where there are intervals."""
    for n, one in enumerate(series):
        colour, mark = one.drawn(n)
        axes.plot(one.x, _numbers(one.y), color=colour, marker=mark, markersize=4, linewidth=1.4, label=one.name)
        if one.low:
            axes.fill_between(one.x, _numbers(one.low), _numbers(one.high), color=colour, alpha=0.13, linewidth=0)
    _label(axes, x, y, title)
    if legend and series:
        axes.legend(fontsize=7.5, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def bars(axes: Any, series: Sequence[Series], *, y: str, title: str = "") -> None:
    """Draw groups of bars, one group a value of x, with whiskers where there are intervals."""
    width = 0.8 / max(1, len(series))
    for n, one in enumerate(series):
        places = [i + (n - (len(series) - 1) / 2) * width for i in range(len(one.x))]
        values = _numbers(one.y)
        whiskers = None
        if one.low:
            whiskers = [
                [max(0.0, v - lo) for v, lo in zip(values, _numbers(one.low), strict=True)],
                [max(0.0, hi - v) for v, hi in zip(values, _numbers(one.high), strict=True)],
            ]
        colour, _ = one.drawn(n)
        axes.bar(places, values, width * 0.92, color=colour, label=one.name, yerr=whiskers, error_kw={"linewidth": 0.8})
    if series:
        axes.set_xticks(range(len(series[0].x)), [str(v) for v in series[0].x])
    _label(axes, "", y, title)
    if len(series) > 1:
        axes.legend(fontsize=7.5, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def histograms(
    axes: Any, counts: Mapping[str, Sequence[int]], edges: Sequence[float], *, x: str, title: str, log: bool = False
) -> None:
    """Draw histograms over the same edges as filled outlines: each bin's share of its own group."""
    for n, (name, bins) in enumerate(counts.items()):
        total = sum(bins)
        heights = [c / total if total else 0.0 for c in bins]
        colour = COLOURS[n % len(COLOURS)]
        axes.stairs(heights, edges, fill=True, alpha=0.3, color=colour, label=f"{name} (n = {total})")
        axes.stairs(heights, edges, color=colour, linewidth=1.1)
    if log:
        axes.set_xscale("log")
    axes.margins(y=0.25)
    _label(axes, x, "share of its group", title)
    axes.legend(fontsize=7.5, frameon=False, loc="upper left")


def reliability(axes: Any, series: Sequence[Series], *, x: str, title: str) -> None:
    """Draw the share right against the confidence claimed; the diagonal is what a calibrated one would show."""
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.9, linestyle="--")
    lines(axes, series, x=x, y="share right", title=title, legend=len(series) > 1)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if v is None else float(v) for v in values]


def _label(axes: Any, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if title:
        axes.set_title(title, fontsize=9.5, loc="left")
