"""Scenario: every kind of noise against the same recipe."""

from __future__ import annotations

from typing import Any

from regold.bench.stress.lab import measured, repair, write_clean, write_noisy
from regold.bench.stress.task import Task

RATE = 0.3
KINDS = {
    "symmetric": ("symmetric", None),
    "pair": ("pair", None),
    "model": ("model", None),
    "free text": ("free-text", None),
    "instruction": ("instruction", None),
    "structured by topic": ("structured", "topic"),
    "coordinated answers": ("structured", None),
    "adversarial": ("adversarial", None),
}


def noise_kinds(task: Task) -> list[dict[str, Any]]:
    """Repair a data set of which 30 % are wrong, once for each kind of noise."""
    clean = write_clean(task.folder / "clean.jsonl", task.items, task.seed)
    found = []
    for setting, (kind, by) in KINDS.items():
        place = task.folder / setting.replace(" ", "-")
        noisy = write_noisy(clean, place / "noisy.jsonl", RATE, kind, task.seed, by)
        found.append({"setting": setting, "n": task.items, **measured(repair(noisy, place / "run", task.seed))})
    return found
