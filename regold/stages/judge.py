"""The check: does the given response agree with the views of the model?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from regold.asking import ask_verdict, conversation
from regold.engines.base import Need
from regold.methods.agreement import brief, is_clean, same_answer
from regold.methods.answers import read_answer
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage
from regold.together import together


@dataclass(frozen=True)
class JudgeAgreement(Stage):
    """Call a record CLEAN or SUSPECT by the views: r = Check(y, y_base, y_reason) (RobustFT, eq. 3).

    Answers that cannot be compared as text go to the `judge`; its abstention counts as not agreeing.
    """

    rule: Literal["all", "majority"] = "all"
    """All views must agree with the given response; or it needs a majority of votes, its own being one of three."""
    views: Annotated[tuple[str, ...], MinLen(1)] = ("base", "reason")
    """The steps whose `answer` notes are compared."""
    ask: bool = True
    """Whether to ask the judge about free text; without it, free texts agree only word for word."""

    name: ClassVar[str] = "judge"
    version: ClassVar[int] = 2

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The answers of the views."""
        return {f"{view}.answer": NoteType.TEXT for view in self.views}

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """Whether each view agrees with the given response."""
        return {f"judge.{view}": NoteType.FLAG for view in self.views}

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A judge that generates, where one is asked."""
        return {"judge": frozenset({Need.GENERATE})} if self.ask else {}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompt that asks whether two responses agree."""
        return ("agree",) if self.ask else ()

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """A verdict a view where responses are too long to be compared as text."""
        free = self.ask and lengths.response > 12
        n = len(self.views)
        return (Spend("judge", n, n * (lengths.query + 2 * lengths.response), 20.0 * n),) if free else ()

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Compare each view with the given response and apply the rule."""
        given = read_answer(record.response, record.response, record.options)
        views = {name: _text(record.notes[f"{name}.answer"]) for name in self.views}
        agree = await together([self._agrees(record, ctx, given, view) for view in views.values()])
        said = [
            f"{n} view {'agrees' if a else f'says {brief(v)}'}" for (n, v), a in zip(views.items(), agree, strict=True)
        ]
        status = Status.CLEAN if is_clean(agree, self.rule) else Status.SUSPECT
        notes = {f"judge.{name}": flag for name, flag in zip(views, agree, strict=True)}
        return Edit(status, f"given {brief(given)}: {', '.join(said)}", notes=notes)

    async def _agrees(self, record: Record, ctx: Context, given: str | None, view: str | None) -> bool:
        same = same_answer(given, view, record.options)
        if same is not None or not self.ask or given is None or view is None:
            return bool(same)
        pair, query = [given, view], conversation(record.query)
        ctx.chance("judge", query, *pair).shuffle(pair)
        shown = {"query": query, "first": pair[0], "second": pair[1]}
        return await ask_verdict(ctx, "judge", "agree", ("SAME", "DIFFERENT"), 256, **shown) == "SAME"


def _text(note: object) -> str | None:
    return note if isinstance(note, str) else None
