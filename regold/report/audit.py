"""An audit: every check over a whole file, with no model; findings line by line, counts, and examples for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from pathlib import Path

from regold.engines import EngineSpec
from regold.files import replacing
from regold.formats import Row, Source, read
from regold.methods.checks import CHECKS, Check, Exchange, Finding, examine
from regold.methods.measures import limit
from regold.methods.similar import Contamination, Sketches, plainly, sketch
from regold.record import Message
from regold.report.book import Audit, Book, Shared
from regold.report.meaning import by_meaning
from regold.report.whole import LATE, Whole

CHUNK = 500
COPIES = ("exact-duplicate", "near-duplicate", "same-meaning")
"""The checks that tell copies from each other by the key of the whole record."""


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
    limits: tuple[str, ...] = ()
    """Such as `response.words=3..2000`; a record outside is found."""
    encoder: EngineSpec | None = None
    """What tells texts alike by meaning, if anything."""
    alike: float = 0.95
    """The cosine from which two texts are alike."""
    workers: int = 2
    examples: bool = True
    """Whether the file is read once more for the texts that examples of duplicates show."""


Tick = Callable[[int], None]


def audit(source: Source, settings: Settings, findings: Path | None = None, tick: Tick = lambda n: None) -> Audit:
    """Read a file and return what the checks find; with a path, write one finding a line there.

    Memory holds per record an id, hashes, a sketch and with an encoder a vector, never the texts. Raises InputError
    as reading does.
    """
    whole = Whole()
    with ExitStack() as stack:
        out = stack.enter_context(replacing(findings)) if findings else None
        book = Book(Audit(str(source.path), about=_about(settings)), out)
        for rows, found in _examined(source, settings, book.audit, stack):
            whole.ids.extend(row.id for row in rows)
            whole.lines.extend(row.line for row in rows)
            found.join(whole)
            for row, some, shared in zip(rows, found.findings, found.shared, strict=True):
                book.add(row, some, shared)
            tick(len(rows))
        book.later(whole.duplicates(settings.late), whole)
        if settings.encoder is not None:
            known = evaluation_texts(settings.against) if "contamination-meaning" in settings.late else {}
            meant = by_meaning(partial(_rows, source), whole, settings.encoder, settings.alike, known)
            book.later((late for late in meant if late.check in settings.late), whole)
        if settings.examples and (wanted := book.wanted()):
            book.fill({n: row for n, row in enumerate(_rows(source)) if n in wanted})
        return book.close()


def _about(settings: Settings) -> dict[str, tuple[str, str]]:
    checks = [*settings.checks, *(limit(text).check() for text in settings.limits)]
    return {c.name: (str(c.action), c.about) for c in checks} | dict(LATE)


def _rows(source: Source) -> Iterator[Row]:
    return (row for row in source.read() if isinstance(row, Row))


def evaluation_texts(paths: Sequence[Path]) -> dict[str, str]:
    """Return the questions of evaluation files by file and id. Raises InputError as reading does."""
    rows = ((path.name, row) for path in paths for row in read(path, on_bad_line="skip") if isinstance(row, Row))
    return {f"{name} {row.id}": "\n".join(m.content for m in row.messages[:-1]) for name, row in rows}


@lru_cache(maxsize=1)
def _contamination(paths: tuple[Path, ...], words: int) -> Contamination:
    """Return the n-grams; each worker makes its own, once."""
    return Contamination(evaluation_texts(paths), words)


@dataclass(frozen=True)
class Work:
    """What a worker is told once for all its chunks."""

    checks: tuple[str, ...]
    late: frozenset[str]
    limits: tuple[str, ...]
    against: tuple[Path, ...]
    words: int


@dataclass(frozen=True)
class Examined:
    """What a worker returns for a chunk of records; keys and sketches only where a check needs them."""

    findings: list[list[Finding]]
    shared: list[Shared | None]
    exact: list[bytes]
    asked: list[bytes]
    said: list[bytes]
    sketches: Sketches | None

    def join(self, whole: Whole) -> None:
        """Add the keys to those of the whole file."""
        whole.exact.extend(self.exact)
        whole.asked.extend(self.asked)
        whole.said.extend(self.said)
        if self.sketches is not None:
            whole.sketches.append(self.sketches)


Given = tuple[list[tuple[str, str]], tuple[str, ...]]
"""A record on its way to a worker: roles and texts of the turns, and the options."""


def _examined(
    source: Source, settings: Settings, audit: Audit, stack: ExitStack
) -> Iterator[tuple[list[Row], Examined]]:
    """Yield the rows in order, a chunk at a time, with their findings; at most a few chunks are in flight."""
    names = tuple(check.name for check in settings.checks)
    against = settings.against if "contamination" in settings.late else ()
    if against:
        _contamination(against, settings.words)  # a file that cannot be read is told of here, not in a worker
    job = partial(_examine, Work(names, frozenset(settings.late), settings.limits, against, settings.words))
    chunks = _chunks(source, audit)
    if settings.workers < 2:
        for rows in chunks:
            yield rows, job([_given(row) for row in rows])
        return
    pool = stack.enter_context(ProcessPoolExecutor(settings.workers))
    waiting: list[tuple[list[Row], Future[Examined]]] = []
    for rows in chunks:
        waiting.append((rows, pool.submit(job, [_given(row) for row in rows])))
        if len(waiting) > 3 * settings.workers:
            first, done = waiting.pop(0)
            yield first, done.result()
    for rows, done in waiting:
        yield rows, done.result()


def _given(row: Row) -> Given:
    return [(message.role, message.content) for message in row.messages], row.options


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


def _examine(work: Work, given: Sequence[Given]) -> Examined:
    checks = [*(CHECKS[name] for name in work.checks), *(limit(text).check() for text in work.limits)]
    findings = [examine(_exchange(*one), checks) for one in given] if checks else [[] for _ in given]
    turns = [[text for _, text in messages] for messages, _ in given]
    shared = [_shared(texts, work) for texts in turns]
    keys: Mapping[str, list[bytes]] = {"exact": [], "asked": [], "said": []}
    for texts, (messages, options) in zip(turns, given, strict=True):
        if not work.late.isdisjoint(COPIES):
            roles = "\x1e".join(role for role, _ in messages)
            keys["exact"].append(_key("\x1e".join([roles, *texts, *options])))
        if "contradiction" in work.late:
            asked = plainly("\n".join([*texts[:-1], *options]))
            keys["asked"].append(_key(asked) if asked else b"")
            keys["said"].append(_key(plainly(texts[-1])))
    drawn = sketch("\n".join(texts) for texts in turns) if "near-duplicate" in work.late else None
    return Examined(findings, shared, keys["exact"], keys["asked"], keys["said"], drawn)


def _exchange(messages: Sequence[tuple[str, str]], options: tuple[str, ...]) -> Exchange:
    return Exchange.of(tuple(Message(role, text) for role, text in messages), options)


def _key(text: str) -> bytes:
    return blake2b(" ".join(text.split()).encode(errors="replace"), digest_size=12).digest()


def _shared(texts: Sequence[str], work: Work) -> Shared | None:
    """Return the turn and the evaluation text that it shares words with, if any."""
    if work.against:
        known = _contamination(work.against, work.words)
        for turn, text in enumerate(texts):
            if found := known.find(text):
                return turn, *found
    return None
