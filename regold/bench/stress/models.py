"""Scenarios: views by a second model, and two rounds in which the tuned model checks the data again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from regold.bench.stress.lab import SET, Outcome, lab_engine, measured, repair, write_clean, write_noisy
from regold.bench.stress.task import ELSEWHERE, Task
from regold.engines import open_engine
from regold.evaluate import Question, evaluate
from regold.formats import read_rows
from regold.lab.data import write_items
from regold.lab.demo import SETTINGS
from regold.lab.ground import MODEL
from regold.lab.world import World
from regold.output import training_rows
from regold.prompts import load_prompts
from regold.train import TrainSettings, train

RATE = 0.5
TEST_ITEMS = 400


def second_model(task: Task) -> list[dict[str, Any]]:
    """Take the reasoned view, or both, from another checkpoint: the lab's, tuned on another part of the world."""
    clean = write_clean(task.folder / "clean.jsonl", task.items, task.seed)
    noisy = write_noisy(clean, task.folder / "noisy.jsonl", RATE, "symmetric", task.seed)
    other = write_clean(task.folder / "other.jsonl", task.items, task.seed + ELSEWHERE)
    second = _tuned(other, task.folder / "second", task.seed)
    settings = {
        "both views by the student": (),
        "reasoned view by a second model": ("reason.role=second",),
        "base view by a second model": ("base.role=second",),
        "both views by a second model": ("base.role=second", "reason.role=second"),
    }
    found = []
    for setting, sets in settings.items():
        done = repair(noisy, task.folder / setting.replace(" ", "-"), task.seed, sets, second=second if sets else None)
        found.append({"setting": setting, "n": task.items, **measured(done)})
    return found


def two_rounds(task: Task) -> list[dict[str, Any]]:
    """Repair and tune; then let the tuned model check and repair the same noisy data, and tune the first model anew."""
    clean = write_clean(task.folder / "clean.jsonl", task.items, task.seed)
    noisy = write_noisy(clean, task.folder / "noisy.jsonl", RATE, "symmetric", task.seed)
    test = task.folder / "test.jsonl"
    write_items(test, World().items(SET, TEST_ITEMS, task.seed, "test"))
    oracle = _accuracy(_tuned(clean, task.folder / "oracle", task.seed), test)
    found: list[dict[str, Any]] = [
        {"setting": "untuned", "n": task.items, "accuracy": _accuracy(MODEL, test)},
        {"setting": "clean oracle", "n": task.items, "accuracy": oracle},
    ]
    student, before = MODEL, list[Outcome]()
    for number in (1, 2):
        place = task.folder / f"round-{number}"
        done = repair(noisy, place / "run", task.seed, student=student)
        student = _tuned(place / "run", place / "tuned", task.seed)
        row = {"setting": f"round {number}", "n": task.items, "accuracy": _accuracy(student, test), **measured(done)}
        found.append({**row, "same_verdict": _same_verdict(before, done)})
        before = done
    return found


def _same_verdict(before: list[Outcome], after: list[Outcome]) -> float | None:
    if not before:
        return None
    return float(np.mean([a.suspect == b.suspect for a, b in zip(before, after, strict=True)]))


def _accuracy(model: Path, test: Path) -> float:
    async def answered() -> float:
        engine = open_engine(lab_engine(model))
        try:
            questions = [Question.of(row) for row in read_rows(test)]
            return (await evaluate(engine, questions, load_prompts("lab"), max_tokens=16)).accuracy
        finally:
            await engine.close()

    return asyncio.run(answered())


def _tuned(data: Path, out: Path, seed: int) -> Path:
    train(str(MODEL), training_rows(data), out, TrainSettings(**SETTINGS, seed=seed), merge=True)
    return out
