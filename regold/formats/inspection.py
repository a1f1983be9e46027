"""What a data file holds, counted: for a first look before any work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regold.formats.read import understood
from regold.formats.rows import RESERVED, Columns, Reject, Row
from regold.formats.shapes import shape_of
from regold.formats.sources import files
from regold.formats.values import kind


@dataclass(frozen=True, slots=True)
class Column:
    """One column: in how many records it holds something, and what."""

    name: str
    filled: int
    """Records where it is there, not null and not the empty text."""
    types: Mapping[str, int]
    """Records by the type of the value, in words; `null` too."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file or folder holds. `records` and `rejected` add up to the entries read."""

    files: tuple[str, ...]
    container: str
    format: str | None
    """None where no record could be understood at all."""
    columns: tuple[Column, ...]
    response: str | None
    """The column that the first record's response is taken from."""
    records: int
    rejected: int
    rejects: tuple[Reject, ...]
    """The first of them."""
    reasons: Mapping[str, int]
    """How often each reason occurs, its particulars cut off, most frequent first."""
    turns: int
    """Assistant turns, which `turns="all"` would make records of."""
    conversations: int
    """Records with more than one assistant turn."""
    empty: int
    """Records whose response is blank."""
    with_options: int
    with_truth: int


def inspect(path: Path, *, format: str | None = None, columns: Columns | None = None, first: int = 10) -> Inspection:
    """Read everything once and return what is there, with the first refused lines. Raises InputError as `read` does."""
    types: dict[str, Counter[str]] = {}
    filled: Counter[str] = Counter()
    facts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rejects: list[Reject] = []
    name: str | None = None
    response: str | None = None
    for entry, found in understood(path, format, columns or {}, "all"):
        for column, value in (entry.value or {}).items():
            types.setdefault(column, Counter())[kind(value)] += 1
            filled[column] += value is not None and value != ""
        last = found[-1]
        if isinstance(last, Reject):
            facts["rejected"] += 1
            reasons[last.reason.removesuffix(entry.where).partition(":")[0]] += 1
            rejects += [last] if len(rejects) < first else []
        else:
            name = last.format
            response = response or _response(last, columns or {})
            facts.update(_facts(last, len(found)))
    return Inspection(
        files=tuple(str(file.path) for file in files(path)),
        container=files(path)[0].label,
        format=name,
        columns=tuple(Column(n, filled[n], dict(types[n])) for n in types if n not in RESERVED),
        response=response,
        records=facts["records"],
        rejected=facts["rejected"],
        rejects=tuple(rejects),
        reasons=dict(reasons.most_common()),
        turns=facts["turns"],
        conversations=facts["conversations"],
        empty=facts["empty"],
        with_options=facts["with_options"],
        with_truth=facts["with_truth"],
    )


def _response(row: Row, columns: Columns) -> str:
    parsed = shape_of(row.format).parse(row.source, columns)
    return str(parsed.turns[parsed.answers[-1]].place[0])


def _facts(row: Row, turns: int) -> dict[str, int]:
    return {
        "records": 1,
        "turns": turns,
        "conversations": int(turns > 1),
        "empty": int(not row.messages[-1].content.strip()),
        "with_options": int(bool(row.options)),
        "with_truth": int(row.truth is not None),
    }
