"""Plans which two weak records are fused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Le

from regold.methods.clusters import pair_nearest
from regold.record import Edit, Messages, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table

UNPICKED = "not picked: pick.share takes an even number of each cluster"
UNFIT = "has several turns or options: not fused"
ALONE = "alone in its group: no other picked record is near"
ODD = "the odd one of its group: all others have a partner"
SAME = "all that are free in its group say the same"


@dataclass(frozen=True)
class PairRecords(Stage):
    """Pair each picked record with the nearest free one of its group; each stands in one pair at most (ENTP).

    The better rated of the two leads: the fused record takes its place. Conversations of several turns, system prompts
    and records with options are not paired.
    """

    how: Literal["nearest", "random"] = "nearest"
    """`random` draws partners from all picked records, whatever their group: the arm that shows what groups are for."""
    within: str = "cluster.group"
    """The note whose equal values make a group; `cluster.label` for the whole cluster."""
    value: str = "rate.corrected"
    """The note that tells which of two is better."""
    ceiling: Annotated[float, Le(2)] = 0.98
    """Records whose cosine reaches this say the same and are not paired."""

    name: ClassVar[str] = "pair"
    version: ClassVar[int] = 2
    on: ClassVar[tuple[Status, ...]] = (Status.LOW,)
    fits: ClassVar[bool] = True
    writes: ClassVar[Mapping[str, NoteType]] = {
        "pair.partner": NoteType.TEXT,
        "pair.lead": NoteType.FLAG,
        "pair.cosine": NoteType.NUMBER,
    }

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """Picks, groups, vectors and values."""
        picked = {"pick.rank": NoteType.INTEGER, "pick.chosen": NoteType.FLAG, "embed.vector": NoteType.VECTOR}
        return {**picked, self.within: NoteType.TEXT, self.value: NoteType.NUMBER}

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Return for each paired record [partner, whether it leads, cosine], and why each other one has no partner."""
        ids, chosen, rank = table.ids(), table.column("pick.chosen"), table.column("pick.rank")
        value, group, options = table.column(self.value), table.column(self.within), table.column("options")
        weak = table.rows(self.on)
        alone = {ids[r]: UNFIT if chosen[r] else UNPICKED for r in weak}
        rows = [r for r in weak if chosen[r] and not options[r] and _plain(table.messages(r)) and not _goes_on(ids, r)]
        rows.sort(key=lambda r: (rank[r], ids[r]))
        vectors = table.vectors("embed.vector", rows)
        groups = ["all" if self.how == "random" else str(group[r]) for r in rows]
        plan: dict[str, list[Any]] = {}
        for one, other, cosine in self._pairs(vectors, groups, ctx):
            better = max(
                rows[one], rows[other], key=lambda r: (value[r] if value[r] is not None else -1.0, -rank[r], ids[r])
            )
            for mine, theirs in ((rows[one], rows[other]), (rows[other], rows[one])):
                plan[ids[mine]] = [ids[theirs], mine == better, round(cosine, 6)]
        alone |= _left([ids[r] for r in rows], groups, plan)
        alone = {id_: why for id_, why in alone.items() if id_ not in plan}
        return {"pairs": plan, "alone": alone, "told": _told(len(weak), len(plan) // 2, alone)}

    def _pairs(self, vectors: Any, groups: list[str], ctx: Context) -> Iterator[tuple[int, int, float]]:
        order = list(range(len(groups)))
        if self.how == "nearest":
            yield from pair_nearest(vectors, groups, order, self.ceiling)
            return
        ctx.chance("pair").shuffle(order)
        for place, (one, other) in enumerate(pairwise(order)):
            if place % 2 == 0:
                yield one, other, float(vectors[one] @ vectors[other])

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the record's partner, or why it has none."""
        planned = ctx.artifact["pairs"].get(record.id)
        if planned is not None:
            partner, leads, cosine = planned
            notes = {"pair.partner": partner, "pair.lead": leads, "pair.cosine": cosine}
            return Edit(reason=f"{'leads' if leads else 'follows'} {partner}, cosine {cosine:.2f}", notes=notes)
        why = ctx.artifact["alone"][record.id]
        return Edit() if why == UNPICKED else Edit(Status.LOW, f"no partner: {why}")


def _left(ids: Sequence[str], groups: Sequence[str], plan: Mapping[str, Any]) -> dict[str, str]:
    """Return why those that could be paired were not; two of a group are left only where they say the same."""
    sizes = Counter(groups)
    left = {id_: group for id_, group in zip(ids, groups, strict=True) if id_ not in plan}
    most = Counter(left.values())
    return {id_: ALONE if sizes[g] == 1 else SAME if most[g] > 1 else ODD for id_, g in left.items()}


def _told(weak: int, pairs: int, alone: Mapping[str, str]) -> list[str]:
    lines = [f"weak records {weak}, pairs to fuse {pairs}, without a partner {len(alone)}"]
    lines += [f"{count} without a partner: {why}" for why, count in Counter(alone.values()).most_common()]
    if weak and not pairs:
        lines.append(
            "nothing can be fused: a larger pool, a lower cluster.tau or pair.within=cluster.label gives partners"
        )
    return lines


def _plain(messages: Messages) -> bool:
    return [m.role for m in messages] == ["user", "assistant"] and not any(m.extra for m in messages)


def _goes_on(ids: list[str], row: int) -> bool:
    """Return whether a record is the first turn of a conversation that goes on, `x#0` before `x#1`."""
    whole, mark, turn = ids[row].rpartition("#")
    return bool(mark) and turn == "0" and ids[row + 1 : row + 2] == [f"{whole}#1"]
