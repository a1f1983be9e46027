"""Scores how expected each response is to a model, with its instruction and without."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from regold.engines.base import Need
from regold.record import Edit, Message, Note, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage
from regold.together import together


@dataclass(frozen=True)
class ScoreResponses(Stage):
    """Note perplexity exp(L(A|Q)) and instruction-following difficulty L(A|Q) / L(A) (arXiv 2308.12032, eq. 4).

    L is the mean negative log-likelihood in nats per token; without its instruction the response follows an empty turn.
    Superfiltering (arXiv 2402.00530) is the same by a small model: give one with --scorer.
    """

    role: str = "scorer"

    name: ClassVar[str] = "score"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    writes: ClassVar[Mapping[str, NoteType]] = {
        "score.nll": NoteType.NUMBER,
        "score.perplexity": NoteType.NUMBER,
        "score.ifd": NoteType.NUMBER,
    }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A model that scores texts."""
        return {self.role: frozenset({Need.SCORE})}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Two readings of the response."""
        return (Spend(self.role, 2, lengths.query + 2 * lengths.response, 0.0),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Score the response twice; one without tokens has no score."""
        engine = ctx.engines[self.role]
        alone = (Message("user", ""),)
        both = await together([engine.score(prompt, record.response) for prompt in (record.query, alone)])
        given, free = (found.mean_nll for found in both)
        if given is None or free is None:
            return Edit(reason="an empty response has no score")
        notes: dict[str, Note] = {"score.nll": given, "score.perplexity": math.exp(min(given, 700.0))}
        notes["score.ifd"] = given / free if free > 0 else None
        return Edit(reason=f"mean NLL {given:.3f}, {free:.3f} without the instruction", notes=notes)
