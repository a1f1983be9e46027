"""Writes what `regold bench entp` found: results.json, results.md with its tables, and the plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from regold.bench.plots import COLOURS, Series, bars, figure
from regold.bench.tables import markdown, number, spread
from regold.files import replacing, write_json

Row: TypeAlias = Mapping[str, Any]

TITLES = {
    "bound": "Bounds",
    "arm": "Arms",
    "whole": "Arms on all that they keep",
    "selection": "Selection baselines",
    "clusters": "Number of clusters a source",
    "ratio": "Share of fused rows among those trained on",
    "checks": "Strictness of the checks",
}
HEAD = (
    "arm",
    "seeds",
    "exact match",
    "facts right",
    "new facts right",
    "neglected countries",
    "others",
    "over keep all",
    "over drop low",
)
ROWS = ("arm", "rows", "fused or mended", "facts in them right", "facts a row", "facts taught", "rare share")
COST = (
    "arm",
    "calls",
    "against full",
    "tokens sent",
    "tokens received",
    "CPU seconds before training",
    "outcomes a seed",
)
LABEL = 0.012
"""Least distance of two labels, in exact match."""
NEAR = 80
"""Calls between two points whose labels may meet."""
MADE_TITLE = "All fused and mended records against the planted truth (facts that the parents ask for):"
COST_TITLE = "What it cost (bold: more than 5 % more or fewer calls than the full recipe):"
RECOVERY = (
    "arm",
    "records made a seed",
    "facts right before",
    "after",
    "lost facts recovered",
    "of those never learnt",
    "right facts kept",
    "true of what is told, before",
    "after",
)


def write_entp(found: Mapping[str, Any], out: Path) -> None:
    """Write all results into a folder."""
    write_json(out / "results.json", found)
    drawn = draw(found["rows"], out) if found["rows"] else []
    with replacing(out / "results.md") as stream:
        stream.write(page(found, drawn).encode())


def page(found: Mapping[str, Any], drawn: Sequence[tuple[str, str]] = ()) -> str:
    """Return the Markdown page: one section a group of arms, with what was trained on and what it cost."""
    asked = found["asked"]
    train = ", ".join(f"{key} {value}" for key, value in asked["train"].items())
    blocks = ["# Results of `regold bench entp`"]
    blocks.append(
        f"A pool of {asked['records']} records a seed, up to {len(found['seeds'])} seeds; every arm trains on "
        f"{asked['rows']} rows drawn from what it keeps, or on all where it keeps fewer ({train}). Exact match: the "
        f"full right answer word for word, on {asked['test']} held-out questions. In brackets: 95 % intervals, by a "
        "bootstrap that draws seeds and then questions, the same ones for all arms. *New facts* are asked "
        f"facts that pre-training never told.{_bounded(found)} Nothing here says anything about "
        "large models."
    )
    for group, title in TITLES.items():
        rows = [row for row in found["rows"] if row["group"] == group]
        if rows:
            blocks += [f"## {title}", markdown(HEAD, map(_accuracy, rows)), "What was trained on:"]
            blocks += [markdown(ROWS, map(_trained, rows))]
            made = [row for row in rows if row["recovery"]]
            if made:
                blocks += [MADE_TITLE, markdown(RECOVERY, map(_recovered, made))]
            blocks += [COST_TITLE, markdown(COST, map(_cost, rows))]
    if drawn:
        blocks += ["## Plots", *(f"{title}:\n\n![{title}]({name}.svg)" for name, title in drawn)]
    blocks.append(f"{asked['trials']} trials, {asked['core_seconds'] / 60:.0f} minutes of CPU time.")
    return "\n\n".join(blocks) + "\n"


def _bounded(found: Mapping[str, Any]) -> str:
    counts = {row["group"]: row["seeds"] for row in found["rows"]}
    fewer = [f"{TITLES[group].lower()} {count}" for group, count in counts.items() if count < len(found["seeds"])]
    return f" Fewer seeds: {', '.join(fewer)}." if fewer else ""


def _interval(row: Row, key: str) -> str:
    found = row.get(key)
    return spread(found["mean"], found["low"], found["high"]) if found else "-"


def _accuracy(row: Row) -> list[str]:
    shares = [number(row[key]) for key in ("new", "neglected", "others")]
    gains = [_interval(row, key) for key in ("over_keep_all", "over_drop_low")]
    return [row["arm"], str(row["seeds"]), _interval(row, "exact"), _interval(row, "facts"), *shares, *gains]


def _trained(row: Row) -> list[str]:
    counts = [f"{row['trained']:.0f} of {row['available']:.0f}", f"{row['made']:.0f}"]
    shares = [number(row[key], 2) for key in ("facts_right", "facts_each", "facts_taught", "rare_share")]
    return [row["arm"], *counts, *shares]


def _recovered(row: Row) -> list[str]:
    found = row["recovery"]
    keys = ("right_before", "right_after", "recovered", "unknown_recovered", "kept", "true_before", "true_after")
    return [row["arm"], f"{found['records']:.0f}", *(number(found.get(key), 2) for key in keys)]


def _cost(row: Row) -> list[str]:
    calls, *tokens = [f"{row[key]:.0f}" for key in ("calls", "prompt_tokens", "completion_tokens")]
    spent = [calls, _against(row), *tokens]
    outcomes = ", ".join(f"{count:.0f} {what}" for what, count in row["outcomes"].items()) or "-"
    return [row["arm"], *spent, number(row["seconds"].get("prepare"), 1), outcomes]


def _against(row: Row) -> str:
    ratio = row["calls_against_full"]
    told = "-" if ratio is None else f"{ratio:.2f}"
    return f"**{told}**" if row["equal_calls"] is False else told


def draw(rows: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    """Draw accuracy by arm, accuracy against calls, and rare clusters; returns names and titles."""
    drawn = []
    for group in ("arm", "selection"):
        shown = [row for row in rows if row["group"] in ("bound", group)]
        if any(row["group"] == group for row in shown):
            with figure(out / f"{group}s", size=(7.6, 0.34 * len(shown) + 1.2)) as axes:
                _across(axes, shown)
            drawn.append((f"{group}s", f"Exact match: {TITLES[group].lower()}"))
    with figure(out / "cost", size=(7.2, 4.6)) as axes:
        _against_calls(axes, rows)
    drawn.append(("cost", "Exact match against calls"))
    shown = [row for row in rows if row["group"] == "arm"]
    if shown:
        with figure(out / "rare", size=(8.4, 3.6)) as axes:
            names = [row["arm"] for row in shown]
            series = [Series("share of rows", names, [row["rare_share"] for row in shown])]
            series.append(Series("exact match there", names, [row["neglected"] for row in shown]))
            bars(axes, series, y="neglected countries")
            axes.set_xticks(axes.get_xticks(), names, rotation=35, ha="right")
        drawn.append(("rare", "Rare clusters: their share of the training rows, and accuracy on them"))
    return drawn


def _across(axes: Any, rows: Sequence[Row]) -> None:
    for place, row in enumerate(reversed(rows)):
        found, colour = row["exact"], COLOURS[6 if row["group"] == "bound" else 0]
        axes.plot([found["low"], found["high"]], [place, place], color=colour, linewidth=1.6)
        axes.plot([found["mean"]], [place], "o", color=colour, markersize=5)
    axes.set_yticks(range(len(rows)), [row["arm"] for row in reversed(rows)])
    axes.set_xlabel("exact match on held-out questions, 95 % interval")


def _against_calls(axes: Any, rows: Sequence[Row]) -> None:
    for n, group in enumerate(("arm", "selection")):
        shown = sorted((row for row in rows if row["group"] == group), key=lambda r: r["exact"]["mean"])
        if not shown:
            continue
        calls, means = [r["calls"] for r in shown], [r["exact"]["mean"] for r in shown]
        axes.plot(calls, means, "o^"[n], color=COLOURS[n], label=TITLES[group])
        placed: list[tuple[float, float]] = []
        for row, at, mean in zip(shown, calls, means, strict=True):
            height = max([mean, *(y + LABEL for x, y in placed if abs(x - at) < NEAR)])
            placed.append((at, height))
            axes.annotate(f"  {row['arm']}", (at, mean), xytext=(at, height), fontsize=6.5, va="center")
    axes.set_xlabel("calls to prepare the rows")
    axes.set_ylabel("exact match")
    axes.legend(fontsize=7.5, frameon=False, loc="lower right")
