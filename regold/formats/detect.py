"""Which format the records of a file have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regold.errors import InputError
from regold.formats.rows import RESERVED, ROLES, Columns, did_you_mean
from regold.formats.shapes import SHAPES

SAMPLE = 16
"""How many records are looked at."""


def detect(rows: Sequence[Mapping[str, Any]], columns: Columns, path: Path) -> str:
    """Return the format most of the rows fit. Raises InputError naming what was found and what is expected."""
    votes = {shape.name: sum(shape.fits(row, columns) for row in rows) for shape in SHAPES}
    best = max(votes, key=lambda name: votes[name])
    if votes[best]:
        return best
    names = _names(rows)
    known = {name for shape in SHAPES for name in shape.known}
    near = next((hint for hint in (did_you_mean(n, known) for n in names) if hint), "")
    expected = "; or ".join(shape.expected for shape in SHAPES)
    raise InputError(
        f"no known format has the columns {', '.join(names) or '(none)'}{near or '.'} Expected one of: {expected}. "
        "Columns with other names can be given as query and response",
        path,
    )


def check_columns(columns: Columns, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Raise InputError for a role that does not exist or a column that none of the rows has."""
    names = _names(rows)
    for role, name in columns.items():
        if role not in ROLES:
            raise InputError(f"unknown role {role!r}{did_you_mean(role, ROLES)}; there are {', '.join(ROLES)}", path)
        if name not in names:
            there = ", ".join(names) or "none"
            raise InputError(f"no {role} column {name!r}{did_you_mean(name, names)}; there are {there}", path)


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in dict.fromkeys(name for row in rows for name in row) if name not in RESERVED]
