"""The stress bench: settings in which finding and repairing is hard, each a few lines over the lab and the recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from regold.bench.stress.forms import equivalent_forms, wordings
from regold.bench.stress.models import second_model, two_rounds
from regold.bench.stress.neighbours import domain_shift, withheld
from regold.bench.stress.noises import noise_kinds
from regold.bench.stress.task import Task
from regold.engines.weights import folder_digest
from regold.errors import UsageError
from regold.files import read_json, write_json
from regold.lab.ground import MODEL

Scenario: TypeAlias = Callable[[Task], list[dict[str, Any]]]

SCENARIOS: Mapping[str, Scenario] = {
    "noise-kinds": noise_kinds,
    "withheld": withheld,
    "domain-shift": domain_shift,
    "forms": equivalent_forms,
    "wordings": wordings,
    "second-model": second_model,
    "two-rounds": two_rounds,
}
"""Each returns one row a setting: `setting`, `n` and figures."""


def run_stress(
    into: Path, only: Sequence[str] = (), seeds: int = 3, items: int = 300, watch: Callable[[str], None] = print
) -> dict[str, Any]:
    """Run what is missing of the scenarios and return all figures, with mean and deviation over seeds.

    What a seed of a scenario came to is kept in `into`; another model or number of records does it anew.
    Raises UsageError for an unknown scenario.
    """
    if unknown := [name for name in only if name not in SCENARIOS]:
        raise UsageError(f"no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    began, model, rows = time.monotonic(), folder_digest(MODEL), list[dict[str, Any]]()
    for name in only or SCENARIOS:
        for seed in range(seeds):
            watch(f"{name}, seed {seed}")
            folder = into / f"{model[:8]}-{items}" / name / f"seed-{seed}"
            rows += [{"scenario": name, "seed": seed, **row} for row in _done(name, Task(folder, seed, items))]
    head = {"bench": "stress", "model": model, "seeds": seeds, "items": items}
    return {**head, "summary": summarised(rows), "results": rows, "seconds": round(time.monotonic() - began, 1)}


def _done(name: str, task: Task) -> list[dict[str, Any]]:
    place = task.folder / "result.json"
    if not place.is_file():
        task.folder.mkdir(parents=True, exist_ok=True)
        write_json(place, SCENARIOS[name](task))
    held: list[dict[str, Any]] = read_json(place)
    return held


def summarised(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each setting's figures over seeds as {mean, deviation}, those that some seed has; `n` is the sum."""
    settings = dict.fromkeys((row["scenario"], row["setting"]) for row in rows)
    found = []
    for scenario, setting in _banded(list(settings)):
        mine = [row for row in rows if (row["scenario"], row["setting"]) == (scenario, setting)]
        names = [n for n in dict.fromkeys(n for row in mine for n in row) if n not in _KEYS]
        values = {n: [row[n] for row in mine if row.get(n) is not None] for n in names}
        spread = {
            n: {"mean": round(float(np.mean(v)), 4), "deviation": round(float(np.std(v, ddof=1)), 4) if v[1:] else None}
            for n, v in values.items()
            if v
        }
        head = {"scenario": scenario, "setting": setting, "seeds": len(mine), "n": sum(row["n"] for row in mine)}
        found.append({**head, **spread})
    return found


def _banded(settings: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put each setting's bands of cosine below it, in order: a band may first turn up in a later seed."""
    parted = [(scenario, *setting.partition(", cosine")) for scenario, setting in settings]
    groups = list(dict.fromkeys((scenario, base) for scenario, base, _, _ in parted))
    parted.sort(key=lambda one: (groups.index(one[:2]), one[3]))
    return [(scenario, base + mark + band) for scenario, base, mark, band in parted]


_KEYS = ("scenario", "setting", "seed", "n")
