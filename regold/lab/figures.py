"""What a finished run is worth where the truth is known: detection, labels before and after selection, confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regold.formats import Row
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.detection import auroc, detection
from regold.record import TRAINED_ON, Messages, Status
from regold.store.columns import load_messages
from regold.store.fates import PastRun, open_run

DETECTORS = ("judge", "ask")
"""Steps that call records CLEAN or SUSPECT, the first of which is measured."""


@dataclass(frozen=True)
class Repaired:
    """One record as the review left it: its mean NLL, whether its response is right, whether selection kept it."""

    mean_nll: float | None
    right: bool
    kept: bool


def is_right(response: str, truth: str, options: Sequence[str] = ()) -> bool:
    """Return whether a response says what the true one says."""
    answer, true = (read_answer(text, truth, options) for text in (response, truth))
    return same_answer(answer, true, options) is True


def share_right(rows: Sequence[tuple[Messages, float]], truths: Sequence[tuple[str, Sequence[str]]]) -> float:
    """Return the share of training rows whose response is right, given each row's truth and options."""
    flags = [is_right(m[-1].content, truth, options) for (m, _), (truth, options) in zip(rows, truths, strict=True)]
    return sum(flags) / len(flags) if flags else 0.0


def detected(root: Path) -> dict[str, Any] | None:
    """Return precision, recall, F1 and AUROC of what a run called SUSPECT; None where no step of it looks for that.

    The score behind the AUROC is the number of views that disagree with the given response, or the flag itself.
    """
    past = open_run(root)
    place = next((i for i, step in enumerate(past.steps) if step.name in DETECTORS), None)
    if place is None:
        return None
    step, suspect, wrong, score = past.steps[place], list[bool](), list[bool](), list[float]()
    flags = [name for name in step.writes if step.name == "judge"]
    for part in past.store.parts():
        noise = past.store.loaded(part, ["noise"])["noise"].to_pylist()
        status = past.store.column("status", part, past.steps[: place + 1])
        said = [past.store.column(name, part, past.steps[: place + 1]) for name in flags]
        for row, now in enumerate(status):
            if now in (Status.CLEAN, Status.SUSPECT):
                suspect.append(now == Status.SUSPECT)
                wrong.append(noise[row] is not None)
                score.append(sum(not column[row] for column in said) if said else float(suspect[-1]))
    found = detection(wrong, suspect, score)
    return {name: getattr(found, name) for name in ("precision", "recall", "f1", "auroc", "flagged", "wrong")}


def repaired(root: Path) -> list[Repaired]:
    """Return the records that the review repaired or confirmed, with what selection made of them."""
    past = open_run(root)
    place = next((i for i, step in enumerate(past.steps) if step.name == "review"), None)
    if place is None:
        return []
    upto, found = past.steps[: place + 1], list[Repaired]()
    fates = {e.id: e.fate in TRAINED_ON for e in past.ended()}
    for part in past.store.parts():
        loaded = past.store.loaded(part, ["id", "truth", "options"]).to_pylist()
        status, texts, nll = (past.store.column(c, part, upto) for c in ("status", "messages", "review.mean_nll"))
        for row, record in enumerate(loaded):
            if status[row] == Status.REPAIRED and record["truth"] is not None:
                response = load_messages(texts[row])[-1].content
                right = is_right(response, record["truth"], tuple(record["options"] or ()))
                found.append(Repaired(nll[row], right, fates[record["id"]]))
    return found


def relabelled(records: Sequence[Repaired]) -> dict[str, Any] | None:
    """Return how many repairs are right before and after selection, and the AUROC of the mean NLL for being wrong."""
    if not records:
        return None
    kept = [r for r in records if r.kept]
    scored = [r for r in records if r.mean_nll is not None]
    return {
        "repaired": len(records),
        "kept": len(kept),
        "right_before": sum(r.right for r in records) / len(records),
        "right_after": sum(r.right for r in kept) / len(kept) if kept else None,
        "nll_auroc": auroc([not r.right for r in scored], [float(r.mean_nll or 0) for r in scored]),
    }


def truths_of_run(past: PastRun) -> list[tuple[str, Sequence[str]]]:
    """Return truth and options of the records that a run keeps, in the order of its training rows."""
    return [(e.truth or e.messages[-1].content, e.options) for e in past.ended() if e.fate in TRAINED_ON]


def truths_of_rows(rows: Sequence[Row]) -> list[tuple[str, Sequence[str]]]:
    """Return truth and options of rows as they were read."""
    return [(row.truth or row.messages[-1].content, row.options) for row in rows]
