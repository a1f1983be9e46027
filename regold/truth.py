"""What a finished run is worth where the truth is known: detection, labels before and after selection, confidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regold.formats import Row
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.detection import auroc, detection
from regold.record import TRAINED_ON, Fate, Messages, Status
from regold.store.columns import load_messages
from regold.store.fates import Ended, PastRun

DETECTORS = ("judge", "ask")
"""Steps that call records CLEAN or SUSPECT, the first of which is measured."""
INSTRUCTION = "instruction"
"""The noise that spoils the question: the truth is then the question, and no response to what is asked is right."""


@dataclass(frozen=True)
class Repaired:
    """One record as the review left it: its mean NLL, whether its response is right, whether selection kept it."""

    mean_nll: float | None
    right: bool
    kept: bool


def says(response: str, truth: str, options: Sequence[str] = ()) -> bool | None:
    """Return whether a response says what the true one says; None where only a judge could tell."""
    answer, true = (read_answer(text, truth, options) for text in (response, truth))
    return same_answer(answer, true, options)


def is_right(response: str, truth: str, options: Sequence[str] = ()) -> bool:
    """Return whether a response says what the true one says, as far as the texts alone tell."""
    return says(response, truth, options) is True


def share_right(rows: Sequence[tuple[Messages, float]], truths: Sequence[tuple[str, Sequence[str]]]) -> float:
    """Return the share of training rows whose response is right, given each row's truth and options."""
    flags = [is_right(m[-1].content, truth, options) for (m, _), (truth, options) in zip(rows, truths, strict=True)]
    return sum(flags) / len(flags) if flags else 0.0


def detected(past: PastRun) -> dict[str, Any] | None:
    """Return precision, recall, F1 and AUROC of what a run called SUSPECT; None where no step of it looks for that.

    Wrong is what was made wrong, and a given response that says something else than the truth. The score behind the
    AUROC is the number of views that disagree with the given response, or the flag itself.
    """
    place = next((i for i, step in enumerate(past.steps) if step.name in DETECTORS), None)
    if place is None:
        return None
    step, suspect, wrong, score = past.steps[place], list[bool](), list[bool](), list[float]()
    flags = [name for name in step.writes if step.name == "judge"]
    for part in past.store.parts():
        loaded = past.store.loaded(part, ["noise", "truth", "options", "messages"]).to_pylist()
        status = past.store.column("status", part, past.steps[: place + 1])
        said = [past.store.column(name, part, past.steps[: place + 1]) for name in flags]
        for row, now in enumerate(status):
            if now in (Status.CLEAN, Status.SUSPECT):
                suspect.append(now == Status.SUSPECT)
                wrong.append(_wrong(loaded[row]))
                score.append(sum(not column[row] for column in said) if said else float(suspect[-1]))
    found = detection(wrong, suspect, score)
    return {name: getattr(found, name) for name in ("precision", "recall", "f1", "auroc", "flagged", "wrong")}


def _wrong(loaded: Mapping[str, Any]) -> bool:
    if loaded["noise"] is not None or loaded["truth"] is None:
        return loaded["noise"] is not None
    given = load_messages(loaded["messages"])[-1].content
    return says(given, loaded["truth"], tuple(loaded["options"] or ())) is False


def repaired(past: PastRun) -> list[Repaired]:
    """Return the records that the review repaired or confirmed, with what selection made of them."""
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


def known_truth(past: PastRun) -> dict[str, Any] | None:
    """Return what a finished run is worth against the truth its data carries; None where they carry none.

    Beside what was made wrong, detection and repairs: how many given responses are right, and how many of those kept
    or repaired. Records of unknown truth are not among them, nor fused ones, which answer another question.
    """
    if not any(_loaded(past, "truth")):
        return None
    found = [(given, end) for given, end in zip(_given(past), past.ended(), strict=True) if end.truth is not None]
    last = [(end.messages, end) for _, end in found if end.fate in (Fate.KEPT, Fate.REPAIRED)]
    noise = Counter(name for name in _loaded(past, "noise") if name)
    return {
        "records": len(found),
        "made_wrong": dict(noise.most_common()),
        "detection": detected(past),
        "given": _rights(found),
        "kept_or_repaired": _rights(last),
        "repairs": relabelled(repaired(past)),
    }


def _loaded(past: PastRun, column: str) -> Iterator[str | None]:
    for part in past.store.parts():
        yield from past.store.loaded(part, [column])[column].to_pylist()


def _given(past: PastRun) -> Iterator[Messages]:
    return (load_messages(text or "[]") for text in _loaded(past, "messages"))


def _rights(records: Iterable[tuple[Messages, Ended]]) -> dict[str, int]:
    """Count records, those whose response is right, and those of which the texts alone cannot tell."""
    verdicts = [e.noise != INSTRUCTION and says(m[-1].content, e.truth or "", e.options) for m, e in records]
    return {"records": len(verdicts), "right": verdicts.count(True), "undecided": verdicts.count(None)}
