"""The reasoned view: the model reasons, looks at its reasoning again, and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from regold.asking import asked
from regold.engines.base import Completion, Need, Request
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.record import Edit, Message, NoteType, Record
from regold.stage import Context, Lengths, Role, Spend, Stage


@dataclass(frozen=True)
class ReasonAndReflect(Stage):
    """Reason and reflect in turns: y_reason = M_reason(q, M_reflect(M_reason(q, ...))) (RobustFT, eq. 2).

    It stops early once two turns in a row give the same answer.
    """

    rounds: Annotated[int, Ge(0)] = 1
    """How often to reason and reflect: 1 is one turn of each, 0 reasons once and never looks again."""
    max_tokens: Annotated[int, Gt(0)] = 1024
    """The limit of each turn."""
    role: Role = "student"
    """Who answers; `second` is another model, given with --second."""

    name: ClassVar[str] = "reason"
    prompts: ClassVar[tuple[str, ...]] = ("reason", "reflect")
    writes: ClassVar[Mapping[str, NoteType]] = {
        "reason.text": NoteType.TEXT,
        "reason.answer": NoteType.TEXT,
        "reason.turns": NoteType.INTEGER,
        "reason.transcript": NoteType.TEXTS,
    }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A model that generates."""
        return {self.role: frozenset({Need.GENERATE})}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Two turns, each reading all before it; more rounds mostly stop early."""
        if not self.rounds:
            return (Spend(self.role, 1, lengths.query, lengths.reasoning),)
        return (Spend(self.role, 2, 2 * lengths.query + lengths.reasoning, 2 * lengths.reasoning),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the last turn and its answer."""
        question = asked(ctx, "reason", record)
        messages, said, answers = question, list[str](), list[str | None]()
        for turn in range(max(1, 2 * self.rounds)):
            if turn:
                user = Message("user", ctx.prompts.text("reflect")) if turn % 2 else question[-1]
                messages = (*messages, Message("assistant", said[-1]), user)
            answer = await ctx.ask(self.role, Request(messages, max_tokens=self.max_tokens))
            said.append(answer.text)
            answers.append(_left(record, answer, answers))
            if turn and same_answer(answers[-2], answers[-1], record.options):
                break
        notes = {"reason.text": said[-1], "reason.answer": answers[-1], "reason.transcript": said}
        return Edit(notes={**notes, "reason.turns": len(said)})


def _left(record: Record, turn: Completion, before: Sequence[str | None]) -> str | None:
    """Return the answer standing after a turn: its own, or the one before where it states none and was not cut off."""
    last = before[-1] if before else None
    found = read_answer(turn.text, record.response, record.options, turn.finish, stated=last is not None)
    return last if found is None and turn.finish != "length" else found
