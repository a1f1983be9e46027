"""Marks records whose question has another answer elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from regold.methods.similar import contradictions, plainly
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table

MOST = 5


@dataclass(frozen=True)
class MarkContradictions(Stage):
    """Mark SUSPECT all records that ask the same words and answer with other words than another record."""

    name: ClassVar[str] = "contradictions"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    version: ClassVar[int] = 2
    fits: ClassVar[bool] = True

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """The ids of the records that answer otherwise, five at most."""
        return {"contradictions.with": NoteType.TEXTS}

    async def fit(self, table: Table, ctx: Context) -> dict[str, list[str]]:
        """Return for each such record's id the ids that answer otherwise."""
        ids, rows = table.ids(), table.rows(self.on)
        messages = [table.messages(row) for row in rows]
        options = table.column("options")
        questions = [
            plainly("\n".join([*(m.content for m in turns[:-1]), *(options[row] or ())]))
            for row, turns in zip(rows, messages, strict=True)
        ]
        found = contradictions(questions, [plainly(turns[-1].content) for turns in messages])
        return {ids[rows[a]]: [ids[rows[b]] for b in others[:MOST]] for a, others in found.items()}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Mark the record if the fit found it to be one of them."""
        others = ctx.artifact.get(record.id)
        if not others:
            return Edit()
        named = ", ".join(others)
        return Edit(
            Status.SUSPECT, f"the same question is answered otherwise in {named}", notes={"contradictions.with": others}
        )
