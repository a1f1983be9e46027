"""Keeps the repaired records whose new label the model is surest of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class KeepConfident(Stage):
    """Keep the `share` of repaired records with the lowest mean NLL; drop the rest (RobustFT, eq. 8).

    The mean NLL is -1/N sum_j log p(y_j | context), in nats per token (eq. 7). Records whose given response the review
    confirmed compete with the others, and become CLEAN where they are kept.
    """

    share: Annotated[float, Ge(0), Le(1)] = 0.5
    score: str = "review.mean_nll"
    """`relabel.mean_nll` is the paper's eq. 7 to the letter."""

    name: ClassVar[str] = "select"
    on: ClassVar[tuple[Status, ...]] = (Status.REPAIRED,)
    fits: ClassVar[bool] = True

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The score and whether the response changed."""
        return {self.score: NoteType.NUMBER, "review.changed": NoteType.FLAG}

    async def fit(self, table: Table, ctx: Context) -> dict[str, int]:
        """Return the rank of each repaired record, from 0; equal scores by id, missing scores last."""
        return {id_: rank for rank, id_ in enumerate(table.ids(self.on, order_by=(self.score, "id")))}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Keep or drop the record by its rank."""
        rank, of = ctx.artifact[record.id], len(ctx.artifact)
        score = record.notes[self.score]
        said = f"{self.score} {'missing' if score is None else f'{score:.4f}'}, rank {rank + 1} of {of}"
        if rank >= int(self.share * of + 1e-9):
            return Edit(Status.DROPPED, f"{said}: not among the most confident {self.share:.0%}")
        confirmed = record.notes["review.changed"] is False
        return Edit(
            Status.CLEAN if confirmed else None, f"{said}: kept{', given response confirmed' if confirmed else ''}"
        )
