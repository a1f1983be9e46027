"""The review: which of two candidates becomes the new response, and how sure the model is of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from regold.asking import ask_verdict, conversation, in_context
from regold.engines.base import Need, Request
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.candidates import Candidate, final_response
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage

TEXTS = ("relabel.text", "relabel.answer", "reason.text", "reason.answer")
WHY = {
    "same": "context and reasoned view agree",
    "context": "the review chose the context view's answer",
    "reasoned": "the review chose the reasoned view's answer",
    "neither": "the review accepted neither candidate",
    "unread": "the review gave no verdict that can be read",
    "empty": "neither view gives an answer",
}


@dataclass(frozen=True)
class ReviewCandidates(Stage):
    """Choose between the context and the reasoned answer: y_tilde = Review(q, y_cont, y_reason) (RobustFT, eq. 6).

    Answers that agree win without a call. A view without an answer cannot win, and the other one still has to pass the
    review. "Neither" and a verdict that cannot be read are abstentions: the record stays SUSPECT.
    """

    confidence: Literal["score", "votes"] = "score"
    """How sure of the final response: its mean NLL in context, or -log of its share among sampled context answers.

    "votes" serves where the server cannot score; it has no use for free text.
    """
    votes: Annotated[int, Gt(0)] = 8
    max_tokens: Annotated[int, Gt(0)] = 512

    name: ClassVar[str] = "review"
    on: ClassVar[tuple[Status, ...]] = (Status.SUSPECT,)
    prompts: ClassVar[tuple[str, ...]] = ("review", "context")
    reads: ClassVar[Mapping[str, NoteType]] = {
        **dict.fromkeys(TEXTS, NoteType.TEXT),
        "relabel.mean_nll": NoteType.NUMBER,
        "relabel.neighbours": NoteType.TEXTS,
    }
    writes: ClassVar[Mapping[str, NoteType]] = {
        "review.verdict": NoteType.TEXT,
        "review.answer": NoteType.TEXT,
        "review.mean_nll": NoteType.NUMBER,
        "review.changed": NoteType.FLAG,
    }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A student that generates, and that scores a given response where confidence is by score."""
        return {"student": frozenset({Need.GENERATE, Need.SCORE} if self.confidence == "score" else {Need.GENERATE})}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Half a review a record, since candidates often agree, and a score or votes in context."""
        calls, answers = (1, 0.0) if self.confidence == "score" else (self.votes, self.votes * lengths.response)
        pairs = calls * 4 * (lengths.query + lengths.response)
        review = (lengths.query / 2 + lengths.reasoning, lengths.reasoning / 2)
        return (Spend("student", 0.5 + calls, review[0] + pairs, review[1] + answers),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Propose the winner as the record's response, or leave the record SUSPECT."""
        context, reasoned = (Candidate.of(record, view) for view in ("relabel", "reason"))
        verdict = await self._verdict(record, ctx, context, reasoned)
        winner = {"same": context, "context": context, "reasoned": reasoned}.get(verdict)
        if winner is None or winner.answer is None:
            return Edit(reason=WHY[verdict], notes={"review.verdict": verdict})
        final = final_response(record, winner)
        changed = final != record.response
        sure = await self._mean_nll(record, ctx, winner.answer, final)
        notes = {"review.verdict": verdict, "review.answer": winner.answer, "review.mean_nll": sure}
        reason = WHY[verdict] if changed else f"{WHY[verdict]} and confirms the given response"
        messages = record.answered(final) if changed else None
        return Edit(Status.REPAIRED, reason, messages, {**notes, "review.changed": changed})

    async def _verdict(self, record: Record, ctx: Context, context: Candidate, reasoned: Candidate) -> str:
        if context.answer is None and reasoned.answer is None:
            return "empty"
        if same_answer(context.answer, reasoned.answer, record.options):
            return "same"
        order = {"1": context, "2": reasoned}
        if ctx.chance("review", record.id).random() < 0.5:
            order = {"1": reasoned, "2": context}
        one, two = order["1"], order["2"]
        shown = {"query": conversation(record.query), "first": one.shown, "second": two.shown}
        whys = {"first_rationale": one.rationale, "second_rationale": two.rationale}
        said = await ask_verdict(ctx, "student", "review", ("1", "2", "0"), self.max_tokens, **shown, **whys)
        if said is None:
            return "unread"
        return order[said].name if said != "0" and order[said].answer is not None else "neither"

    async def _mean_nll(self, record: Record, ctx: Context, answer: str, final: str) -> float | None:
        """Return the mean NLL of the very response that is trained on, in nats per token, or of its vote share."""
        own, text, near = (record.notes[f"relabel.{note}"] for note in ("mean_nll", "text", "neighbours"))
        shots = ctx.lookup([str(id_) for id_ in near]) if isinstance(near, Sequence) else []
        messages = in_context(ctx, "context", record, shots)
        if self.confidence == "votes":
            return await self._vote(record, ctx, answer, Request(messages, 1.0, max_tokens=self.max_tokens))
        if isinstance(own, float) and final.strip() == str(text).strip():
            return own
        return (await ctx.engines["student"].score(messages, final)).mean_nll

    async def _vote(self, record: Record, ctx: Context, answer: str, request: Request) -> float:
        asked = (ctx.ask("student", replace(request, sample=n)) for n in range(self.votes))
        read = [read_answer(s.text, record.response, record.options, s.finish) for s in await asyncio.gather(*asked)]
        hits = sum(same_answer(answer, vote, record.options) is True for vote in read)
        return -math.log((hits + 0.5) / (self.votes + 1))
