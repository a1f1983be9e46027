"""How well the text checks find real faults: precision and recall on labels from manual curation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

from regold.errors import InputError
from regold.formats import read_rows
from regold.formats.sources import files
from regold.methods.checks import CHECKS, Exchange, Strictness, choose, examine
from regold.methods.checks.score import fit_weights, score, shipped_threshold, shipped_weights
from regold.methods.detection import auroc

TARGET = 0.9
"""The precision for which thresholds are chosen."""
FOLDS = 5


@dataclass(frozen=True)
class Labelled:
    """One labelled record: the checks that fired on it, whether it is wrong, and how sure the label is."""

    id: str
    fired: frozenset[str]
    wrong: bool
    confidence: str
    kind: str


def bench_audit(data: Path, labels: Path, seed: int = 0) -> dict[str, Any]:
    """Return all tables of the bench. Raises InputError where labels and data do not meet."""
    records = labelled(data, labels)
    wrong = [r.wrong for r in records]
    shipped = [score(r.fired, shipped_weights()) for r in records]
    folded, flags = five_fold(records, seed)
    return {
        "records": len(records),
        "wrong": sum(wrong),
        "note": "a label of 0 says that nobody objected, not that the record is right",
        "shipped": {"threshold": shipped_threshold(), **_by_confidence(records, shipped, shipped_threshold())},
        "five_fold": _folded(records, folded, flags),
        "checks": [_check(records, name) for name in CHECKS],
        "leave_one_out": [_without(records, name) for name in CHECKS],
        "strictness": {str(level.name).lower(): _strict(records, level) for level in Strictness},
    }


def labelled(data: Path, labels: Path) -> list[Labelled]:
    """Return the labelled records in the order of the data, each examined by all checks."""
    known = {str(value["id"]): value for value in _values(labels)}
    checks = choose((), Strictness.STRICT)
    found = []
    for row in read_rows(data, on_bad_line="skip"):
        label = known.get(row.id)
        if label is not None:
            fired = frozenset(f.check for f in examine(Exchange.of(row.messages, row.options), checks))
            confidence, kind = str(label.get("confidence") or "none"), str(label.get("change_kind") or "none")
            found.append(Labelled(row.id, fired, bool(label["noise"]), confidence, kind))
    if not found:
        raise InputError("none of its ids is an id of the data", labels)
    return found


def _values(labels: Path) -> list[Mapping[str, Any]]:
    values: list[Mapping[str, Any]] = []
    for file in files(labels):
        for entry in file.entries():
            if entry.value is None or "id" not in entry.value or entry.value.get("noise") not in (0, 1):
                raise InputError("expected an object with `id` and `noise` (0 or 1)", file.path, entry.line)
            values.append(entry.value)
    return values


def five_fold(records: Sequence[Labelled], seed: int) -> tuple[list[float], list[bool]]:
    """Return scores and flags of every record, by weights and a threshold learnt on the four other folds."""
    order = list(range(len(records)))
    Random(seed).shuffle(order)
    order.sort(key=lambda i: records[i].wrong)  # stable: each fold gets its share of wrong records
    scores, flags = [0.0] * len(records), [False] * len(records)
    for fold in range(FOLDS):
        inside = [records[i] for place, i in enumerate(order) if place % FOLDS != fold]
        weights = fit_weights([r.fired for r in inside], [r.wrong for r in inside], CHECKS)
        cut = threshold([r.wrong for r in inside], [score(r.fired, weights) for r in inside])
        for i in order[fold::FOLDS]:
            scores[i] = score(records[i].fired, weights)
            flags[i] = scores[i] >= cut
    return scores, flags


def threshold(wrong: Sequence[bool], scores: Sequence[float], target: float = TARGET) -> float:
    """Return the lowest score at which the precision of all flagged so far still reaches the target; 1.1 if none."""
    points = curve(wrong, scores)
    return min((p["threshold"] for p in points if p["precision"] >= target), default=1.1)


def curve(wrong: Sequence[bool], scores: Sequence[float]) -> list[dict[str, float]]:
    """Return precision and recall at every distinct score above 0, from the highest down."""
    total, points = max(1, sum(wrong)), []
    for cut in sorted({s for s in scores if s > 0}, reverse=True):
        hits = [w for w, s in zip(wrong, scores, strict=True) if s >= cut]
        points.append({"threshold": cut, "precision": sum(hits) / len(hits), "recall": sum(hits) / total})
    return points


def _at(wrong: Sequence[bool], flags: Sequence[bool]) -> dict[str, Any]:
    hits, flagged = sum(w and f for w, f in zip(wrong, flags, strict=True)), sum(flags)
    low, high = wilson(hits, flagged) if flagged else (0.0, 1.0)
    return {
        "precision": hits / flagged if flagged else None,
        "precision_interval": [low, high],
        "recall": hits / sum(wrong) if any(wrong) else None,
        "flagged": flagged,
        "hits": hits,
        "wrong": sum(wrong),
    }


def wilson(hits: int, tried: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    share, square = hits / tried, z * z / tried
    middle, half = share + square / 2, z * sqrt(share * (1 - share) / tried + square / (4 * tried))
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def _confidences(records: Iterable[Labelled]) -> list[str]:
    return sorted({r.confidence for r in records if r.wrong})


def _only(records: Sequence[Labelled], values: Sequence[Any], confidence: str) -> tuple[list[bool], list[Any]]:
    """Leave out the wrong records of other confidence; `all` keeps every one."""
    kept = [i for i, r in enumerate(records) if not r.wrong or confidence in ("all", r.confidence)]
    return [records[i].wrong for i in kept], [values[i] for i in kept]


def _by_confidence(records: Sequence[Labelled], scores: Sequence[float], cut: float) -> dict[str, Any]:
    parts = {name: _only(records, scores, name) for name in ("all", *_confidences(records))}
    return {
        name: {**_at(w, [x >= cut for x in s]), "auroc": auroc(w, s), "curve": curve(w, s)}
        for name, (w, s) in parts.items()
    }


def _folded(records: Sequence[Labelled], scores: Sequence[float], flags: Sequence[bool]) -> dict[str, Any]:
    """Return figures at the folds' own thresholds, and the curve over the scores that the folds gave."""
    parts: dict[str, Any] = {}
    for name in ("all", *_confidences(records)):
        w, f = _only(records, flags, name)
        scored = _only(records, scores, name)[1]
        parts[name] = {**_at(w, f), "auroc": auroc(w, scored), "curve": curve(w, scored)}
    return parts


def _check(records: Sequence[Labelled], name: str) -> dict[str, Any]:
    flags = [name in r.fired for r in records]
    level = CHECKS[name].level.name.lower()
    return {"check": name, "level": level, **_at([r.wrong for r in records], flags)}


def _strict(records: Sequence[Labelled], level: Strictness) -> dict[str, Any]:
    names = {c.name for c in choose((), level)}
    return _at([r.wrong for r in records], [bool(r.fired & names) for r in records])


def _without(records: Sequence[Labelled], name: str) -> dict[str, Any]:
    names = {c.name for c in choose()} - {name}
    return {"without": name, **_at([r.wrong for r in records], [bool(r.fired & names) for r in records])}
