"""The lab's questions as data files, in the shapes that users have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regold.formats import write
from regold.lab.world import Item

WITHIN = "asks"
"""The column whose equal values share a pool of answers: all questions for a capital, say, or for a country."""


def write_items(path: Path, items: Sequence[Item]) -> None:
    """Write items as an instruction file, or as multiple choice where they have options; ids are their positions."""
    write(path, (_row(number, item) for number, item in enumerate(items)))


def _row(number: int, item: Item) -> dict[str, Any]:
    about = {"topic": item.topic, WITHIN: item.hops[-1][1] if item.hops and item.kind != "backward" else item.kind}
    if item.options:
        return {
            "id": str(number),
            "question": item.question,
            "options": list(item.options),
            "answer": item.answer,
            **about,
        }
    return {"id": str(number), "instruction": item.question, "input": "", "output": item.answer, **about}
