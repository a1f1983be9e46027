"""Takes scores that someone else gave: ratings, IFD, influence, a reward model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MinLen

from regold.errors import InputError, RecipeError
from regold.formats.rows import WEIGHT
from regold.formats.scores import join_scores
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table

TOLD = 3
"""Faults of a score file that the end of a run tells."""


@dataclass(frozen=True)
class ImportNotes(Stage):
    """Note the numbers that a jsonl, json, csv or parquet file holds for each record; what it lacks stays missing."""

    file: Path
    columns: Annotated[Mapping[str, str], MinLen(1)]
    """The note that each column becomes, such as {llama = "rate.value"}; `loss_weight` is the record's weight."""
    by: Literal["id", "row"] = "id"
    """By the id in the column `key`, or the n-th row for the n-th record."""
    key: str = "id"

    name: ClassVar[str] = "import"
    version: ClassVar[int] = 2
    fits: ClassVar[bool] = True
    on: ClassVar[tuple[Status, ...]] = (
        Status.NEW,
        Status.CLEAN,
        Status.SUSPECT,
        Status.HIGH,
        Status.LOW,
        Status.REPAIRED,
    )

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """A number for each column that becomes a note."""
        return {note: NoteType.NUMBER for note in self.columns.values() if note != WEIGHT}

    @property
    def files(self) -> Mapping[str, Path]:
        """The score file. Raises RecipeError where there is none."""
        if not self.file.is_file():
            raise RecipeError(f"step import: there is no score file {self.file}")
        return {"file": self.file}

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Return the scores by record id, and the counts of what did not fit. Raises InputError where nothing fits.

        A weight below 0 is refused too.
        """
        joined = join_scores(self.file, list(self.columns), table.ids(), self.by, self.key)
        for id_, values in joined.scores.items():
            weight = dict(zip(self.columns.values(), values, strict=True)).get(WEIGHT)
            if weight is not None and weight < 0:
                raise InputError(f"the {WEIGHT} of {id_!r} is {weight:g}, expected at least 0", self.file)
        return {
            "counts": joined.counts(),
            "faults": joined.faults,
            "scores": joined.scores,
            "told": [joined.told(), *joined.faults[:TOLD]],
        }

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the record's scores."""
        values = ctx.artifact["scores"].get(record.id)
        if values is None:
            return Edit(reason="the score file has no score for it, or several that contradict each other")
        notes = dict(zip(self.columns.values(), values, strict=True))
        reason = ", ".join(f"{n} {'missing' if v is None else f'{v:g}'}" for n, v in notes.items())
        weight = notes.pop(WEIGHT, None)
        return Edit(reason=reason, notes=notes, weight=weight)
