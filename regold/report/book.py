"""The book of an audit: counts findings, writes them down line by line, and keeps examples for the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, BinaryIO

from regold.formats import Row
from regold.methods.checks import Exchange, Finding
from regold.report.examples import Example, Shown, of_message, shown
from regold.report.whole import LATE, Late, Whole

EXAMPLES = 12
"""Examples kept of each check, drawn evenly over the whole file."""
ORDER = ("drop", "repair", "suspect")

Shared = tuple[int, str, int, int]
"""Which turn shares words with which evaluation text, and where in the turn."""


@dataclass
class Audit:
    """What an audit found. `counts` are records, not findings."""

    data: str
    records: int = 0
    rejected: int = 0
    flagged: int = 0
    findings: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)
    """Records by the gravest action proposed for them."""
    about: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Action and what is wrong, by check."""
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return the counts as one JSON object."""
        named = {"data": self.data, "records": self.records, "rejected": self.rejected, "flagged": self.flagged}
        return {**named, "findings": self.findings, "actions": self.actions, "checks": self.counts}


class Book:
    """Takes findings in the order of the file, then those of the whole file."""

    def __init__(self, audit: Audit, out: BinaryIO | None) -> None:
        self.audit = audit
        self._out = out
        self._random = Random(0)
        self._worst: dict[str, str] = {}

    def add(self, row: Row, found: Sequence[Finding], shared: Shared | None) -> None:
        """Take the findings of one record."""
        self.audit.records += 1
        if not found and shared is None:
            return
        exchange = Exchange.of(row.messages, row.options)
        seen: set[str] = set()
        for f in found:
            evidence = {"field": f.span.field, "span": [f.span.start, f.span.end], "excerpt": f.excerpt(exchange)}
            self._line(row.id, row.line, f.check, str(f.action), evidence)
            if f.check not in seen:
                seen.add(f.check)
                self._example(f.check, lambda f=f: Example(shown(row, f.span)))  # type: ignore[misc]
        if shared is not None:
            turn, name, start, end = shared
            message = row.messages[turn]
            evidence = {"field": message.role, "span": [start, end], "excerpt": message.content[start:end][:200]}
            self._line(row.id, row.line, "contamination", LATE["contamination"][0], {**evidence, "other": [name]})
            self._example(
                "contamination", lambda: Example(of_message(row, message, start, end), f"shares words with {name}")
            )

    def later(self, found: Iterable[Late], whole: Whole) -> None:
        """Take the findings of the whole file."""
        for f in found:
            id_, line = whole.ids[f.row], whole.lines[f.row]
            other = [f.known] if f.known else [whole.ids[row] for row in f.others]
            evidence = {"field": "record", "span": [0, 0], "excerpt": f.note, "other": other}
            self._line(id_, line, f.check, LATE[f.check][0], evidence)
            self._example(f.check, partial(Example, Shown(id_, line), f.note, f.row, f.others[:1]))

    def wanted(self) -> set[int]:
        """Return the rows whose texts the examples of the whole file show."""
        return {row for example in self._open() for row in (example.row, *example.other_rows)}

    def fill(self, texts: dict[int, Row]) -> None:
        """Put texts into the examples of the whole file."""
        for example in self._open():
            example.fill(texts)

    def _open(self) -> Iterator[Example]:
        return (e for examples in self.audit.examples.values() for e in examples if e.row >= 0)

    def close(self) -> Audit:
        """Return the audit with its totals."""
        self.audit.flagged = len(self._worst)
        for action in self._worst.values():
            self.audit.actions[action] = self.audit.actions.get(action, 0) + 1
        self.audit.counts = dict(sorted(self.audit.counts.items(), key=lambda item: (-item[1], item[0])))
        return self.audit

    def _line(self, id_: str, line: int, check: str, action: str, evidence: dict[str, Any]) -> None:
        self.audit.findings += 1
        self._worst[id_] = min(self._worst.get(id_, action), action, key=ORDER.index)
        if self._out is not None:
            value = {"id": id_, "line": line, "check": check, "action": action, **evidence}
            self._out.write(f"{json.dumps(value, ensure_ascii=False)}\n".encode(errors="backslashreplace"))

    def _example(self, check: str, make: Callable[[], Example]) -> None:
        """Count the record and keep an even sample of examples (reservoir sampling, seeded)."""
        number = self.audit.counts[check] = self.audit.counts.get(check, 0) + 1
        kept = self.audit.examples.setdefault(check, [])
        if number <= EXAMPLES:
            kept.append(make())
        elif (place := self._random.randrange(number)) < EXAMPLES:
            kept[place] = make()
