"""Marks records that an encoder finds close to an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Interval

from regold.methods.alike import alike
from regold.methods.similar import goes_on
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table

LEAST = 0.5
"""Below this cosine nearly all records would be close."""


@dataclass(frozen=True)
class MarkSameMeaning(Stage):
    """Mark SUSPECT all records but the first in load order of those whose vectors are close."""

    threshold: Annotated[float, Interval(ge=0, le=1)] = 0.95
    """The cosine from which two records are close; what fits depends on the encoder. 0 marks none."""

    name: ClassVar[str] = "meaning"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    fits: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, NoteType]] = {"embed.vector": NoteType.VECTOR}

    def __post_init__(self) -> None:
        if 0 < self.threshold < LEAST:
            raise ValueError(f"threshold = {self.threshold:g}: {LEAST:g} or more, or 0, which marks none")

    async def fit(self, table: Table, ctx: Context) -> dict[str, list[Any]]:
        """Return for each such record's id the first record's id and their cosine."""
        if not self.threshold:
            return {}
        ids = table.ids()
        rows = [row for row in table.rows(self.on) if not goes_on(ids[row], "".join(ids[row + 1 : row + 2]))]
        found = alike(table.vectors("embed.vector", rows), self.threshold) if rows else {}
        return {ids[rows[a]]: [ids[rows[b]], round(cosine, 4)] for a, (b, cosine) in found.items()}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Mark the record if the fit found it to be close to another."""
        if record.id not in ctx.artifact:
            return Edit()
        first, cosine = ctx.artifact[record.id]
        return Edit(Status.SUSPECT, f"close in meaning to {first} (cosine {cosine:.2f})")
