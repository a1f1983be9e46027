"""Picks the weak records that stand for their clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from regold.methods.clusters import mmr
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class PickRepresentatives(Stage):
    """Pick a share of each cluster by maximal marginal relevance; the others stay LOW (ENTP)."""

    share: Annotated[float, Gt(0), Le(1)] = 0.9
    """Of each cluster; an even number, and at least two."""
    weight: Annotated[float, Ge(0), Le(1)] = 0.6
    """Lambda: 1 picks what lies nearest to the centroid, 0 what is unlike all picked before."""

    name: ClassVar[str] = "pick"
    on: ClassVar[tuple[Status, ...]] = (Status.LOW,)
    fits: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, NoteType]] = {"cluster.label": NoteType.TEXT, "embed.vector": NoteType.VECTOR}
    writes: ClassVar[Mapping[str, NoteType]] = {"pick.rank": NoteType.INTEGER, "pick.chosen": NoteType.FLAG}

    async def fit(self, table: Table, ctx: Context) -> dict[str, int]:
        """Return the rank of each picked record in its cluster, from 0."""
        ids, labels = table.ids(), table.column("cluster.label")
        clusters: dict[str, list[int]] = {}
        for row in table.rows(self.on):
            clusters.setdefault(labels[row], []).append(row)
        ranks: dict[str, int] = {}
        for _, rows in sorted(clusters.items()):
            vectors = table.vectors("embed.vector", rows)
            mean = vectors.mean(axis=0)
            centroid = mean / max(float(np.linalg.norm(mean)), 1e-12)
            count = max(2, round(self.share * len(rows)) // 2 * 2)
            ranks |= {
                ids[rows[row]]: rank for rank, row in enumerate(mmr(vectors, centroid, count, self.weight).tolist())
            }
        return ranks

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the record's rank, or that it was not picked."""
        rank, label = ctx.artifact.get(record.id), record.notes["cluster.label"]
        if rank is None:
            return Edit(Status.LOW, f"not picked to stand for cluster {label}", notes={"pick.chosen": False})
        return Edit(reason=f"pick {rank + 1} of cluster {label}", notes={"pick.rank": rank, "pick.chosen": True})
