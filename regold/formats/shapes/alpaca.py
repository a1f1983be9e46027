"""The format of `instruction`, `input` and `output`, with an optional `system` and `history`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regold.formats.rows import BadRow, Columns
from regold.formats.shapes.shape import Parsed, Turn, column, joined, like_packed, needed, put, unpacked
from regold.formats.values import as_text, kind
from regold.record import Message, Messages

_QUERY, _INPUT = ("instruction",), ("input", "context")
_RESPONSE = ("output", "response", "completion", "answer", "chosen")
_SYSTEM, _HISTORY = ("system",), ("history",)


@dataclass(frozen=True)
class Alpaca:
    """Instruction and input, a blank line between them, are the last user turn; `history` holds the pairs before it."""

    name: str = "alpaca"
    expected: str = "instruction, input, output (or response)"
    known: tuple[str, ...] = (*_QUERY, *_INPUT, *_RESPONSE, *_SYSTEM, *_HISTORY)

    def fits(self, row: Mapping[str, Any], columns: Columns) -> bool:
        """Tell whether the row has an instruction."""
        return column(row, "query", _QUERY, columns) in _QUERY

    def parse(self, row: Mapping[str, Any], columns: Columns) -> Parsed:
        """Return system prompt, history, the question and the response."""
        asked = needed(row, "query", _QUERY, columns)
        answered = needed(row, "response", _RESPONSE, columns)
        if row[asked] is None:
            raise BadRow(f"{asked} is null")
        question = as_text(row[asked], asked) + self._tail(row, columns)
        system = column(row, "system", _SYSTEM, columns)
        prompt = as_text(row[system], system) if system else ""
        before = [Turn(Message("system", prompt), (str(system),))] if prompt else []
        if history := column(row, "history", _HISTORY, columns):
            before += _history(row, history)
        answer = Turn(Message("assistant", as_text(row[answered], answered)), (answered,), answers=True)
        return Parsed((*before, Turn(Message("user", question), (asked,)), answer))

    def replace(self, row: dict[str, Any], columns: Columns, turn: Turn, message: Message) -> dict[str, Any]:
        """Replace one text; a new question keeps the input where it still ends in it, and empties it otherwise."""
        if turn.place != (column(row, "query", _QUERY, columns),):
            return put(row, turn.place, message.content)  # type: ignore[no-any-return]
        return self._asking(row, columns, message.content)

    def _asking(self, row: dict[str, Any], columns: Columns, question: str) -> dict[str, Any]:
        tail, extra = self._tail(row, columns), column(row, "input", _INPUT, columns)
        if tail and not question.endswith(tail):
            row, tail = row | {str(extra): ""}, ""
        asked = needed(row, "query", _QUERY, columns)
        return put(row, (asked,), question.removesuffix(tail) if tail else question)  # type: ignore[no-any-return]

    def _tail(self, row: Mapping[str, Any], columns: Columns) -> str:
        extra = column(row, "input", _INPUT, columns)
        text = as_text(row[extra], extra) if extra else ""
        return f"\n\n{text}" if text.strip() else ""

    def rebuild(self, row: dict[str, Any], columns: Columns, messages: Messages) -> dict[str, Any]:
        """Write system prompt and history where they have a column; else turns before the response are the question."""
        system = column(row, "system", _SYSTEM, columns)
        history = column(row, "history", _HISTORY, columns)
        body = messages[:-1]
        if system:
            first = body[:1] if body and body[0].role == "system" else ()
            row, body = row | {system: first[0].content if first else ""}, body[len(first) :]
        before = body[:-1]
        if history and [m.role for m in before] == ["user", "assistant"] * (len(before) // 2):
            pairs = [[a.content, b.content] for a, b in zip(before[::2], before[1::2], strict=True)]
            row, body = row | {history: like_packed(row[history], pairs)}, body[-1:]
        elif history:
            row = row | {history: like_packed(row[history], [])}
        row = self._asking(row, columns, joined(body))
        return put(row, (needed(row, "response", _RESPONSE, columns),), messages[-1].content)  # type: ignore[no-any-return]

    def with_options(self, row: dict[str, Any], columns: Columns, options: Sequence[str]) -> dict[str, Any]:
        """Return the row: the format has no options."""
        return row

    def answer(self, row: Mapping[str, Any], columns: Columns, value: Any) -> str:
        """Return the value as text."""
        return as_text(value, "the true value")


def _history(row: Mapping[str, Any], name: str) -> list[Turn]:
    pairs = unpacked(row[name], name)
    if pairs is not None and not isinstance(pairs, list):
        raise BadRow(f"{name} is {kind(pairs)}, expected a list of pairs of texts")
    turns = []
    for i, pair in enumerate(pairs or []):
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRow(f"{name}[{i}] is not a pair of texts")
        for j, role in enumerate(("user", "assistant")):
            message = Message(role, as_text(pair[j], f"{name}[{i}][{j}]"))
            turns.append(Turn(message, (name, i, j), answers=role == "assistant"))
    return turns
