"""Two candidate answers for a suspect record, and the response that the winner makes."""

from __future__ import annotations

from dataclasses import dataclass

from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.statements import without_thinking
from regold.methods.styles import restyled
from regold.record import Record

NAMES = {"relabel": "context", "reason": "reasoned"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One view's answer, None where it gave none, and the whole text in which it stands."""

    name: str
    answer: str | None
    text: str

    @classmethod
    def of(cls, record: Record, stage: str) -> Candidate:
        """Return the candidate that a stage noted on a record."""
        text, answer = record.notes[f"{stage}.text"], record.notes[f"{stage}.answer"]
        return cls(NAMES[stage], answer if isinstance(answer, str) else None, text if isinstance(text, str) else "")

    @property
    def shown(self) -> str:
        """Return the answer as a reviewer sees it."""
        return "(no answer)" if self.answer is None else self.answer

    @property
    def rationale(self) -> str:
        """Return the text behind the answer; empty where there is nothing more than the answer."""
        text = without_thinking(self.text)
        return "" if self.answer is None or text == self.answer else text


def final_response(record: Record, winner: Candidate) -> str:
    """Return the response to train on: the given one where it was right, else the winner's answer in its style."""
    given = read_answer(record.response, record.response, record.options)
    if winner.answer is None or same_answer(given, winner.answer, record.options):
        return record.response
    return restyled(winner.answer, record.response, record.options, winner.text)
