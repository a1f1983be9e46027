"""Joins a file of scores to the records it speaks of, by id or by order, and counts all that does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regold.errors import InputError
from regold.formats.rows import WEIGHT, BadRow, did_you_mean
from regold.formats.sources import files
from regold.formats.text_files import Entry
from regold.formats.values import as_number, as_text, kind

SHOWN = 5
"""Faults of one kind that are named; all are counted."""

Value = float | None


@dataclass
class Joined:
    """The scores that found their record, and what did not fit."""

    columns: tuple[str, ...]
    scores: dict[str, list[Value]] = field(default_factory=dict)
    """By record id, one value a column; None where a cell is empty or no number."""
    rows: int = 0
    without: int = 0
    """Records that no row speaks of."""
    unknown: int = 0
    """Rows whose id no record has."""
    repeated: int = 0
    """Rows that say again what an earlier row of the same id says."""
    contradicted: int = 0
    """Rows that say something else than an earlier row of the same id: such a record has no score."""
    empty: int = 0
    """Cells without a value."""
    bad: int = 0
    """Lines that cannot be read and cells that hold no number."""
    faults: list[str] = field(default_factory=list)
    """The first of what is unknown, contradicted or bad, with its line."""

    def told(self) -> str:
        """Return the counts in a line."""
        counts = {
            "records without a score": self.without,
            "rows of unknown records": self.unknown,
            "rows given twice": self.repeated,
            "rows that contradict another": self.contradicted,
            "empty cells": self.empty,
            "cells or lines that cannot be read": self.bad,
        }
        others = "".join(f"; {count} {what}" for what, count in counts.items() if count)
        return f"{len(self.scores)} records scored out of {self.rows} rows{others}"

    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        names = ("rows", "without", "unknown", "repeated", "contradicted", "empty", "bad")
        return {"scored": len(self.scores), **{name: getattr(self, name) for name in names}}


def join_scores(path: Path, columns: Sequence[str], ids: Sequence[str], by: str = "id", key: str = "id") -> Joined:
    """Return the named columns of a jsonl, json, csv or parquet file, each row joined to its record.

    `by` "id": the column `key` holds the record's id. "row": the n-th row speaks of the n-th record.
    Raises InputError where a column is missing, no row fits, or `by` "row" finds another number of rows.
    """
    entries = [entry for file in files(path) for entry in file.entries()]
    _check_columns(path, entries, [*columns, *([key] if by == "id" else [])])
    joined = Joined(tuple(columns), rows=len(entries))
    if by == "row" and len(entries) != len(ids):
        raise InputError(f"{len(entries)} rows for {len(ids)} records; give the ids in a column and join by id", path)
    known = set(ids)
    contradicted: set[str] = set()
    for place, entry in enumerate(entries):
        id_ = ids[place] if by == "row" else _id(joined, entry, key)
        if entry.value is None:
            _fault(joined, "bad", entry.line, entry.fault)
        elif id_ is not None and id_ not in known:
            _fault(joined, "unknown", entry.line, f"no record has the id {id_!r}")
        elif id_ is not None:
            _take(joined, id_, [_number(joined, entry, column) for column in columns], entry.line, contradicted)
    for id_ in contradicted:
        del joined.scores[id_]
    joined.without = len(ids) - len(joined.scores)
    if not joined.scores:
        raise InputError(f"no row fits a record ({joined.told()}){''.join(f'; {f}' for f in joined.faults[:1])}", path)
    return joined


def score_columns(path: Path, key: str = "id") -> list[str]:
    """Return the columns of a file, other than `key`, that hold numbers and nothing else, in order."""
    found: dict[str, bool] = {}
    for file in files(path):
        for entry in file.entries():
            for name, value in (entry.value or {}).items():
                if value is not None and value != "" and name != key:
                    found[name] = found.get(name, True) and as_number(value) is not None
    return [name for name, numeric in found.items() if numeric]


def no_numbers(path: Path, key: str = "id") -> str:
    """Return, of the column with most numbers, its first cell that holds none; nothing where no column has one."""
    numbers: Counter[str] = Counter()
    first: dict[str, str] = {}
    for file in files(path):
        for entry in file.entries():
            for name, value in (entry.value or {}).items():
                if value is not None and value != "" and name != key:
                    numbers[name] += (good := as_number(value) is not None)
                    if not good:
                        first.setdefault(name, f" (line {entry.line}: {_told(name, value)})")
    return next((first[name] for name, count in numbers.most_common(1) if count), "")


def _check_columns(path: Path, entries: Iterable[Entry], wanted: Sequence[str]) -> None:
    known = list(dict.fromkeys(name for entry in entries if entry.value for name in entry.value))
    for name in wanted:
        if name not in known:
            listed = ", ".join(known[:20]) or "none"
            raise InputError(f"no column {name!r}{did_you_mean(name, known)}; it has: {listed}", path)


def _id(joined: Joined, entry: Entry, key: str) -> str | None:
    if entry.value is None:
        return None
    try:
        id_ = as_text(entry.value.get(key), f"the column {key}")
    except BadRow as error:
        _fault(joined, "bad", entry.line, str(error))
        return None
    if not id_:
        _fault(joined, "bad", entry.line, f"the column {key} is empty")
    return id_ or None


def _take(joined: Joined, id_: str, values: list[Value], line: int, contradicted: set[str]) -> None:
    if id_ not in joined.scores:
        joined.scores[id_] = values
    elif joined.scores[id_] == values:
        joined.repeated += 1
    else:
        contradicted.add(id_)
        _fault(joined, "contradicted", line, f"another score for {id_!r} than on an earlier line")


def _number(joined: Joined, entry: Entry, column: str) -> Value:
    value = (entry.value or {}).get(column)
    if value is None or value == "":
        joined.empty += 1
        return None
    number = as_number(value)
    if number is None:
        _fault(joined, "bad", entry.line, _told(column, value))
    return number


def _told(column: str, value: Any) -> str:
    said = repr(value)[:40] if isinstance(value, str) else kind(value)
    return f"the column {column} holds {said}, no number"


def _fault(joined: Joined, what: str, line: int, why: str) -> None:
    count = getattr(joined, what) + 1
    setattr(joined, what, count)
    if count <= SHOWN:
        joined.faults.append(f"line {line}: {why}")


def renamed(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the note for each column: as given, else its own name where that is a note's, else `import.<column>`.

    A column `loss_weight` stays what it is: the record's weight.
    """
    return {c: given.get(c, c if "." in c.strip(".") or c == WEIGHT else f"import.{c}") for c in columns}
