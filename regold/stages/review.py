"""The review: which of two candidates becomes the new response, and how sure the model is of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from regold.asking import ask_verdict, conversation, in_context, vote_nll
from regold.engines.base import Need, Request
from regold.methods.agreement import same_answer
from regold.methods.candidates import WHY, Candidate, ballot, final_response
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage


@dataclass(frozen=True)
class ReviewCandidates(Stage):
    """Choose between the context and the reasoned answer: y_tilde = Review(q, y_cont, y_reason) (RobustFT, eq. 6).

    Answers that agree win without a call. A view without an answer cannot win, and the other one still has to pass the
    review. "Neither" and a verdict that cannot be read are abstentions: the record stays SUSPECT.
    """

    choose: Literal["review", "context", "reasoned"] = "review"
    """Who chooses; "context" and "reasoned" take that answer unseen, as the ablations without a reviewer do."""
    confidence: Literal["score", "votes"] = "score"
    """How sure of the final response: its mean NLL in context, or -log of its share among sampled context answers.

    "votes" serves where the server cannot score; it has no use for free text.
    """
    votes: Annotated[int, Gt(0)] = 8
    max_tokens: Annotated[int, Gt(0)] = 512

    name: ClassVar[str] = "review"
    on: ClassVar[tuple[Status, ...]] = (Status.SUSPECT,)
    writes: ClassVar[Mapping[str, NoteType]] = {
        "review.verdict": NoteType.TEXT,
        "review.answer": NoteType.TEXT,
        "review.mean_nll": NoteType.NUMBER,
        "review.changed": NoteType.FLAG,
    }

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The candidates that can win, the context response's NLL and its shots."""
        views = ("relabel",) if self.choose == "context" else ("relabel", "reason")
        texts = {f"{view}.{note}": NoteType.TEXT for view in views for note in ("text", "answer")}
        return {**texts, "relabel.mean_nll": NoteType.NUMBER, "relabel.neighbours": NoteType.TEXTS}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The reviewer's prompt, and the one in which the final response is scored."""
        return ("review", "context") if self.choose == "review" else ("context",)

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A student that generates, and that scores a given response where confidence is by score."""
        return {"student": frozenset({Need.GENERATE, Need.SCORE} if self.confidence == "score" else {Need.GENERATE})}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Half a review a record, since candidates often agree, and a score or votes in context."""
        calls, answers = (1, 0.0) if self.confidence == "score" else (self.votes, self.votes * lengths.response)
        pairs = calls * 4 * (lengths.query + lengths.response)
        half = 0.5 if self.choose == "review" else 0.0
        sent, received = half * (lengths.query + 2 * lengths.reasoning), half * lengths.reasoning
        return (Spend("student", half + calls, sent + pairs, received + answers),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Propose the winner as the record's response, or leave the record SUSPECT."""
        candidates = {
            "context": Candidate.noted(record.notes, "relabel"),
            "reasoned": Candidate.noted(record.notes, "reason"),
        }
        verdict = await self._verdict(record, ctx, candidates)
        winner = candidates.get("context" if verdict == "same" else verdict)
        if winner is None or winner.answer is None:
            return Edit(reason=WHY[verdict], notes={"review.verdict": verdict})
        final = final_response(record, winner)
        changed = final != record.response
        sure = await self._mean_nll(record, ctx, winner.answer, final)
        notes = {"review.verdict": verdict, "review.answer": winner.answer, "review.mean_nll": sure}
        reason = WHY[verdict] if changed else f"{WHY[verdict]}: the given response is confirmed"
        messages = record.answered(final) if changed else None
        return Edit(Status.REPAIRED, reason, messages, {**notes, "review.changed": changed})

    async def _verdict(self, record: Record, ctx: Context, candidates: Mapping[str, Candidate]) -> str:
        if self.choose != "review":
            return self.choose if candidates[self.choose].answer is not None else "empty"
        answers = [c.answer for c in candidates.values()]
        if answers == [None, None]:
            return "empty"
        if same_answer(answers[0], answers[1], record.options):
            return "same"
        query, texts = conversation(record.query), (t for c in candidates.values() for t in (c.shown, c.rationale))
        shown, names = ballot(candidates, ctx.chance("review", query, *texts).random() < 0.5)
        claims = {"1": shown["first"], "2": shown["second"]}
        said = await ask_verdict(
            ctx, "student", "review", ("1", "2", "0"), self.max_tokens, claims, query=query, **shown
        )
        chosen = "unread" if said is None else names[said]
        return "neither" if chosen in candidates and candidates[chosen].answer is None else chosen

    async def _mean_nll(self, record: Record, ctx: Context, answer: str, final: str) -> float | None:
        """Return the mean NLL of the very response that is trained on, in nats per token, or of its vote share."""
        own, text, near = (record.notes[f"relabel.{note}"] for note in ("mean_nll", "text", "neighbours"))
        shots = ctx.lookup([str(id_) for id_ in near]) if isinstance(near, Sequence) else []
        messages = in_context(ctx, "context", record, shots)
        if self.confidence == "votes":
            request = Request(messages, temperature=1.0, max_tokens=self.max_tokens)
            return await vote_nll(ctx, "student", request, record, answer, self.votes)
        if isinstance(own, float) and final.strip() == str(text).strip():
            return own
        return (await ctx.engines["student"].score(messages, final)).mean_nll
