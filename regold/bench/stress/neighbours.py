"""Scenarios: clean neighbours withheld, and clean records from elsewhere; repair by how near the nearest one is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from regold.bench.stress.lab import Outcome, repair, share, write_clean, write_noisy
from regold.bench.stress.task import ELSEWHERE, Task
from regold.formats import NOISE, TRUTH, write
from regold.lab.data import write_items
from regold.lab.world import World
from regold.record import Fate

RATE = 0.5
EDGES = (0.0, 0.7, 0.8, 0.9, 0.95, 1.01)
"""Bins of the cosine between a suspect and its nearest clean neighbour."""


def withheld(task: Task) -> list[dict[str, Any]]:
    """Repair a data set as it is, then without any clean record on the topics of half of the noisy ones.

    Both are measured on the noisy records of those topics.
    """
    clean = write_clean(task.folder / "clean.jsonl", task.items, task.seed)
    noisy = write_noisy(clean, task.folder / "noisy.jsonl", RATE, "symmetric", task.seed)
    rows = _rows(noisy)
    topics = sorted({row["topic"] for row in rows if row[NOISE]})
    chosen = set(Random(task.seed).sample(topics, len(topics) // 2))
    targets = {row["id"] for row in rows if row[NOISE] and row["topic"] in chosen}
    less = task.folder / "withheld.jsonl"
    write(less, [row for row in rows if row[NOISE] or row["topic"] not in chosen])
    return _compared(task, {"clean neighbours present": noisy, "clean neighbours withheld": less}, targets.__contains__)


def domain_shift(task: Task) -> list[dict[str, Any]]:
    """Repair noisy records beside clean ones from the same countries, from other countries, or about other things."""
    half = task.items // 2
    clean = write_clean(task.folder / "clean.jsonl", task.items, task.seed)
    rows = _rows(write_noisy(clean, task.folder / "noisy.jsonl", RATE, "symmetric", task.seed))
    away = write_clean(task.folder / "away.jsonl", half, task.seed + ELSEWHERE)
    wire = task.folder / "wire.jsonl"
    write_items(wire, World().items("wire", half, task.seed, "train"))
    same = [row for row in rows if not row[NOISE]]
    beside = {"same countries": same, "other countries": _rows(away), "other task": _rows(wire)}
    bad = [{**row, "id": f"bad-{row['id']}"} for row in rows if row[NOISE]]
    files = {
        name: _written(task.folder / f"{name.replace(' ', '-')}.jsonl", [*bad, *(_clean(row) for row in others)])
        for name, others in beside.items()
    }
    return _compared(task, files, lambda id_: id_.startswith("bad-"))


def _clean(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "id": f"clean-{row['id']}", NOISE: None, TRUTH: row["output"]}


def _compared(task: Task, files: dict[str, Path], target: Callable[[str], bool]) -> list[dict[str, Any]]:
    found = []
    for setting, data in files.items():
        done = repair(data, task.folder / data.stem, task.seed)
        mine = [o for o in done if target(o.id) and o.suspect]
        found.append({"setting": setting, **_repairs(mine)})
        found += [
            {"setting": f"{setting}, cosine {low:g}-{min(high, 1):g}", **_repairs(some)}
            for low, high in pairwise(EDGES)
            if (some := [o for o in mine if low <= (o.similarity or 0) < high])
        ]
    return found


def _repairs(suspects: Sequence[Outcome]) -> dict[str, Any]:
    repaired = [o for o in suspects if o.fate == Fate.REPAIRED]
    return {
        "n": len(suspects),
        "context_right": share(bool(o.context_right) for o in suspects),
        "repaired": len(repaired) / len(suspects) if suspects else None,
        "repaired_right": share(o.right for o in repaired),
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _written(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    write(path, rows)
    return path
