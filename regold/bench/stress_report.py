"""The stress bench as a page and plots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from regold.bench.plots import Series, bars, figure
from regold.bench.stress import _KEYS, SCENARIOS
from regold.bench.tables import NOTHING, number
from regold.bench.tables import markdown as table
from regold.files import replacing, write_json

COMMAND = "regold bench stress --json stress.json --out docs/results/stress"
HEADS = {
    "f1": "F1",
    "before": "right before",
    "kept_right": "right of kept",
    "context_right": "context view right",
    "repaired_right": "right of repaired",
    "false_suspects": "same, judged different",
    "missed": "different, judged same",
    "never_judged": "same, but no judge asked",
    "any_two_agree": "two wordings agree",
    "all_agree": "all five agree",
    "says_yes": "says SAME or Yes",
    "same_verdict": "same verdict as before",
}
PLOTS = {
    "noise-kinds": ("f1", "before", "kept_right", "repaired_right"),
    "withheld": ("context_right", "repaired_right"),
    "domain-shift": ("context_right", "repaired_right"),
    "second-model": ("f1", "before", "kept_right", "repaired_right"),
}
"""The figures of a scenario that are drawn."""
FEWEST = 5
"""Records, over all seeds, below which a setting is not drawn."""


def write_stress(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the page, the figures and the plots of those scenarios that were run into a folder."""
    page = folder / "README.md"
    drawn = [name for name in PLOTS if any(row["scenario"] == name for row in found["summary"])]
    with replacing(page) as stream:
        stream.write(markdown(found).encode())
    write_json(folder / "results.json", {name: value for name, value in found.items() if name != "seconds"})
    for name in drawn:
        _draw(name, found, folder / name)
    return [page, folder / "results.json", *(folder / f"{name}{end}" for name in drawn for end in (".svg", ".png"))]


def _draw(scenario: str, found: Mapping[str, Any], out: Path) -> None:
    """Draw a scenario's figures as bars a setting, whiskers one standard deviation over seeds."""
    rows = [row for row in found["summary"] if row["scenario"] == scenario and row["n"] >= FEWEST]
    settings = [f"{fill(row['setting'], 18)}\n(n = {row['n']})" for row in rows]
    with figure(out, size=(1.6 + 1.15 * max(3, len(rows)), 3.4)) as axes:
        bars(
            axes,
            [_series(HEADS[name], settings, [row.get(name) for row in rows]) for name in PLOTS[scenario]],
            y="share",
        )
        axes.set_ylim(0, 1)
        axes.tick_params(axis="x", labelsize=7)


def _series(name: str, settings: list[str], cells: list[Mapping[str, float | None] | None]) -> Series:
    means = [cell["mean"] if cell else None for cell in cells]
    spread = [(cell["deviation"] if cell else None) or 0.0 for cell in cells]
    low, high = ([None if m is None else m + way * s for m, s in zip(means, spread, strict=True)] for way in (-1, 1))
    return Series(name, settings, means, low, high)


def markdown(found: Mapping[str, Any]) -> str:
    """Return the page: a table a scenario, means over seeds with their standard deviation."""
    tables = [_table(name, found) for name in dict.fromkeys(row["scenario"] for row in found["summary"])]
    head = f"""# Noise and stress

`{_command(found)}` writes this page: the recipe `robustft` on the lab's model \
(`{found["model"][:8]}`) and `atlas-open-x`, {found["items"]} records, mean ± standard deviation \
over {_many(found["seeds"])}. `n` counts records over all seeds. \
The model is tiny: what is shown is how the method bears each setting beside the others, not how a large model would.
"""
    return "\n\n".join([head.rstrip(), *tables]) + "\n"


def _command(found: Mapping[str, Any]) -> str:
    """Return the command that writes this very page."""
    run = list(dict.fromkeys(row["scenario"] for row in found["summary"]))
    less = "" if set(run) == set(SCENARIOS) else f" --only {','.join(run)}"
    return f"{COMMAND} --seeds {found['seeds']} --items {found['items']}{less}"


def _many(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"{seeds} seeds"


def _table(scenario: str, found: Mapping[str, Any]) -> str:
    rows = [row for row in found["summary"] if row["scenario"] == scenario]
    names = [n for n in dict.fromkeys(n for row in rows for n in row) if n not in (*_KEYS, "seeds")]
    heads = ["setting", "n", *(HEADS.get(n, n.replace("_", " ")) for n in names)]
    lines = [[row["setting"], str(row["n"]), *(_cell(row.get(n)) for n in names)] for row in rows]
    about = (SCENARIOS[scenario].__doc__ or "").strip()
    plot = f"\n\n![{scenario}]({scenario}.svg)" if scenario in PLOTS else ""
    return f"## {scenario.replace('-', ' ').capitalize()}\n\n{' '.join(about.split())}\n\n{table(heads, lines)}{plot}"


def _cell(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["mean"] is None:
        return NOTHING
    return number(value["mean"]) + (f" ±{number(value['deviation'])}" if value["deviation"] is not None else "")
