"""Drops records that say exactly what an earlier one says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regold.fingerprint import digest
from regold.methods.similar import goes_on
from regold.record import Edit, Messages, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class DropDuplicates(Stage):
    """Keep the first in load order of records with equal turns and options, white space aside; drop the others.

    A turn of a conversation that goes on is never dropped: many conversations begin alike, and a conversation lives or
    dies with each of its turns. So a conversation is a duplicate only where it is one up to its last response.
    """

    name: ClassVar[str] = "duplicates"
    version: ClassVar[int] = 2
    fits: ClassVar[bool] = True

    async def fit(self, table: Table, ctx: Context) -> dict[str, str]:
        """Return the first record's id for each duplicate's id."""
        first: dict[str, str] = {}
        found: dict[str, str] = {}
        messages, options = table.column("messages"), table.column("options")
        ids = table.ids()
        for row in table.rows(self.on):
            id_ = ids[row]
            if goes_on(id_, "".join(ids[row + 1 : row + 2])) and len(messages[row + 1]) > len(messages[row]):
                continue
            original = first.setdefault(_content(messages[row], tuple(options[row] or ())), id_)
            if original != id_:
                found[id_] = original
        return found

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Drop the record if the fit found it to be a duplicate."""
        original = ctx.artifact.get(record.id)
        return Edit() if original is None else Edit(Status.DROPPED, f"exact duplicate of {original}")


def _content(messages: Messages, options: tuple[str, ...]) -> str:
    turns = [[m.role, _spaced(m.content), dict(m.extra)] for m in messages]
    return digest(turns, [_spaced(o) for o in options])


def _spaced(text: str) -> str:
    return " ".join(text.split())
