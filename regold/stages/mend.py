"""Rewrites weak records one by one: what fusing two into one is compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from regold.engines.base import Need
from regold.fusing import MEND_PROMPTS, Fusion, Limits, mend_one, refine_one, source_of
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage


@dataclass(frozen=True)
class MendRecords(Stage):
    """Write the responses of picked LOW records anew; one that comes out better becomes REPAIRED (ENTP).

    `checklist` keeps the version of least loss, and only one that is sound. `feedback` is Self-Refine (arXiv
    2303.17651): the model's own remarks, however worded, lead to the next version, and the last one stands.
    """

    how: Literal["checklist", "feedback"] = "checklist"
    rounds: Annotated[int, Ge(0)] = 2
    growth: Annotated[float, Gt(0)] = 3.0
    max_tokens: Annotated[int, Gt(0)] = 2048

    name: ClassVar[str] = "mend"
    version: ClassVar[int] = 2
    on: ClassVar[tuple[Status, ...]] = (Status.LOW,)
    prompts: ClassVar[tuple[str, ...]] = MEND_PROMPTS
    needs: ClassVar[Mapping[str, frozenset[Need]]] = {
        "student": frozenset({Need.GENERATE}),
        "judge": frozenset({Need.GENERATE}),
    }
    reads: ClassVar[Mapping[str, NoteType]] = {"pick.chosen": NoteType.FLAG}
    writes: ClassVar[Mapping[str, NoteType]] = {"mend.outcome": NoteType.TEXT, "mend.story": NoteType.TEXT}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """A check of each version, and the versions."""
        both = lengths.query + lengths.response
        writes = Spend("student", self.rounds, self.rounds * both, self.rounds * lengths.response)
        return (writes, Spend("judge", 1 + self.rounds, (1 + self.rounds) * both, (1 + self.rounds) * 60.0))

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Mend one picked record of a single turn."""
        if not record.notes["pick.chosen"]:
            return Edit()
        if len(record.messages) != 2 or record.options:
            return Edit(Status.LOW, "has several turns or options: not mended")
        limits = Limits(self.rounds, self.max_tokens, self.growth)
        work = mend_one if self.how == "checklist" else refine_one
        done = await work(ctx, source_of(record, ""), limits)
        notes = {"mend.outcome": done.outcome, "mend.story": json.dumps(done.story(), ensure_ascii=False)}
        if done.final is None:
            return Edit(Status.LOW, done.reason, notes=notes)
        return Edit(Status.REPAIRED, done.reason, record.answered(_response(done)), notes)


def _response(done: Fusion) -> str:
    return done.final.response if done.final else ""
