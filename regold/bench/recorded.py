"""Recorded answers of real models to questions whose labels experts have looked at, and their known faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regold.errors import InputError
from regold.formats import Row, read_rows
from regold.methods.answers import read_answer
from regold.methods.noise import LETTERS, corrupt_rows

OK = "ok"
WRONG_LABEL = ("wrong_groundtruth", "no_correct_answer")
"""The error types that say the label itself is wrong; the others call a question unclear and are left out."""


@dataclass(frozen=True)
class Recorded:
    """Recorded answers as numbers: the place of the option, -1 for none."""

    rows: tuple[Row, ...]
    """Their response is the label that the file gives."""
    labels: np.ndarray
    """(rows,): that label."""
    models: tuple[str, ...]
    answers: np.ndarray
    """(models, rows)"""
    types: np.ndarray
    """(rows,): what experts said of the label."""
    corrected: np.ndarray
    """(rows,): the right option where the file gives one, else -1."""

    def only(self, types: Sequence[str]) -> Recorded:
        """Return the rows of some error types."""
        keep = np.isin(self.types, types)
        rows = tuple(row for row, kept in zip(self.rows, keep, strict=True) if kept)
        columns = (self.answers[:, keep], self.types[keep], self.corrected[keep])
        return Recorded(rows, self.labels[keep], self.models, *columns)


@dataclass(frozen=True)
class Case:
    """One data set with known faults: what is given, what is right (-1: no option is known to be), what is wrong."""

    recorded: Recorded
    given: np.ndarray
    truth: np.ndarray
    wrong: np.ndarray


def load(path: Path) -> Recorded:
    """Read `question`, `options`, `groundtruth`, `predictions` {model: text} and, where given, `error_type`.

    A row without `error_type` counts as ok. Raises InputError naming the line.
    """
    rows = tuple(read_rows(path, format="multiple-choice", columns={"response": "groundtruth"}))
    labels = np.array([_label(row) for row in rows])
    models = tuple(sorted({model for row in rows for model in row.source["predictions"]}))
    if len(models) < 2:
        raise InputError(f"holds the answers of {len(models)} models; views are compared from two on", path)
    answers = np.array([[_place(row.source["predictions"].get(m), row) for row in rows] for m in models], dtype=np.int8)
    types = np.array([str(row.source.get("error_type") or OK) for row in rows])
    corrected = np.array([_place(row.source.get("correct_answer"), row) for row in rows])
    return Recorded(rows, labels, models, answers, types, corrected)


def _label(row: Row) -> int:
    given = row.messages[-1].content
    if not isinstance(row.source.get("predictions"), dict):
        raise InputError("has no `predictions`: an object from a model's name to its answer", row.file, row.line)
    if (place := _place(given, row)) < 0:
        raise InputError(f"groundtruth {given!r} is none of the options", row.file, row.line)
    return place


def _place(text: object, row: Row) -> int:
    """Return the place of the option that a text names, or -1."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text if 0 <= text < len(row.options) else -1
    said = read_answer(text, text, row.options) if isinstance(text, str) else None
    return LETTERS.find(said) if said else -1


def injected(recorded: Recorded, rate: float, seed: int) -> Case:
    """Return the rows whose label is right, a share of them made wrong by symmetric noise."""
    clean = recorded.only([OK])
    noisy = corrupt_rows(clean.rows, rate, "symmetric", seed)
    given = np.array([_place(row.messages[-1].content, row) for row in noisy])
    return Case(clean, given, clean.labels, given != clean.labels)


def natural(recorded: Recorded) -> Case:
    """Return the rows whose label experts found right, and those whose label they found wrong, as they stand."""
    chosen = recorded.only([OK, *WRONG_LABEL])
    wrong = chosen.types != OK
    return Case(chosen, chosen.labels, np.where(wrong, chosen.corrected, chosen.labels), wrong)
