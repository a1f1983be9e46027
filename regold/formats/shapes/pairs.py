"""The format of `prompt` and `completion`, texts or lists of messages; also `question` and `answer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regold.formats.rows import BadRow, Columns
from regold.formats.shapes.chat import said, turns_of
from regold.formats.shapes.shape import Parsed, Turn, column, joined, like_packed, needed, put, unpacked
from regold.formats.values import as_text
from regold.record import Message, Messages

_QUERY = ("prompt", "question", "query")
_RESPONSE = ("completion", "response", "answer", "output", "chosen")
_SYSTEM = ("system",)


@dataclass(frozen=True)
class Pairs:
    """A prompt and what completes it."""

    name: str = "prompt-completion"
    expected: str = "prompt, completion (or question, answer)"
    known: tuple[str, ...] = (*_QUERY, *_RESPONSE, *_SYSTEM)

    def fits(self, row: Mapping[str, Any], columns: Columns) -> bool:
        """Tell whether the row has a prompt."""
        return column(row, "query", _QUERY, columns) is not None

    def parse(self, row: Mapping[str, Any], columns: Columns) -> Parsed:
        """Return the prompt's turns and the completion's."""
        asked = needed(row, "query", _QUERY, columns)
        answered = needed(row, "response", _RESPONSE, columns)
        if row[asked] is None:
            raise BadRow(f"{asked} is null")
        system = column(row, "system", _SYSTEM, columns)
        prompt = as_text(row[system], system) if system else ""
        first = (Turn(Message("system", prompt), (str(system),)),) if prompt else ()
        answers = _side(row[answered], answered, "assistant")
        if not any(turn.answers for turn in answers):
            raise BadRow(f"no response: {answered} has no assistant turn with text")
        return Parsed((*first, *_side(row[asked], asked, "user"), *answers))

    def replace(self, row: dict[str, Any], columns: Columns, turn: Turn, message: Message) -> dict[str, Any]:
        """Replace one text."""
        return put(row, turn.place, message.content)  # type: ignore[no-any-return]

    def rebuild(self, row: dict[str, Any], columns: Columns, messages: Messages) -> dict[str, Any]:
        """Write lists of messages where there were lists, else one text of all turns before the response."""
        asked = needed(row, "query", _QUERY, columns)
        answered = needed(row, "response", _RESPONSE, columns)
        system = column(row, "system", _SYSTEM, columns)
        body = messages[:-1]
        if system:
            first = body[:1] if body and body[0].role == "system" else ()
            row, body = row | {system: first[0].content if first else ""}, body[len(first) :]
        return row | {asked: _written(row[asked], body), answered: _written(row[answered], messages[-1:])}

    def with_options(self, row: dict[str, Any], columns: Columns, options: Sequence[str]) -> dict[str, Any]:
        """Return the row: the format has no options."""
        return row

    def answer(self, row: Mapping[str, Any], columns: Columns, value: Any) -> str:
        """Return the value as text."""
        return as_text(value, "the true value")


def _is_list(value: Any) -> bool:
    """Tell whether a side is a list of turns, as JSON in a text too; text that only begins like one is text."""
    if not isinstance(value, str):
        return isinstance(value, list)
    try:
        turns = unpacked(value, "") if value.lstrip().startswith("[") else None
    except BadRow:
        return False
    return isinstance(turns, list) and all(isinstance(t, dict) and "role" in t and "content" in t for t in turns)


def _written(old: Any, messages: Messages) -> Any:
    return like_packed(old, [said(m, "role", "content") for m in messages]) if _is_list(old) else joined(messages)


def _side(value: Any, name: str, role: str) -> tuple[Turn, ...]:
    if _is_list(value):
        return tuple(turns_of(value, name, role))
    return (Turn(Message(role, as_text(value, name)), (name,), answers=role == "assistant"),)
