"""Fuses each planned pair of weak records into a strong one, if the checklist can vouch for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from regold.engines.base import Need
from regold.fusing import FUSE_PROMPTS, Fusion, Limits, fuse_pair
from regold.record import Edit, Messages, Note, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage

USED = 0.125
"""The share of the rounds, over both cycles, that a pair is expected to use."""


@dataclass(frozen=True)
class FusePairs(Stage):
    """Fuse a pair's lead with its partner in two cycles, merge and answer, under a checklist (ENTP).

    The lead becomes FUSED where the best version has no major fault left. Else, with `mend`, the lead alone is repaired
    in the same way; and where that fails too, both records keep their former fate.
    """

    rounds: Annotated[int, Ge(0)] = 2
    """Attempts in each cycle to lower the loss; 0 is a merge without a loop."""
    mend: bool = True
    """Whether a pair that does not fuse gives its lead a repair of its own."""
    growth: Annotated[float, Gt(0)] = 3.0
    """How many times the words of both sources' responses a fused response may have; 400 words are never too many."""
    max_tokens: Annotated[int, Gt(0)] = 2048

    name: ClassVar[str] = "fuse"
    version: ClassVar[int] = 3
    on: ClassVar[tuple[Status, ...]] = (Status.LOW,)
    prompts: ClassVar[tuple[str, ...]] = FUSE_PROMPTS
    needs: ClassVar[Mapping[str, frozenset[Need]]] = {
        "student": frozenset({Need.GENERATE}),
        "judge": frozenset({Need.GENERATE}),
    }
    reads: ClassVar[Mapping[str, NoteType]] = {"pair.partner": NoteType.TEXT, "pair.lead": NoteType.FLAG}
    writes: ClassVar[Mapping[str, NoteType]] = {
        "fuse.outcome": NoteType.TEXT,
        "fuse.parents": NoteType.TEXTS,
        "fuse.templates": NoteType.TEXTS,
        "fuse.loss": NoteType.VECTOR,
        "fuse.coverage": NoteType.NUMBER,
        "fuse.stopped": NoteType.TEXTS,
        "fuse.story": NoteType.TEXT,
    }

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Half of the weak records lead a pair: two answers, a merge, a diagnosis, a check; an eighth of the rounds.

        Every further version is written and judged; a version holds what both parents do.
        """
        both = 2 * (lengths.query + lengths.response)
        again = USED * 2 * self.rounds
        writes = (2 + 2 * (1 + again)) * lengths.response
        student = Spend("student", (3 + again) / 2, (1 + 2 * (1 + again)) * both / 2, writes / 2)
        return (student, Spend("judge", (2 + again) / 2, (2 + again) * both, (2 + again) * 60.0 / 2))

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Fuse the pair that the record leads; partners wait for `SettlePairs`."""
        partner = record.notes["pair.partner"]
        if not isinstance(partner, str) or not record.notes["pair.lead"]:
            return Edit()
        other = ctx.lookup([partner])[0]
        done = await fuse_pair(ctx, record, other, Limits(self.rounds, self.max_tokens, self.growth), self.mend)
        if done.final is None:
            return Edit(Status.LOW, done.reason, notes=_notes(done, record.id, partner))
        messages = _written(record, done.final.instruction, done.final.response)
        status = Status.FUSED if done.fused else Status.REPAIRED
        return Edit(status, done.reason, messages, _notes(done, record.id, partner))


def _written(record: Record, instruction: str, response: str) -> Messages:
    user, assistant = record.messages
    return (replace(user, content=instruction), replace(assistant, content=response))


def _notes(done: Fusion, lead: str, partner: str) -> dict[str, Note]:
    loss = done.best.loss if done.best else None
    return {
        "fuse.outcome": done.outcome,
        "fuse.parents": [lead, partner],
        "fuse.templates": [f"{v.cycle}: {v.template}" for v in done.versions],
        "fuse.loss": [float(loss.major), float(loss.minor), loss.uncovered] if loss else None,
        "fuse.coverage": done.best.coverage if done.best else None,
        "fuse.stopped": [f"{cycle}: {why}" for cycle, why in done.stopped.items()],
        "fuse.story": json.dumps(done.story(), ensure_ascii=False),
    }
