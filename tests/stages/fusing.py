"""A model of scripted habits for the fusion tests: says what each operator is told to say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from regold.engines.base import Completion, Request
from regold.record import Message, Record, Status

EMPTY: dict[str, Any] = {
    "required_terms": [],
    "missing_terms": [],
    "sub_questions": [],
    "contradictions": [],
    "unsupported": [],
    "redundant": [],
    "format": [],
    "off_topic": [],
    "shallow": False,
}
GOOD = {
    "instruction": "What is the capital of Ardenia, and which river runs through that capital?",
    "response": "The capital of Ardenia is Bonnevar, and the river Tisel runs through it.",
}
ANSWERS = {"capital of Ardenia?": "Bonnevar", "river runs": "The Tisel"}
OPERATORS = {
    "You merge": "merge",
    "You inspect": "diagnose",
    "You check": "check",
    "You mend": "update",
}
Said = str | dict[str, Any] | Completion
Habit = Said | list[Said] | Callable[[Request], Said]


@dataclass
class Model:
    """Answers each operator by its habit; of a list the next one each time, the last one for ever."""

    merge: Habit = field(default_factory=lambda: dict(GOOD))
    diagnose: Habit = field(default_factory=lambda: dict(EMPTY))
    check: Habit = field(default_factory=lambda: dict(EMPTY))
    update: Habit = field(default_factory=lambda: {"response": GOOD["response"]})
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> str | Completion:
        text = request.messages[0].content
        operator = next((name for start, name in OPERATORS.items() if text.startswith(start)), "direct")
        self.asked.append(operator)
        if operator == "direct":
            return next((said for key, said in ANSWERS.items() if key in text), "I cannot say.")
        said = getattr(self, operator)
        if callable(said):
            said = said(request)
        if isinstance(said, list):
            said = said[min(self.asked.count(operator), len(said)) - 1]
        if isinstance(said, dict):
            mark = re.search(r"the mark (\w{10})", text)
            return json.dumps({"mark": mark and mark[1], **said})
        return said


def pair() -> list[Record]:
    """Return two weak records that are planned as a pair, `a` leading."""
    return [
        weak("a", "What is the capital of Ardenia?", "Bonnevar", partner="b", lead=True),
        weak("b", "Which river runs through Bonnevar?", "dunno", partner="a", lead=False),
    ]


def weak(id_: str, question: str, response: str, **planned: Any) -> Record:
    """Return a LOW record with the notes of `PairRecords`."""
    notes = {f"pair.{name}": value for name, value in planned.items()}
    messages = (Message("user", question), Message("assistant", response))
    return replace(Record(id_, messages, status=Status.LOW), notes=notes)
