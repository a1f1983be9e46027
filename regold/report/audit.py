"""An audit: every check over a whole file, with no model; findings line by line, counts, and examples for a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import numpy as np

from regold.files import replacing
from regold.formats import Row, read
from regold.methods.checks import CHECKS, FIELDS, Check, Exchange, Finding, examine
from regold.methods.checks.score import score, shipped_weights
from regold.methods.similar import Contamination, contradictions, near_duplicates, signatures, spaced
from regold.run import Source

EXAMPLES = 12
"""Examples kept of each check, drawn evenly over the whole file."""
WINDOW = 700
"""Characters of each text that an example shows, around its evidence."""
CHUNK = 500
LATE: Mapping[str, tuple[str, str]] = {
    "exact-duplicate": ("drop", "An earlier record says exactly the same."),
    "near-duplicate": ("drop", "An earlier record says nearly the same."),
    "contradiction": ("suspect", "The same question is answered otherwise elsewhere."),
    "contamination": ("drop", "It shares text with an evaluation set."),
}
"""The checks that need the whole file: action and what is wrong."""


@dataclass(frozen=True)
class Settings:
    """What an audit does."""

    checks: Sequence[Check]
    late: Sequence[str] = tuple(LATE)
    """Which of the checks of the whole file run."""
    against: tuple[Path, ...] = ()
    """Evaluation files to look for."""
    words: int = 13
    """Words in a row that count as taken from an evaluation file."""
    workers: int = 2


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
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return the counts as one JSON object."""
        named = {"data": self.data, "records": self.records, "rejected": self.rejected, "flagged": self.flagged}
        return {**named, "findings": self.findings, "actions": self.actions, "checks": self.counts}


Tick = Callable[[int], None]


def audit(source: Source, settings: Settings, findings: Path | None = None, tick: Tick = lambda n: None) -> Audit:
    """Read a file once and return what the checks find; with a path, write one finding a line there.

    Memory holds per record an id, two hashes and a signature, never the texts. Raises InputError as reading does.
    """
    with ExitStack() as stack:
        out = stack.enter_context(replacing(findings)) if findings else None
        book = _Book(Audit(str(source.path)), out)
        known = _contamination(settings)
        keep = _Whole(settings.late)
        for rows, found in _examined(source, settings, book.audit, stack):
            keep.add(rows, found)
            for row, some in zip(rows, found.findings, strict=True):
                book.add(row, some, _shared(row, known))
            tick(len(rows))
        book.later(keep.duplicates())
        return book.close()


def _contamination(settings: Settings) -> Contamination | None:
    texts: dict[str, str] = {}
    for path in settings.against:
        for row in read(path, on_bad_line="skip"):
            if isinstance(row, Row):
                texts[f"{path.name} {row.id}"] = "\n".join(m.content for m in row.messages[:-1])
    return Contamination(texts, settings.words) if texts else None


@dataclass(frozen=True)
class Examined:
    """What a worker returns for a chunk: findings, keys of the questions and the responses, signatures."""

    findings: list[list[Finding]]
    asked: list[bytes]
    said: list[bytes]
    signatures: np.ndarray | None


def _examined(
    source: Source, settings: Settings, audit: Audit, stack: ExitStack
) -> Iterator[tuple[list[Row], Examined]]:
    """Yield the rows in order, a chunk at a time, with their findings; at most a few chunks are in flight."""
    job = partial(_examine, tuple(check.name for check in settings.checks), "near-duplicate" in settings.late)
    chunks = _chunks(source, audit)
    if settings.workers < 2:
        for rows in chunks:
            yield rows, job([_texts(row) for row in rows])
        return
    pool = stack.enter_context(ProcessPoolExecutor(settings.workers))
    waiting: list[tuple[list[Row], Future[Examined]]] = []
    for rows in chunks:
        waiting.append((rows, pool.submit(job, [_texts(row) for row in rows])))
        if len(waiting) > 3 * settings.workers:
            first, done = waiting.pop(0)
            yield first, done.result()
    for rows, done in waiting:
        yield rows, done.result()


def _chunks(source: Source, audit: Audit) -> Iterator[list[Row]]:
    rows: list[Row] = []
    for item in source.read():
        if not isinstance(item, Row):
            audit.rejected += 1
            continue
        rows.append(item)
        if len(rows) == CHUNK:
            yield rows
            rows = []
    if rows:
        yield rows


def _texts(row: Row) -> tuple[Exchange, str]:
    """Return the exchange, and all that stands before the response."""
    return Exchange.of(row.messages, row.options), "\n".join(m.content for m in row.messages[:-1])


def _examine(names: Sequence[str], sign: bool, given: Sequence[tuple[Exchange, str]]) -> Examined:
    checks = [CHECKS[name] for name in names]
    findings = [examine(exchange, checks) for exchange, _ in given]
    signed = signatures(f"{asked}\n{exchange.response}" for exchange, asked in given) if sign else None
    return Examined(findings, [_key(asked) for _, asked in given], [_key(e.response) for e, _ in given], signed)


def _key(text: str) -> bytes:
    return blake2b(spaced(text).encode(errors="replace"), digest_size=12).digest()


def _shared(row: Row, known: Contamination | None) -> tuple[str, str] | None:
    """Return the role of the turn and the evaluation text that it shares words with, if any."""
    if known is not None:
        for message in row.messages:
            if found := known.find(message.content):
                return message.role, found[0]
    return None


class _Whole:
    """Keeps of every record what tells duplicates and contradictions."""

    def __init__(self, late: Sequence[str]) -> None:
        self._late = late
        self._ids: list[tuple[str, int]] = []
        self._asked: list[bytes] = []
        self._said: list[bytes] = []
        self._signatures: list[np.ndarray] = []

    def add(self, rows: Sequence[Row], found: Examined) -> None:
        """Keep a chunk of records."""
        self._ids.extend((row.id, row.line) for row in rows)
        self._asked.extend(found.asked)
        self._said.extend(found.said)
        if found.signatures is not None:
            self._signatures.append(found.signatures)

    def duplicates(self) -> Iterator[tuple[str, str, int, str]]:
        """Yield check, id, line and what it is to which other record."""
        exact: dict[tuple[bytes, bytes], int] = {}
        same = {}
        for row, key in enumerate(zip(self._asked, self._said, strict=True)):
            if exact.setdefault(key, row) != row:
                same[row] = exact[key]
        if "exact-duplicate" in self._late:
            yield from (("exact-duplicate", *self._ids[a], f"same as {self._ids[b][0]}") for a, b in same.items())
        if "near-duplicate" in self._late and self._signatures:
            near = near_duplicates(np.concatenate(self._signatures))
            pairs = ((a, b) for a, b in near.items() if a not in same)
            yield from (("near-duplicate", *self._ids[a], f"nearly {self._ids[b][0]}") for a, b in pairs)
        if "contradiction" in self._late:
            found = contradictions([a.hex() for a in self._asked], [s.hex() for s in self._said])
            for a, others in found.items():
                named = ", ".join(self._ids[b][0] for b in others[:5])
                yield "contradiction", *self._ids[a], f"answered otherwise in {named}"


class _Book:
    """Counts findings, writes them down and keeps examples."""

    def __init__(self, audit: Audit, out: BinaryIO | None) -> None:
        self.audit = audit
        self._out = out
        self._random = Random(0)
        self._worst: dict[str, str] = {}

    def add(self, row: Row, found: Sequence[Finding], shared: tuple[str, str] | None) -> None:
        """Take the findings of one record."""
        self.audit.records += 1
        if not found and shared is None:
            return
        exchange = Exchange.of(row.messages, row.options)
        chance = round(score({f.check for f in found}, shipped_weights()), 3)
        seen: set[str] = set()
        for f in found:
            span = [f.span.start, f.span.end]
            self._line(row.id, row.line, f.check, str(f.action), f.span.field, span, f.excerpt(exchange))
            if f.check not in seen:
                seen.add(f.check)
                self._example(f.check, partial(example, row, exchange, f, chance))
        if shared is not None:
            action = LATE["contamination"][0]
            self._line(row.id, row.line, "contamination", action, shared[0], [0, 0], shared[1])
            self._example("contamination", partial(_bare, row.id, row.line, shared[1]))

    def later(self, found: Iterable[tuple[str, str, int, str]]) -> None:
        """Take the findings of the whole file."""
        for check, id_, line, note in found:
            self._line(id_, line, check, LATE[check][0], "record", [0, 0], note)
            self._example(check, partial(_bare, id_, line, note))

    def close(self) -> Audit:
        """Return the audit with its totals."""
        self.audit.flagged = len(self._worst)
        for action in self._worst.values():
            self.audit.actions[action] = self.audit.actions.get(action, 0) + 1
        self.audit.counts = dict(sorted(self.audit.counts.items(), key=lambda item: (-item[1], item[0])))
        return self.audit

    def _line(self, id_: str, line: int, check: str, action: str, where: str, span: list[int], excerpt: str) -> None:
        self.audit.findings += 1
        order = ("drop", "repair", "suspect")
        self._worst[id_] = min(self._worst.get(id_, action), action, key=order.index)
        if self._out is not None:
            value = {"id": id_, "line": line, "check": check, "action": action, "field": where, "span": span}
            text = json.dumps({**value, "excerpt": excerpt}, ensure_ascii=False)
            self._out.write(f"{text}\n".encode(errors="backslashreplace"))

    def _example(self, check: str, make: Callable[[], dict[str, Any]]) -> None:
        """Count the record and keep an even sample of examples (reservoir sampling, seeded)."""
        number = self.audit.counts[check] = self.audit.counts.get(check, 0) + 1
        kept = self.audit.examples.setdefault(check, [])
        if number <= EXAMPLES:
            kept.append(make())
        elif (place := self._random.randrange(number)) < EXAMPLES:
            kept[place] = make()


def _bare(id_: str, line: int, note: str) -> dict[str, Any]:
    return {"id": id_, "line": line, "note": note, "parts": []}


def example(row: Row, exchange: Exchange, finding: Finding, chance: float) -> dict[str, Any]:
    """Return one record for a page: its texts cut around the evidence, each as before, marked, after."""
    parts = []
    for name in FIELDS:
        text = exchange.text(name)
        if name == finding.span.field:
            start, end = finding.span.start, finding.span.end
            low, high = max(0, start - WINDOW // 2), min(len(text), max(end, start) + WINDOW // 2)
            marked = text[start:end] if end - start <= WINDOW else f"{text[start : start + WINDOW]} …"
            before = ("… " if low else "") + text[low:start]
            after = text[end:high] + (" …" if high < len(text) else "")
            parts.append({"name": name, "before": before, "marked": marked, "after": after, "empty": not text.strip()})
        elif text.strip():
            cut = text if len(text) <= WINDOW else f"{text[:WINDOW]} …"
            parts.append({"name": name, "before": cut, "marked": "", "after": "", "empty": False})
    return {"id": row.id, "line": row.line, "note": "", "parts": parts, "chance": chance}
