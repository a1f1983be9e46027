"""Takes so many records by their scores, and drops the others: what every selection method ends with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class TakeBest(Stage):
    """Keep `count` records by the product of their scores, drop the rest (ENTP).

    Records without a score come last. Without scores the order is random; `spread` takes those farthest from all taken
    before (k-centre).
    """

    scores: tuple[str, ...] = ()
    """Full names of notes; several are multiplied."""
    count: Annotated[int, Gt(0)] = 1000
    order: Literal["highest", "lowest", "middle", "spread"] = "highest"
    ties: str = ""
    """The note that decides between equal scores, the highest first."""
    apart: Annotated[float, Ge(-1), Le(1)] = 1.0
    """Below 1, a record whose cosine to one already taken exceeds it waits till all others are taken (DEITA)."""

    name: ClassVar[str] = "take"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    fits: ClassVar[bool] = True

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The scores, and the vectors where distances count."""
        vector = {"embed.vector": NoteType.VECTOR} if self.order == "spread" or self.apart < 1 else {}
        return {**dict.fromkeys((*self.scores, *filter(None, [self.ties])), NoteType.NUMBER), **vector}

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Return each taken record's rank, from 0, and how many there were."""
        rows, ids = table.rows(self.on), table.ids()
        drawn = list(rows)
        ctx.chance("take").shuffle(drawn)
        if self.order == "spread":
            places = _spread(table.vectors("embed.vector", drawn), self.count)
            ranked = [drawn[place] for place in places]
        else:
            ranked = self._ranked(table, drawn)
            if self.apart < 1:
                ranked = [ranked[p] for p in _apart(table.vectors("embed.vector", ranked), self.apart, self.count)]
        return {"of": len(rows), "taken": {ids[row]: rank for rank, row in enumerate(ranked[: self.count])}}

    def _ranked(self, table: Table, rows: Sequence[int]) -> list[int]:
        columns = [table.column(name) for name in self.scores]
        ties = table.column(self.ties) if self.ties else None
        score = {row: _product([column[row] for column in columns]) for row in rows}
        known = [row for row in rows if score[row] is not None]
        sign = 1 if self.order == "lowest" else -1
        known.sort(key=lambda row: (sign * (score[row] or 0.0), -(ties[row] or 0.0) if ties else 0.0))
        if self.order == "middle":
            middle = (len(known) - 1) / 2
            known = [known[place] for place in sorted(range(len(known)), key=lambda place: abs(place - middle))]
        return [*known, *(row for row in rows if score[row] is None)]

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Keep or drop the record by its rank."""
        rank, of = ctx.artifact["taken"].get(record.id), ctx.artifact["of"]
        by = " x ".join(self.scores) or ("distance" if self.order == "spread" else "chance")
        if rank is None:
            return Edit(Status.DROPPED, f"not among the {self.count} of {of} taken by {by}, {self.order} first")
        return Edit(Status.CLEAN, f"rank {rank + 1} of {of} by {by}, {self.order} first")


def _product(values: Sequence[Any]) -> float | None:
    if any(value is None or not math.isfinite(value) for value in values):
        return None
    return float(math.prod(values))


def _spread(vectors: np.ndarray, count: int) -> list[int]:
    """Return places from farthest to nearest: each is the one least like all before it (Gonzalez 1985)."""
    if not len(vectors):
        return []
    chosen = [0]
    closest = vectors @ vectors[0]
    closest[0] = np.inf
    while len(chosen) < min(count, len(vectors)):
        place = int(np.argmin(closest))
        chosen.append(place)
        closest = np.maximum(closest, vectors @ vectors[place])
        closest[place] = np.inf
    return chosen


def _apart(vectors: np.ndarray, most: float, count: int) -> list[int]:
    """Return places in order, those too near to one taken before moved to the end."""
    taken: list[int] = []
    for place in range(len(vectors)):
        if len(taken) == count:
            break
        if not taken or float((vectors[taken] @ vectors[place]).max()) <= most:
            taken.append(place)
    left = set(taken)
    return [*taken, *(place for place in range(len(vectors)) if place not in left)]
