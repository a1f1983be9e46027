"""Splits the pool by its ratings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage

CORRECT = 6
"""A response of lower correctness, of 10, is held to be wrong."""


@dataclass(frozen=True)
class PartitionByQuality(Stage):
    """Call a record HIGH or LOW by its value; one of high value that is wrong becomes SUSPECT (ENTP).

    For whole classes 0-5 the defaults say: HIGH from 3, LOW to 2. A record between two limits that leave a gap, and one
    without a rating, are named exclusions.
    """

    value: str = "rate.corrected"
    """The note that holds the value, 0-5."""
    correct: str = "rate.correct"
    """The note that holds the correctness, 1-10; empty where nobody rated it. A missing one does not count."""
    high: float = 2.5
    """HIGH from this value on."""
    low: float = 2.5
    """LOW below this value, and up to it where `high` is greater."""
    excluded: Literal["BORDERLINE", "DROPPED", "LOW"] = "BORDERLINE"
    """What becomes of records without a rating, or between the limits."""

    name: ClassVar[str] = "partition"
    writes: ClassVar[Mapping[str, NoteType]] = {"partition.part": NoteType.TEXT}

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low = {self.low:g} must not be above high = {self.high:g}")

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The ratings."""
        return {name: NoteType.NUMBER for name in (self.value, self.correct) if name}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Put the record into its part."""
        value, correct = _number(record, self.value), _number(record, self.correct)
        if value is None:
            return self._exclude("unrated", "it has no rating")
        if self.low < value < self.high:
            return self._exclude("between", f"value {value:g} is between {self.low:g} and {self.high:g}")
        if value < self.high:
            return _into("low", Status.LOW, f"value {value:g}, below {self.high:g}")
        if correct is not None and correct < CORRECT:
            return _into("suspect", Status.SUSPECT, f"value {value:g}, but correctness {correct:g} is below {CORRECT}")
        return _into("high", Status.HIGH, f"value {value:g}, not below {self.high:g}")

    def _exclude(self, part: str, why: str) -> Edit:
        return _into(part, Status(self.excluded), why)


def _number(record: Record, name: str) -> float | None:
    value = record.notes.get(name) if name else None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _into(part: str, status: Status, why: str) -> Edit:
    return Edit(status, why, notes={"partition.part": part})
