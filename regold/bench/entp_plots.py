"""The plots of `regold bench entp`: arms side by side, what they cost, rare clusters, and the settings swept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from regold.bench.plots import COLOURS, Series, bars, figure, lines

Row: TypeAlias = Mapping[str, Any]

SWEEPS = {
    "clusters": (r"k (\d+|auto)", "clusters a source", "Number of clusters"),
    "ratio": (r"fused (\d+) %", "fused rows among those trained on, %", "Share of fused rows"),
}
"""Groups that go over a setting: its value in an arm's name, its axis, its title."""
COMPARED = ("arm", "selection")
"""Groups whose accuracy and calls are drawn."""


def draw(rows: Sequence[Row], titles: Mapping[str, str], out: Path) -> list[tuple[str, str]]:
    """Draw accuracy and calls by arm, accuracy over the settings swept, and rare clusters; returns names and titles."""
    drawn: list[tuple[str, str]] = []
    for group in COMPARED:
        shown = [row for row in rows if row["group"] in ("bound", group)]
        if any(row["group"] == group for row in shown):
            with figure(out / f"{group}s", size=(7.6, 0.34 * len(shown) + 1.2)) as axes:
                _across(axes, shown)
            drawn.append((f"{group}s", f"Exact match: {titles[group].lower()}"))
    if drawn:
        many = sum(row["group"] in COMPARED for row in rows)
        with figure(out / "cost", size=(7.6, 0.24 * many + 1.2)) as axes:
            _calls(axes, rows, titles)
        drawn.append(("cost", "Calls of each arm, the most accurate at the top"))
    shown = [row for row in rows if row["group"] == "arm"]
    if shown:
        with figure(out / "rare", size=(8.4, 3.6)) as axes:
            names = [row["arm"] for row in shown]
            series = [Series("share of rows", names, [row["rare_share"] for row in shown])]
            series.append(Series("exact match there", names, [row["neglected"] for row in shown]))
            bars(axes, series, y="neglected countries")
            axes.set_xticks(axes.get_xticks(), names, rotation=35, ha="right")
        drawn.append(("rare", "Rare clusters: their share of the training rows, and accuracy on them"))
    return drawn + _sweeps(rows, out)


def _sweeps(rows: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    """Draw exact match over each setting, with its band, beside that on neglected countries."""
    drawn = []
    for group, (wording, axis, title) in SWEEPS.items():
        shown = [(m[1], row) for row in rows if row["group"] == group and (m := re.fullmatch(wording, row["arm"]))]
        if len(shown) < 2:
            continue
        at, found = [value for value, _ in shown], [row["exact"] for _, row in shown]
        mean, low, high = ([one[part] for one in found] for part in ("mean", "low", "high"))
        series = [Series("all questions", at, mean, low, high)]
        series.append(Series("neglected countries", at, [row["neglected"] for _, row in shown]))
        with figure(out / group, size=(6.4, 3.2)) as axes:
            lines(axes, series, x=axis, y="exact match", title=f"{title} ({shown[0][1]['seeds']} seeds)")
        drawn.append((group, f"Exact match against the {title[0].lower()}{title[1:]}, with its 95 % interval"))
    return drawn


def _across(axes: Any, rows: Sequence[Row]) -> None:
    for place, row in enumerate(reversed(rows)):
        found, colour = row["exact"], COLOURS[6 if row["group"] == "bound" else 0]
        axes.plot([found["low"], found["high"]], [place, place], color=colour, linewidth=1.6)
        axes.plot([found["mean"]], [place], "o", color=colour, markersize=5)
    axes.set_yticks(range(len(rows)), [row["arm"] for row in reversed(rows)])
    axes.set_xlabel("exact match on held-out questions, 95 % interval")


def _calls(axes: Any, rows: Sequence[Row], titles: Mapping[str, str]) -> None:
    """Draw what each arm and selection cost in calls, the most accurate at the top with its exact match."""
    shown = sorted((row for row in rows if row["group"] in COMPARED), key=lambda row: row["exact"]["mean"])
    for n, group in enumerate(COMPARED):
        own = [(place, row["calls"]) for place, row in enumerate(shown) if row["group"] == group]
        if own:
            axes.barh([place for place, _ in own], [calls for _, calls in own], color=COLOURS[n], label=titles[group])
    axes.set_yticks(
        range(len(shown)), [f"{row['arm']}  {row['exact']['mean']:.3f}".replace("0.", ".") for row in shown]
    )
    axes.tick_params(axis="y", labelsize=7.5)
    axes.set_xlabel("calls to prepare the rows; beside the names exact match")
    axes.legend(fontsize=7.5, frameon=False, loc="lower right")
