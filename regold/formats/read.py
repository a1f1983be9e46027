"""From a path to rows: one record at a time, each understood or refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from regold.errors import InputError
from regold.fingerprint import digest, file_digest
from regold.formats.detect import SAMPLE, check_columns, detect
from regold.formats.rows import NOISE, RESERVED, TRUTH, WEIGHT, BadRow, Columns, Reject, Row
from regold.formats.shapes import Shape, shape_of
from regold.formats.sources import File, files
from regold.formats.text_files import Entry
from regold.formats.values import as_number, as_text, kind, snippet

_NONE: Mapping[str, str] = {}
_SKIP = "mend the line, or leave such lines out (--on-bad-line skip, where a command takes it)"


@dataclass(frozen=True)
class Source:
    """A data file or folder and how to read it."""

    path: Path
    format: str | None = None
    turns: str = "last"
    on_bad_line: str = "stop"
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column plays which part, such as {"response": "noisy30"}."""

    def read(self) -> Iterator[Row | Reject]:
        """Yield the rows, and with on_bad_line="skip" the rejected lines. Raises InputError naming file and line."""
        return read(self.path, **self._how)

    def rows(self) -> Iterator[Row]:
        """Yield the rows alone. Raises InputError as `read` does."""
        return read_rows(self.path, **self._how)

    @property
    def _how(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "path"}

    def digest(self) -> str:
        """Return the digest of the contents and of how they are read. Raises InputError where there is nothing."""
        paths = [file.path for file in files(self.path)]
        contents = [[p.relative_to(self.path).as_posix(), file_digest(p)] for p in paths]
        return digest(contents, self.format, self.turns, self.on_bad_line, dict(self.columns))


def read(
    path: Path,
    *,
    format: str | None = None,
    turns: str = "last",
    on_bad_line: str = "stop",
    columns: Columns = _NONE,
) -> Iterator[Row | Reject]:
    """Yield the records of a file or folder in order, in memory that grows only with the ids the data itself gives.

    `turns`: `last` makes one record of a conversation, whose response is the last assistant turn; `all` makes a record
    `id#t` of every assistant turn. `on_bad_line`: `stop` raises InputError at the first bad line, `skip` yields a
    Reject for each. `columns` names columns by the roles they play, such as `{"response": "noisy30"}`.
    An id is the record's own `id` as text, else its 0-based position, refused records counted.
    Raises InputError for faults of a whole file under either setting.
    """
    _known("turns", turns, ("last", "all"))
    _known("on_bad_line", on_bad_line, ("stop", "skip"))
    for _, rows in understood(path, format, columns, turns):
        for row in rows:
            if isinstance(row, Reject) and on_bad_line == "stop":
                raise InputError(f"{row.reason}; {_SKIP}", row.file, row.line)
            yield row


def read_rows(
    path: Path,
    *,
    format: str | None = None,
    turns: str = "last",
    on_bad_line: str = "stop",
    columns: Columns = _NONE,
) -> Iterator[Row]:
    """Yield the records alone, as `read` does; with on_bad_line="skip" bad lines are passed over."""
    found = read(path, format=format, turns=turns, on_bad_line=on_bad_line, columns=columns)
    return (row for row in found if isinstance(row, Row))


def understood(
    path: Path, format: str | None, columns: Columns, turns: str = "last"
) -> Iterator[tuple[Entry, list[Row] | list[Reject]]]:
    """Yield every entry of a file or folder with the rows it stands for, or with its reject."""
    ids = _Ids()
    shape = shape_of(format) if format else None
    for file in files(path):
        head, rest = _head(file)
        values = [entry.value for entry in head if entry.value is not None]
        if values:
            check_columns(columns, values, file.path)
            shape = shape_of(format or detect(values, columns, file.path))
        reader = _Reader(str(file.path), shape, columns, turns, ids)
        for entry in chain(head, rest):
            yield entry, reader.rows(entry)
    if not ids.seen:
        raise InputError("no records in it", path)


def _head(file: File) -> tuple[list[Entry], Iterator[Entry]]:
    """Return the entries up to the sample's last good one, and the rest."""
    entries, good = file.entries(), 0
    head: list[Entry] = []
    for entry in entries:
        head.append(entry)
        good += entry.value is not None
        if good == SAMPLE:
            break
    return head, entries


@dataclass(frozen=True)
class _Reader:
    """Understand the entries of one file, one after the other."""

    file: str
    shape: Shape | None
    """None where the file's first records are all torn."""
    columns: Columns
    turns: str
    ids: _Ids

    def rows(self, entry: Entry) -> list[Row] | list[Reject]:
        """Return the rows an entry stands for, or its reject."""
        position = self.ids.position()
        try:
            if entry.value is None or self.shape is None:
                raise BadRow(entry.fault)
            row = self._row(entry.value, entry.line, position, self.shape)
            return _turns(row, self.shape, self.columns) if self.turns == "all" else [row]
        except BadRow as error:
            raw = entry.raw or (snippet(entry.value) if entry.value is not None else "")
            return [Reject(self.file, entry.line, f"{error}{entry.where}", raw)]

    def _row(self, value: Mapping[str, Any], line: int, position: int, shape: Shape) -> Row:
        columns = self.columns
        source = value if RESERVED.isdisjoint(value) else {n: v for n, v in value.items() if n not in RESERVED}
        parsed = shape.parse(source, columns)
        truth = as_text(value[TRUTH], TRUTH) if value.get(TRUTH) is not None else None
        if (named := columns.get("truth")) and source.get(named) is not None:
            truth = shape.answer(source, columns, source[named])
        noise = as_text(value[NOISE], NOISE) if value.get(NOISE) else None
        messages = tuple([turn.message for turn in parsed.turns[: parsed.end()]])
        id_ = self.ids.take(value.get(columns.get("id", "id")), position, line)
        weight = weight_of(value)
        return Row(id_, messages, parsed.options, source, self.file, line, shape.name, truth, noise, weight)


def weight_of(source: Mapping[str, Any]) -> float:
    """Return how much a row counts in training. Raises BadRow for what is no finite number of at least 0."""
    value = source.get(WEIGHT)
    if value is None or value == "":
        return 1.0
    number = as_number(value)
    if number is None or number < 0:
        said = repr(value)[:40] if isinstance(value, str | float | int) else kind(value)
        raise BadRow(f"{WEIGHT} is {said}, expected a number of at least 0")
    return number


def _turns(row: Row, shape: Shape, columns: Columns) -> list[Row]:
    parsed = shape.parse(row.source, columns)
    last = len(parsed.answers) - 1
    return [
        replace(
            row,
            id=f"{row.id}#{turn}",
            messages=parsed.messages[: parsed.end(turn)],
            turn=turn,
            truth=row.truth if turn == last else None,
            noise=row.noise if turn == last else None,
        )
        for turn in range(last + 1)
    ]


@dataclass
class _Ids:
    """Give every entry its id and refuse one given before. Keeps own ids whole, positions as one byte each."""

    seen: int = 0
    own: dict[str, int] = field(default_factory=dict)
    positional: bytearray = field(default_factory=bytearray)

    def position(self) -> int:
        """Count one entry and return its 0-based position."""
        self.seen += 1
        self.positional.append(0)
        return self.seen - 1

    def take(self, own: Any, position: int, line: int) -> str:
        """Return the id of the entry at a position. Raises BadRow for a duplicate or an id that is no scalar."""
        if own is None or own == "":
            text = str(position)
            self._refuse(text)
            self.positional[position] = 1
            return text
        if isinstance(own, bool | list | dict):
            raise BadRow(f"the id is {kind(own)}, expected text or a number")
        text = as_text(own, "the id")
        self._refuse(text)
        self.own[text] = line
        return text

    def _refuse(self, text: str) -> None:
        if text in self.own:
            raise BadRow(f"duplicate id {text!r}, first given on line {self.own[text]}")
        place = int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else -1
        if 0 <= place < len(self.positional) and self.positional[place] and text == str(place):
            raise BadRow(f"duplicate id {text!r}: the record at that position has no id of its own and took it")


def _known(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{what} is {value!r}; it must be {' or '.join(known)}")
