"""Asks raters how valuable a record is and, apart from that, how correct its response is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Lt, MinLen

from regold.asking import asked_again, conversation, fence
from regold.engines.base import Completion, Need, Request
from regold.methods.rating import AXES, RatingForm, compress, mean
from regold.record import Edit, Message, Note, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage
from regold.together import together


@dataclass(frozen=True)
class RateRecords(Stage):
    """Note the value, class 0-5 of the overall score, and correctness, 1-10, that raters give a record (ENTP).

    Several samples and several raters are averaged. What cannot be read after one repair turn is missing, never 0.
    """

    raters: Annotated[tuple[str, ...], MinLen(1)] = ("rater",)
    """The roles that rate; several are also noted apart, as `rate.<rater>.value`."""
    samples: Annotated[int, Gt(0)] = 1
    """Ratings of each rater; more than one are drawn at temperature 1, and their two halves are noted apart."""
    extra: Annotated[float, Ge(0), Lt(1)] = 0.0
    """The share of records, drawn by chance, that are rated once more, so that calls can be spent to a budget."""
    asks: Annotated[tuple[str, ...], MinLen(1)] = ("rate",)
    """The prompts; `rate-value` and `rate-correct` ask for the two axes in calls of their own."""
    max_tokens: Annotated[int, Gt(0)] = 256

    name: ClassVar[str] = "rate"
    on: ClassVar[tuple[Status, ...]] = (
        Status.NEW,
        Status.CLEAN,
        Status.SUSPECT,
        Status.HIGH,
        Status.LOW,
        Status.REPAIRED,
    )

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """The means over raters and samples, those of each rater, and those of each half of the samples."""
        names = ["value", *(axis for axis in AXES if axis != "overall")]
        if len(self.raters) > 1:
            names += [f"{rater}.{axis}" for rater in self.raters for axis in ("value", "correct")]
        if self.samples > 1:
            names += ["half1", "half2"]
        return {f"rate.{name}": NoteType.NUMBER for name in names}

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """Raters that generate."""
        return {rater: frozenset({Need.GENERATE}) for rater in self.raters}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts asked."""
        return self.asks

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """A call for each rater, sample and prompt."""
        calls = (self.samples + self.extra) * len(self.asks)
        sent = calls * (lengths.query + lengths.response + 300)
        return tuple(Spend(rater, calls, sent, calls * 50.0) for rater in self.raters)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Ask every rater for every sample and note the means."""
        count = self.samples + (ctx.chance(record.id, "rate").random() < self.extra)
        asked = [(rater, n) for rater in self.raters for n in range(count)]
        given = await together([self._rating(record, ctx, rater, n) for rater, n in asked])
        ratings = [(rater, n, _with_value(scores)) for (rater, n), scores in zip(asked, given, strict=True)]
        notes: dict[str, Note] = {}
        for name in self.writes:
            of, _, axis = name.removeprefix("rate.").rpartition(".")
            half = {"half1": 0, "half2": 1}.get(axis)
            chosen = [s for rater, n, s in ratings if of in ("", rater) and half in (None, n % 2)]
            notes[name] = mean([s.get("value" if half is not None else axis) for s in chosen])
        return Edit(reason=_reason(notes), notes=notes)

    async def _rating(self, record: Record, ctx: Context, rater: str, sample: int) -> dict[str, float]:
        parts = await together([self._asked(record, ctx, rater, prompt, sample) for prompt in self.asks])
        return {axis: score for part in parts for axis, score in part.items()}

    async def _asked(self, record: Record, ctx: Context, rater: str, prompt: str, sample: int) -> dict[str, float]:
        shown = {"query": conversation(record.query), "response": record.response}
        mark, form = fence(ctx, *shown.values()), RatingForm.of(ctx.prompts.text(prompt))
        message = Message("user", ctx.prompts.render(prompt, fence=mark, **shown))
        heat = 1.0 if self.samples + self.extra > 1 else 0.0
        request = Request((message,), heat, max_tokens=self.max_tokens, schema=form.schema, sample=sample)
        reply = await ctx.ask(rater, request)
        found = _read(form, reply, mark)
        if form.complete(found):
            return found
        wanted = f"That is not the rating asked for. Reply with nothing but {form.example(mark)}"
        return {**found, **_read(form, await ctx.ask(rater, asked_again(request, reply, wanted)), mark)}


def _read(form: RatingForm, reply: Completion, mark: str) -> dict[str, float]:
    return {} if reply.finish == "length" else form.read(reply.text, mark)


def _with_value(scores: dict[str, float]) -> dict[str, float]:
    return {**scores, "value": float(compress(scores["overall"]))} if "overall" in scores else scores


def _reason(notes: Mapping[str, Note]) -> str:
    told = [
        f"{axis} {score:g} of {most}" if isinstance(score, float) else f"no {axis} could be read"
        for axis, most in (("value", 5), ("correct", 10))
        for score in [notes[f"rate.{axis}"]]
    ]
    return ", ".join(told)
