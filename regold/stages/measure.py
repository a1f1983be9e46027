"""Measures each record without a model: how long its response is, and how far it lies from its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Gt

from regold.methods.neighbours import MISSING, nearest
from regold.methods.terms import words
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class MeasureRecords(Stage):
    """Note the words of the response, and the mean cosine distance to the k nearest records (ENTP).

    Records of equal vectors count as one. What has no neighbour is at distance 1.
    """

    k: Annotated[int, Gt(0)] = 5

    name: ClassVar[str] = "measure"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    fits: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, NoteType]] = {"embed.vector": NoteType.VECTOR}
    writes: ClassVar[Mapping[str, NoteType]] = {"measure.words": NoteType.NUMBER, "measure.distance": NoteType.NUMBER}

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Return each record's distance."""
        rows, ids = table.rows(self.on), table.ids(self.on)
        vectors = table.vectors("embed.vector", rows)
        near, cosines = nearest(vectors, vectors, self.k)
        known = near != MISSING
        total = np.where(known, 1 - cosines, 0.0).sum(axis=1)
        means = np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), 1.0)
        return {id_: round(float(mean), 6) for id_, mean in zip(ids, means, strict=True)}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note both."""
        length, distance = float(len(words(record.response))), ctx.artifact[record.id]
        notes = {"measure.words": length, "measure.distance": distance}
        return Edit(reason=f"{length:g} words, distance {distance:.3f}", notes=notes)
