"""Marks records whose question an encoder finds close to one of an evaluation set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Interval

from regold.engines.base import Need
from regold.errors import RecipeError
from regold.formats import Row, read
from regold.methods.alike import closest
from regold.record import Edit, Messages, Record, Status
from regold.stage import Context, Files, Stage, numbered
from regold.store import Table


@dataclass(frozen=True)
class MarkCloseToEvaluation(Stage):
    """Mark SUSPECT every record whose question is close to a question of an evaluation file."""

    against: Files = ()
    """Files that `regold inspect` can read; their questions count, not their answers. None marks nothing."""
    threshold: Annotated[float, Interval(ge=0.5, le=1)] = 0.95

    name: ClassVar[str] = "close"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    fits: ClassVar[bool] = True

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """The encoder, where there is a file."""
        return {"encoder": frozenset({Need.EMBED})} if self.against else {}

    @property
    def files(self) -> Mapping[str, Path]:
        """The evaluation files."""
        return numbered(self.against, self.name)

    async def fit(self, table: Table, ctx: Context) -> dict[str, list[Any]]:
        """Return for each such record's id the evaluation question's file and id and their cosine."""
        if not self.against:
            return {}
        encoder = ctx.engines.encoder
        if encoder is None:
            raise RecipeError("the recipe compares questions, but there is no encoder: give one with --encoder")
        ids, rows = table.ids(), table.rows(self.on)
        asked = [_question(table.messages(row)) for row in rows]
        known = {
            f"{path.name} {row.id}": _question(row.messages)
            for path in self.against
            for row in read(path, on_bad_line="skip")
            if isinstance(row, Row)
        }
        if not asked or not known:
            return {}
        learned = await encoder.learn(asked)
        names = list(known)
        mine, theirs = await encoder.encode(asked, learned), await encoder.encode(list(known.values()), learned)
        found = closest(mine, theirs, self.threshold)
        return {ids[rows[a]]: [names[b], round(cosine, 4)] for a, (b, cosine) in found.items()}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Mark the record if the fit found its question to be close to one."""
        if record.id not in ctx.artifact:
            return Edit()
        name, cosine = ctx.artifact[record.id]
        return Edit(Status.SUSPECT, f"asks nearly what {name} asks (cosine {cosine:.2f})")


def _question(messages: Messages) -> str:
    return "\n".join(m.content for m in messages[:-1])
