"""The stress bench as a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def write_stress(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the page and the figures into a folder."""
    page = folder / "README.md"
    with replacing(page) as stream:
        stream.write(markdown(found).encode())
    write_json(folder / "results.json", {name: value for name, value in found.items() if name != "seconds"})
    return [page, folder / "results.json"]


def markdown(found: Mapping[str, Any]) -> str:
    """Return the page: a table a scenario, means over seeds with their standard deviation."""
    tables = [_table(name, found) for name in dict.fromkeys(row["scenario"] for row in found["summary"])]
    head = f"""# Noise and stress

`{COMMAND}` writes this page: the recipe `robustft` on the lab's model (`{found["model"][:8]}`) and `atlas-open-x`, \
{found["items"]} records, mean ± standard deviation over {found["seeds"]} seeds. `n` counts records over all seeds. \
The model is tiny: what is shown is how the method bears each setting beside the others, not how a large model would.
"""
    return "\n\n".join([head.rstrip(), *tables]) + "\n"


def _table(scenario: str, found: Mapping[str, Any]) -> str:
    rows = [row for row in found["summary"] if row["scenario"] == scenario]
    names = [n for n in dict.fromkeys(n for row in rows for n in row) if n not in (*_KEYS, "seeds")]
    heads = ["setting", "n", *(HEADS.get(n, n.replace("_", " ")) for n in names)]
    lines = [[row["setting"], str(row["n"]), *(_cell(row.get(n)) for n in names)] for row in rows]
    about = (SCENARIOS[scenario].__doc__ or "").strip()
    return f"## {scenario.replace('-', ' ').capitalize()}\n\n{' '.join(about.split())}\n\n{table(heads, lines)}"


def _cell(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["mean"] is None:
        return NOTHING
    return number(value["mean"]) + (f" ±{number(value['deviation'])}" if value["deviation"] is not None else "")
