"""The nouns of the text checks: an exchange as a check sees it, a span of evidence, a check, a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Literal, TypeAlias

from regold.record import Messages

Field: TypeAlias = Literal["instruction", "input", "response"]
FIELDS: tuple[Field, ...] = ("instruction", "input", "response")
LONGEST = 200_000
"""Characters of each text that are looked at; what lies behind is never read by a check."""


class Action(StrEnum):
    """What a check proposes for a record in which it finds something."""

    DROP = "drop"
    """Nothing here can be used."""
    REPAIR = "repair"
    """The fault can be mended without changing what is meant."""
    SUSPECT = "suspect"
    """Someone who knows more should look."""


class Strictness(IntEnum):
    """How much doubt is reported: each level holds the checks of those before it."""

    LENIENT = 1
    """Only what is a fault whatever the task."""
    NORMAL = 2
    """Also what nearly always is one."""
    STRICT = 3
    """Also hints that are often harmless."""


@dataclass(frozen=True)
class Exchange:
    """An instruction, the input it works on (often empty) and the response.

    In a conversation the instruction is the last user turn up to its first blank line, the input what follows it.
    """

    instruction: str
    input: str
    response: str
    follows: bool = False
    """Whether earlier turns stand before it, so that `the text above` may refer to them."""
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, messages: Messages, options: tuple[str, ...] = ()) -> Exchange:
        """Return the exchange that ends a conversation; the last message is the response."""
        asked = next((m for m in reversed(messages[:-1]) if m.role == "user"), None)
        instruction, _, given = (asked.content if asked else "").partition("\n\n")
        earlier = any(m.role == "assistant" for m in messages[:-1])
        return cls(instruction[:LONGEST], given[:LONGEST], messages[-1].content[:LONGEST], earlier, options)

    def text(self, field: Field) -> str:
        """Return one of the three texts."""
        return self.instruction if field == "instruction" else self.input if field == "input" else self.response

    @cached_property
    def joined(self) -> str:
        """Those of the three texts that are not empty, one below the other."""
        return "\n".join([text for text in (self.instruction, self.input, self.response) if text])

    @cached_property
    def asked(self) -> str:
        """The instruction in lower case, with straight quotes; as long as the instruction."""
        return folded(self.instruction)

    @cached_property
    def given(self) -> str:
        """The input in lower case, with straight quotes; as long as the input."""
        return folded(self.input)

    @cached_property
    def said(self) -> str:
        """The response in lower case, with straight quotes; as long as the response."""
        return folded(self.response)


@dataclass(frozen=True, slots=True)
class Span:
    """Where the evidence stands: characters `start` to `end` of one field; an absence is the empty span at 0."""

    field: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Check:
    """One named question to an exchange, answered by the spans that show the fault, or by none."""

    name: str
    about: str
    """What is wrong where it finds something, as one sentence for a person."""
    action: Action
    find: Callable[[Exchange], Iterable[Span]]
    level: Strictness = Strictness.NORMAL


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault that a check found."""

    check: str
    action: Action
    span: Span

    def excerpt(self, exchange: Exchange, most: int = 80) -> str:
        """Return the evidence itself, at most so many characters."""
        text = exchange.text(self.span.field)[self.span.start : self.span.end]
        return text if len(text) <= most else f"{text[: most - 1]}…"


_STRAIGHT = str.maketrans("‘’“”", "''\"\"")


def folded(text: str) -> str:
    """Return a text in lower case with straight quotes, every character at its place."""
    lower = text.lower()
    if len(lower) != len(text):  # a few capitals become two characters: leave those as they are
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lower if lower.isascii() else lower.translate(_STRAIGHT)


def whole(field: Field, text: str) -> Span:
    """Return the span of a text without the white space around it."""
    start = len(text) - len(text.lstrip())
    return Span(field, start, max(start, len(text.rstrip())))
