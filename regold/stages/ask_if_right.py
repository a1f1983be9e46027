"""One question a record: does the model call the given response right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from regold.asking import ask_verdict, conversation
from regold.engines.base import Need
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage


@dataclass(frozen=True)
class AskIfRight(Stage):
    """Call a record CLEAN where the model says the given response is right, else SUSPECT.

    This is SelfSelect of arXiv 2412.14922. A reply without a verdict, after one more try, is no Yes.
    """

    max_tokens: Annotated[int, Gt(0)] = 256

    name: ClassVar[str] = "ask"
    needs: ClassVar[Mapping[str, frozenset[Need]]] = {"student": frozenset({Need.GENERATE})}
    prompts: ClassVar[tuple[str, ...]] = ("check",)
    writes: ClassVar[Mapping[str, NoteType]] = {"ask.verdict": NoteType.TEXT}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """One short verdict."""
        return (Spend("student", 1, lengths.query + lengths.response, 5.0),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Ask once, and note the verdict."""
        shown = {"query": conversation(record.query), "response": record.response}
        said = await ask_verdict(ctx, "student", "check", ("Yes", "No"), self.max_tokens, **shown)
        status = Status.CLEAN if said == "Yes" else Status.SUSPECT
        reason = "the model gave no verdict" if said is None else f"right? {said}"
        return Edit(status, reason, notes={"ask.verdict": said})
