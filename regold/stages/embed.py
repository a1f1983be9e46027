"""Places each query, or each whole record, in the encoder's space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from regold.asking import conversation
from regold.engines.base import Encoder, Need
from regold.errors import RecipeError
from regold.record import Edit, Messages, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class EmbedQueries(Stage):
    """Note the vector of each record's query: h = Encoder(q) (RobustFT, eq. 4); the response does not enter."""

    name: ClassVar[str] = "embed"
    on: ClassVar[tuple[Status, ...]] = (
        Status.NEW,
        Status.CLEAN,
        Status.SUSPECT,
        Status.HIGH,
        Status.LOW,
        Status.REPAIRED,
    )
    fits: ClassVar[bool] = True
    needs: ClassVar[Mapping[str, frozenset[Need]]] = {"encoder": frozenset({Need.EMBED})}
    writes: ClassVar[Mapping[str, NoteType]] = {"embed.vector": NoteType.VECTOR}

    async def fit(self, table: Table, ctx: Context) -> Mapping[str, np.ndarray]:
        """Return what the encoder learns from all texts; nothing for most encoders."""
        return await _encoder(ctx).learn([self.text(table.messages(row)) for row in table.rows(self.on)])

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the vector."""
        vectors = await _encoder(ctx).encode([self.text(record.messages)], ctx.artifact)
        return Edit(notes={"embed.vector": vectors[0].tolist()})

    @staticmethod
    def text(messages: Messages) -> str:
        """Return what is embedded of a record."""
        return conversation(messages[:-1])


@dataclass(frozen=True)
class EmbedRecords(EmbedQueries):
    """Note the vector of each record's instruction, input and response together (ENTP)."""

    @staticmethod
    def text(messages: Messages) -> str:
        """Return what is embedded of a record."""
        return f"{conversation(messages[:-1])}\n\n{messages[-1].content}"


def _encoder(ctx: Context) -> Encoder:
    if ctx.engines.encoder is None:
        raise RecipeError("the recipe embeds its records, but there is no encoder: give one with --encoder")
    return ctx.engines.encoder
