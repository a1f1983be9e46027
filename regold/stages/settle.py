"""Settles the pairs: what became of a partner whose lead was fused, or was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class SettlePairs(Stage):
    """Mark a partner MERGED into its fused lead; give it back its former status where the fusion was not accepted."""

    name: ClassVar[str] = "settle"
    version: ClassVar[int] = 2
    on: ClassVar[tuple[Status, ...]] = (Status.LOW,)
    fits: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, NoteType]] = {
        "pair.partner": NoteType.TEXT,
        "pair.lead": NoteType.FLAG,
        "fuse.outcome": NoteType.TEXT,
    }

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Return each partner's [lead, whether the lead was fused, what became of it], and how often each came up."""
        ids, status = table.ids(), table.column("status")
        partner, leads, outcome = (table.column(name) for name in self.reads)
        settled = {
            partner[row]: [ids[row], status[row] == Status.FUSED, outcome[row] or str(status[row])]
            for row in range(len(table))
            if partner[row] is not None and leads[row]
        }
        ends = Counter(end for _, _, end in settled.values()).most_common()
        told = [f"{len(settled)} pairs: {', '.join(f'{count} {end}' for end, count in ends)}"] if ends else []
        return {"partners": settled, "told": told}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Settle a partner; leads are settled already."""
        settled = ctx.artifact["partners"].get(record.id)
        if settled is None:
            return Edit()
        lead, fused, outcome = settled
        if fused:
            return Edit(Status.MERGED, f"fused into {lead}", into=lead)
        return Edit(Status.LOW, f"keeps its fate: the pair with {lead} was not fused ({outcome})")
