"""Writes what `regold bench entp` found: results.json and results.md with its tables and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from regold.bench.entp_plots import draw
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
    "checks": "Strictness of the checks, and each family left out",
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
ROWS = (
    "arm",
    "rows",
    "fused or mended",
    "facts in them right",
    "facts a row",
    "facts taught",
    "rare share",
    "text faults left",
)
COST = (
    "arm",
    "calls",
    "against full",
    "tokens sent",
    "tokens received",
    "outcomes a seed",
)
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
    drawn = draw(found["rows"], TITLES, out) if found["rows"] else []
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
    keys = ("facts_right", "facts_each", "facts_taught", "rare_share", "text_faults_left")
    shares = [number(row[key], 2) for key in keys]
    return [row["arm"], *counts, *shares]


def _recovered(row: Row) -> list[str]:
    found = row["recovery"]
    keys = ("right_before", "right_after", "recovered", "unknown_recovered", "kept", "true_before", "true_after")
    return [row["arm"], f"{found['records']:.0f}", *(number(found.get(key), 2) for key in keys)]


def _cost(row: Row) -> list[str]:
    calls, *tokens = [f"{row[key]:.0f}" for key in ("calls", "prompt_tokens", "completion_tokens")]
    spent = [calls, _against(row), *tokens]
    outcomes = ", ".join(f"{count:.0f} {what}" for what, count in row["outcomes"].items()) or "-"
    return [row["arm"], *spent, outcomes]


def _against(row: Row) -> str:
    ratio = row["calls_against_full"]
    told = "-" if ratio is None else f"{ratio:.2f}"
    return f"**{told}**" if row["equal_calls"] is False else told
