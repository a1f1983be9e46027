"""Clusters the weak records, so that only what belongs together is fused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from regold.methods.clusters import cluster, domain_words, one_hop_groups
from regold.methods.terms import telling_words
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class ClusterRecords(Stage):
    """Note each LOW record's cluster, its words, and its group of direct neighbours (ENTP).

    k-means runs within each source; k has the largest mean silhouette on at most 10,000 records. A group is a seed and
    its neighbours of cosine `tau` or more, seeds taken from the cluster's centre outwards.
    """

    k: Annotated[int, Ge(0)] = 0
    """Clusters a source; 0 lets the silhouette choose."""
    most: Annotated[int, Gt(1)] = 64
    """The largest k that is tried."""
    tau: Annotated[float, Ge(-1), Le(1)] = 0.5
    by: str = "file"
    """What tells sources apart: the file a record came from, or the full name of a TEXT note; empty for one source."""

    name: ClassVar[str] = "cluster"
    version: ClassVar[int] = 2
    on: ClassVar[tuple[Status, ...]] = (Status.LOW,)
    fits: ClassVar[bool] = True
    writes: ClassVar[Mapping[str, NoteType]] = {
        "cluster.label": NoteType.TEXT,
        "cluster.group": NoteType.TEXT,
        "cluster.cosine": NoteType.NUMBER,
        "cluster.words": NoteType.TEXTS,
    }

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The vectors, and the note that tells sources apart."""
        noted = {self.by: NoteType.TEXT} if self.by not in ("", "file") else {}
        return {"embed.vector": NoteType.VECTOR, **noted}

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Return each record's [label, id of its group's seed, cosine to the centroid], and what the labels mean."""
        rows, ids = table.rows(self.on), table.ids()
        sources: dict[str, list[int]] = {}
        column = table.column(self.by) if self.by else None
        for row in rows:
            sources.setdefault(PurePath(str(column[row])).name if column and column[row] else "all", []).append(row)
        found: dict[str, Any] = {"records": {}, "words": {}, "silhouettes": {}}
        for source, own in sorted(sources.items()):
            self._cluster(table, ids, source, own, ctx.seed, found)
        return found

    def _cluster(
        self, table: Table, ids: list[str], source: str, rows: list[int], seed: int, found: dict[str, Any]
    ) -> None:
        vectors = table.vectors("embed.vector", rows)
        done = cluster(vectors, self.k or None, seed, self.most)
        found["silhouettes"][source] = {str(k): round(value, 4) for k, value in done.silhouettes.items()}
        words = domain_words((_words(table, row) for row in rows), done.labels)
        for number in range(done.k):
            label, places = f"{source}/{number}", np.flatnonzero(done.labels == number)
            cosines = vectors[places] @ done.centroids[number]
            seeds = one_hop_groups(vectors[places], self.tau, np.argsort(-cosines, kind="stable").tolist())
            found["words"][label] = words[number]
            for place, group, cosine in zip(places.tolist(), seeds.tolist(), cosines.tolist(), strict=True):
                found["records"][ids[rows[place]]] = [label, ids[rows[places[group]]], round(cosine, 6)]

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note where the record belongs."""
        label, group, cosine = ctx.artifact["records"][record.id]
        words = ctx.artifact["words"][label]
        notes = {"cluster.label": label, "cluster.group": group, "cluster.cosine": cosine, "cluster.words": words}
        return Edit(reason=f"cluster {label} ({', '.join(words[:5])})", notes=notes)


def _words(table: Table, row: int) -> frozenset[str]:
    return frozenset().union(*(telling_words(m.content) for m in table.messages(row)))
