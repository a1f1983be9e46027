"""Grades records by a model's own uncertainty about their grade."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Annotated, ClassVar

from annotated_types import Ge, MinLen

from regold.asking import conversation, render
from regold.engines.base import Need
from regold.record import Edit, Message, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage
from regold.together import together

FIGURES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True)
class GradeRecords(Stage):
    """Note SelectIT's grade of a record, from 0 to 5 (arXiv 2402.16705, eqs. 1-3).

    For each prompt the likelihoods of the figures 1 to 5 are compared: the grade is the likeliest figure times its mean
    lead over the others. The grades of all prompts come to their mean / (1 + alpha * standard deviation).
    """

    prompted: Annotated[tuple[str, ...], MinLen(1)] = ("grade1", "grade2", "grade3")
    alpha: Annotated[float, Ge(0)] = 0.2
    role: str = "scorer"

    name: ClassVar[str] = "grade"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    writes: ClassVar[Mapping[str, NoteType]] = {"grade.value": NoteType.NUMBER}

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A model that scores texts."""
        return {self.role: frozenset({Need.SCORE})}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts."""
        return self.prompted

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Five readings of every prompt."""
        readings = len(FIGURES) * len(self.prompted)
        return (Spend(self.role, readings, readings * (lengths.query + lengths.response + 100), 0.0),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Grade the record by every prompt."""
        grades = await together([self._grade(record, ctx, prompt) for prompt in self.prompted])
        value = fmean(grades) / (1 + self.alpha * pstdev(grades))
        return Edit(reason=f"grade {value:.2f} of 5", notes={"grade.value": value})

    async def _grade(self, record: Record, ctx: Context, prompt: str) -> float:
        text = render(ctx, prompt, query=conversation(record.query), response=record.response)
        asked = (Message("user", text),)
        found = await together([ctx.engines[self.role].score(asked, figure) for figure in FIGURES])
        shares = [math.exp(sum(one.logprobs)) for one in found]
        shares = [share / max(sum(shares), 1e-300) for share in shares]
        best = max(range(len(FIGURES)), key=lambda place: shares[place])
        return int(FIGURES[best]) * sum(shares[best] - share for share in shares) / (len(FIGURES) - 1)
