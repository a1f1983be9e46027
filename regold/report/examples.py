"""What a page shows of a record: its texts cut around the evidence, each as before, marked, after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from regold.formats import Row
from regold.methods.checks import FIELDS, Exchange, Field, Span
from regold.record import Message

WINDOW = 700
"""Characters of each text that an example shows, around its evidence."""


@dataclass(frozen=True)
class Part:
    """One text of a record, cut; `empty` where the text is blank and that is the fault."""

    name: str
    before: str
    marked: str = ""
    after: str = ""
    empty: bool = False


@dataclass(frozen=True)
class Shown:
    """One record as a page shows it."""

    id: str
    line: int
    parts: Sequence[Part] = ()


@dataclass
class Example:
    """One finding as a page shows it. Rows are places in the file, for the second reading that fetches the texts."""

    record: Shown
    note: str = ""
    row: int = -1
    other_rows: Sequence[int] = ()
    others: list[Shown] = field(default_factory=list)

    def fill(self, texts: Mapping[int, Row]) -> None:
        """Put in the texts of the record and of those it is compared with, marked where they differ."""
        mine = texts.get(self.row)
        others = [texts[row] for row in self.other_rows if row in texts]
        if mine is None or not others:
            return
        self.record = shown(mine, *_differ(mine, others[0]))
        self.others = [shown(other, *_differ(other, mine)) for other in others]


def shown(row: Row, *spans: Span) -> Shown:
    """Return a record with the evidence marked; an empty span says that the text itself is missing."""
    exchange = Exchange.of(row.messages, row.options)
    by_field = {span.field: span for span in reversed(spans)}
    parts = []
    for name in FIELDS:
        text, span = exchange.text(name), by_field.get(name)
        if span is not None:
            parts.append(part(name, text, span.start, span.end))
        elif text.strip():
            parts.append(part(name, text))
    return Shown(row.id, row.line, parts)


def of_message(row: Row, message: Message, start: int, end: int) -> Shown:
    """Return a record by the one turn that holds the evidence."""
    return Shown(row.id, row.line, [part(message.role, message.content, start, end)])


def part(name: str, text: str, start: int = 0, end: int = 0) -> Part:
    """Return a text cut around its evidence; without evidence, its beginning."""
    if start == end:
        cut = text if len(text) <= WINDOW else f"{text[:WINDOW]} …"
        return Part(name, cut, empty=not text.strip())
    low, high = max(0, start - WINDOW // 2), min(len(text), end + WINDOW // 2)
    before = ("… " if low else "") + text[low:start]
    if end - start > WINDOW:
        return Part(name, before, f"{text[start : start + WINDOW]} …")
    return Part(name, before, text[start:end], text[end:high] + (" …" if high < len(text) else ""))


def _differ(one: Row, other: Row) -> Iterator[Span]:
    """Yield in each text of the one record the stretch that is not in the other, whole words where they are short."""
    mine, theirs = Exchange.of(one.messages), Exchange.of(other.messages)
    for name in FIELDS:
        a, b = mine.text(name), theirs.text(name)
        if a == b:
            continue
        start, most = 0, min(len(a), len(b))
        while start < most and a[start] == b[start]:
            start += 1
        end = 0
        while end < most - start and a[-1 - end] == b[-1 - end]:
            end += 1
        if start < len(a) - end:
            yield _words(name, a, start, len(a) - end)


def _words(name: Field, text: str, start: int, end: int) -> Span:
    """Return a stretch widened to whole words."""
    while start and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return Span(name, start, end)
