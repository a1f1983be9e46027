"""Judges that can judge: the lab's model never learnt to compare answers, so it is tuned to, on other pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from regold.bench.stress.pairs import Pair, pairs
from regold.bench.stress.task import ELSEWHERE, Task
from regold.formats import write
from regold.lab.ground import MODEL
from regold.output import training_rows
from regold.train import TrainSettings, train

SETTINGS = TrainSettings(full=True, epochs=4, learning_rate=1e-3, batch_size=32)
PART, MOST = 250, 1000
"""Questions drawn from one part of the world; questions in all, two pairs each."""


def tuned_judge(task: Task, name: str, texts: Sequence[str]) -> Path:
    """Return the lab's model tuned to say SAME or DIFFERENT of sentences, in wordings drawn from `texts`.

    One judge serves every seed of a bench; what is tuned once is kept.
    """
    place = task.folder.parent.parent / "judges" / name
    if not (place / "train.json").is_file():
        data = place.with_suffix(".jsonl")
        data.parent.mkdir(parents=True, exist_ok=True)
        rng = Random(f"judge:{name}")
        made = _lessons(task.items)
        write(data, [_lesson(n, pair, rng.choice(texts)) for n, pair in enumerate(made)])
        train(str(MODEL), training_rows(data), place, SETTINGS, merge=True)
    return place


def unseen(made: Sequence[Pair], items: int) -> list[Pair]:
    """Return the pairs of which no tuned judge was taught the very two answers; it may know the fact."""
    taught = {(pair.first, pair.second) for pair in _lessons(items)}
    return [pair for pair in made if (pair.first, pair.second) not in taught]


def _lessons(tested: int) -> list[Pair]:
    items = min(MOST, 12 * tested)
    parts = [pairs(min(PART, items - at), ELSEWHERE + n) for n, at in enumerate(range(0, items, PART))]
    return [pair for part in parts for pair in part if pair.kind == "sentence"]


def _lesson(number: int, pair: Pair, text: str) -> dict[str, str]:
    shown = text.replace("{{query}}", pair.query).replace("{{first}}", pair.first).replace("{{second}}", pair.second)
    return {"id": str(number), "instruction": shown, "output": "SAME" if pair.same else "DIFFERENT"}
