"""The nouns: a record, its messages, the edit a stage proposes, and the statuses it may carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

Note: TypeAlias = str | int | float | bool | Sequence[str] | Sequence[float] | None
"""What a stage may note on a record; its column type is declared by the stage as a `NoteType`."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class NoteType(StrEnum):
    """The column type of a note."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    TEXTS = "texts"
    VECTOR = "vector"


class Status(StrEnum):
    """Where a record stands while the run goes on."""

    NEW = "NEW"
    CLEAN = "CLEAN"
    SUSPECT = "SUSPECT"
    HIGH = "HIGH"
    LOW = "LOW"
    REPAIRED = "REPAIRED"
    FUSED = "FUSED"
    MERGED = "MERGED"
    DROPPED = "DROPPED"
    BORDERLINE = "BORDERLINE"
    FAILED = "FAILED"


class Fate(StrEnum):
    """How a record ends; derived once, when the run ends."""

    KEPT = "KEPT"
    REPAIRED = "REPAIRED"
    FUSED = "FUSED"
    MERGED = "MERGED"
    DROPPED = "DROPPED"
    BORDERLINE = "BORDERLINE"
    FAILED = "FAILED"


TRAINED_ON = frozenset({Fate.KEPT, Fate.REPAIRED, Fate.FUSED})
"""The fates whose records are written to `--out`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; what the engine does not read (tool calls, reasoning) rides in `extra`."""

    role: str
    content: str
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


Messages: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One instruction with the response given for it: the last message is the response, those before it the query."""

    id: str
    messages: Messages
    options: tuple[str, ...] = ()
    """The texts of the legal answers, in order A, B, C, ...; empty for open questions."""
    status: Status = Status.NEW
    notes: Mapping[str, Note] = field(default_factory=lambda: NOTHING)
    """Only the notes that the running stage declared in `reads`."""
    weight: float = 1.0

    @property
    def query(self) -> Messages:
        """Return the messages before the response."""
        return self.messages[:-1]

    @property
    def question(self) -> str:
        """Return the text of the last user turn, the one the response answers."""
        return next((m.content for m in reversed(self.query) if m.role == "user"), "")

    @property
    def response(self) -> str:
        """Return the text of the response."""
        return self.messages[-1].content

    def answered(self, response: str) -> Messages:
        """Return the messages with `response` in place of the given one."""
        return (*self.query, replace(self.messages[-1], content=response))


@dataclass(frozen=True, slots=True)
class Edit:
    """What a stage proposes for one record; the runner applies it and writes it to the trail."""

    status: Status | None = None
    """The new status, or None to leave it."""
    reason: str = ""
    messages: Messages | None = None
    """The new messages, or None to leave them."""
    notes: Mapping[str, Note] = field(default_factory=lambda: NOTHING)
    weight: float | None = None
    into: str | None = None
    """With `Status.MERGED`: the id of the record this one went into."""
