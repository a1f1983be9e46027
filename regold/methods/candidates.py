"""Two candidate answers for a suspect record: how they are shown to a reviewer, who wins, and what the winner makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.statements import without_thinking
from regold.methods.styles import restyled
from regold.record import Note, Record

WHY = {
    "same": "context and reasoned view agree",
    "context": "the context view's answer was chosen",
    "reasoned": "the reasoned view's answer was chosen",
    "neither": "neither candidate was accepted",
    "unread": "the review gave no verdict that can be read",
    "empty": "there is no answer to choose",
}
"""What became of two candidates, in words for people."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One view's answer, None where it gave none, and the whole text in which it stands."""

    answer: str | None
    text: str

    @classmethod
    def noted(cls, notes: Mapping[str, Note], stage: str) -> Candidate:
        """Return the candidate that a stage noted on a record."""
        answer, text = notes.get(f"{stage}.answer"), notes.get(f"{stage}.text")
        return cls(answer if isinstance(answer, str) else None, text if isinstance(text, str) else "")

    @property
    def shown(self) -> str:
        """Return the answer as a reviewer sees it."""
        return "(no answer)" if self.answer is None else self.answer

    @property
    def rationale(self) -> str:
        """Return the text behind the answer; empty where there is nothing more than the answer."""
        text = without_thinking(self.text)
        return "" if self.answer is None or text == self.answer else text


def ballot(candidates: Mapping[str, Candidate], swapped: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Return what a reviewer of two candidates is shown, and which candidate each verdict names; "0" is neither."""
    one, two = sorted(candidates, reverse=swapped)
    first, second = candidates[one], candidates[two]
    rationales = {"first_rationale": first.rationale, "second_rationale": second.rationale}
    return {"first": first.shown, "second": second.shown, **rationales}, {"1": one, "2": two, "0": "neither"}


def final_response(record: Record, winner: Candidate) -> str:
    """Return the response to train on: the given one where it was right, else the winner's answer in its style."""
    given = read_answer(record.response, record.response, record.options)
    if winner.answer is None or same_answer(given, winner.answer, record.options):
        return record.response
    return restyled(winner.answer, record.response, record.options, winner.text)
