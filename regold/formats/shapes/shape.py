"""What a format must be able to do: find the turns in a row, and put a text back where it was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from regold.formats.rows import BadRow, Columns
from regold.formats.values import like, parse
from regold.record import Message, Messages

Place = tuple[str | int, ...]
"""Where a text sits in a row: column, then keys and indices. A step into a text enters the JSON it holds."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, where its text sits in the row, and whether it is a response that can be judged."""

    message: Message
    place: Place
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """All turns of a row, those after the last response too."""

    turns: tuple[Turn, ...]
    options: tuple[str, ...] = ()

    @property
    def answers(self) -> list[int]:
        """Return the positions of the responses."""
        return [i for i, turn in enumerate(self.turns) if turn.answers]

    def end(self, turn: int | None = None) -> int:
        """Return the position after the last response, or after the one numbered `turn`."""
        if turn is None and self.turns[-1].answers:
            return len(self.turns)
        return self.answers[-1 if turn is None else turn] + 1

    @property
    def messages(self) -> Messages:
        """Return the messages of all turns."""
        return tuple(turn.message for turn in self.turns)


class Shape(Protocol):
    """A format. Rows are never changed in place."""

    @property
    def name(self) -> str:
        """Return the format's name as users write it."""

    @property
    def expected(self) -> str:
        """Return the columns it is recognised by, for an error message."""

    @property
    def known(self) -> tuple[str, ...]:
        """Return every column name it understands, for a did-you-mean."""

    def fits(self, row: Mapping[str, Any], columns: Columns) -> bool:
        """Tell whether the row looks like this format, the response aside."""

    def parse(self, row: Mapping[str, Any], columns: Columns) -> Parsed:
        """Return the row's turns, at least one of them a response. Raises BadRow."""

    def replace(self, row: dict[str, Any], columns: Columns, turn: Turn, message: Message) -> dict[str, Any]:
        """Return the row with one turn's message replaced."""

    def rebuild(self, row: dict[str, Any], columns: Columns, messages: Messages) -> dict[str, Any]:
        """Return the row with another number or order of messages."""

    def with_options(self, row: dict[str, Any], columns: Columns, options: Sequence[str]) -> dict[str, Any]:
        """Return the row with other options."""

    def answer(self, row: Mapping[str, Any], columns: Columns, value: Any) -> str:
        """Return a value of the response's column as the response text it stands for."""


def column(row: Mapping[str, Any], role: str, names: Sequence[str], columns: Columns) -> str | None:
    """Return the column that plays a role: the one asked for, else the first known name that holds something."""
    if role in columns:
        return columns[role] if columns[role] in row else None
    empty = None
    for name in names:
        if name in row:
            if row[name] is not None:
                return name
            empty = empty or name
    return empty


def needed(row: Mapping[str, Any], role: str, names: Sequence[str], columns: Columns) -> str:
    """Return the column that plays a role. Raises BadRow naming what was looked for and what is there."""
    found = column(row, role, names, columns)
    if found is None:
        sought = columns.get(role) or " or ".join(names)
        raise BadRow(f"no {role}: there is no column {sought}, only {', '.join(map(str, row)) or 'an empty object'}")
    return found


def unpacked(value: Any, what: str) -> Any:
    """Return a value, parsed first where it is JSON in a text. Raises BadRow where that is torn."""
    if not isinstance(value, str) or not value.strip():
        return value or None
    try:
        return parse(value)
    except BadRow as error:
        raise BadRow(f"{what}: {error}") from None


def put(node: Any, place: Place, text: str) -> Any:
    """Return `node` with the text at `place` replaced; what is not on the way is shared with the old one."""
    if not place:
        return like(node, text)
    if isinstance(node, str):
        return json.dumps(put(json.loads(node), place, text), ensure_ascii=False)
    copy = dict(node) if isinstance(node, Mapping) else list(node)
    copy[place[0]] = put(copy[place[0]], place[1:], text)  # type: ignore[index]
    return copy


def like_packed(old: Any, new: Any) -> Any:
    """Return a new value as JSON in a text where the old one was so."""
    return json.dumps(new, ensure_ascii=False) if isinstance(old, str) else new


def joined(messages: Messages) -> str:
    """Return the texts of messages as one, blank lines between them."""
    return "\n\n".join(m.content for m in messages if m.content)
