"""What reading yields: a row as understood, or a line refused with its reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from regold.record import Messages

TRUTH = "_regold_truth"
NOISE = "_regold_noise"
RESERVED = frozenset({TRUTH, NOISE})
"""The columns that say what the true value is and which noise was put in; no stage ever sees them."""

WEIGHT = "loss_weight"
"""The column that says how much a record counts in training: 1 where it is missing or empty."""

RAW_LIMIT = 2000
"""How many characters of a refused line are kept."""

Columns = Mapping[str, str]
"""Which column plays a role; the roles are `ROLES`."""

ROLES = ("id", "query", "input", "response", "options", "system", "history", "messages", "truth")


@dataclass(frozen=True, slots=True)
class Row:
    """One input record as understood: the last message is the response, those before it the query."""

    id: str
    messages: Messages
    options: tuple[str, ...]
    source: Mapping[str, Any]
    """The original row as JSON values, without the reserved columns."""
    file: str
    line: int
    """1-based: the line of a text file (of a JSON element's start), the row of a columnar one."""
    format: str = ""
    """The format the source was understood as; `restore` needs it."""
    truth: str | None = None
    """The true value, from the reserved column or the one named as `truth`; never in the messages."""
    noise: str | None = None
    """The kind of noise put in on purpose, from the reserved column."""
    weight: float = 1.0
    """How much it counts in training, from the column `loss_weight`."""
    turn: int | None = None
    """With `turns="all"`: the 0-based number of the assistant turn answered; the id ends in `#turn`."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One line that could not be understood; `raw` is its beginning."""

    file: str
    line: int
    reason: str
    raw: str


class BadRow(ValueError):
    """Say why one row cannot be understood; the reader adds the file and the line."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` where a known name is near, else the empty text."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near and near[0] != name else ""
