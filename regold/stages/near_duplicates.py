"""Drops records that say nearly what an earlier one says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Interval

from regold.methods.similar import goes_on, near_duplicates, sketch
from regold.record import Edit, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class DropNearDuplicates(Stage):
    """Keep the first in load order of records whose turns share most of their three-word runs; drop the others.

    Of a conversation only the last turn is compared: it holds the others.
    """

    threshold: Annotated[float, Interval(ge=0.5, le=1)] = 0.8
    """The Jaccard similarity from which a record is a duplicate; MinHash finds the pairs to compare."""

    name: ClassVar[str] = "near"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    version: ClassVar[int] = 2
    fits: ClassVar[bool] = True

    async def fit(self, table: Table, ctx: Context) -> dict[str, str]:
        """Return the first record's id for each duplicate's id."""
        ids = table.ids()
        rows = [row for row in table.rows(self.on) if not goes_on(ids[row], "".join(ids[row + 1 : row + 2]))]
        found = sketch("\n".join(m.content for m in table.messages(row)) for row in rows)
        return {ids[rows[a]]: ids[rows[b]] for a, b in near_duplicates(found, self.threshold).items()}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Drop the record if the fit found it to be a duplicate."""
        original = ctx.artifact.get(record.id)
        return Edit() if original is None else Edit(Status.DROPPED, f"near duplicate of {original}")
