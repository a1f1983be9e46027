"""The base view: the model's own direct answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from regold.asking import asked
from regold.engines.base import Need, Request
from regold.methods.answers import read_answer
from regold.record import Edit, NoteType, Record
from regold.stage import Context, Lengths, Role, Spend, Stage


@dataclass(frozen=True)
class AnswerDirectly(Stage):
    """Answer the query without seeing the given response: y_base = M(q) (RobustFT, eq. 1)."""

    max_tokens: Annotated[int, Gt(0)] = 1024
    logprobs: bool = True
    """Note the answer's mean negative log-likelihood; turn off for servers without log-probabilities."""
    role: Role = "student"
    """Who answers; `second` is another model, given with --second."""

    name: ClassVar[str] = "base"
    prompts: ClassVar[tuple[str, ...]] = ("direct",)
    writes: ClassVar[Mapping[str, NoteType]] = {
        "base.text": NoteType.TEXT,
        "base.answer": NoteType.TEXT,
        "base.mean_nll": NoteType.NUMBER,
    }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A model that generates, with log-probabilities where they are noted."""
        return {self.role: frozenset({Need.GENERATE, Need.LOGPROBS} if self.logprobs else {Need.GENERATE})}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """One call that answers the query."""
        return (Spend(self.role, 1, lengths.query, lengths.response),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the model's answer; an answer cut off at `max_tokens` is no answer."""
        request = Request(asked(ctx, "direct", record), max_tokens=self.max_tokens, logprobs=self.logprobs)
        said = await ctx.ask(self.role, request)
        answer = read_answer(said.text, record.response, record.options, said.finish)
        return Edit(notes={"base.text": said.text, "base.answer": answer, "base.mean_nll": said.mean_nll})
