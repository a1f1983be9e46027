"""How well two ratings of the same records agree: rank correlation, weighted kappa, distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's rank correlation over the records that both rate, ties sharing ranks; 0 for a constant."""
    both = np.isfinite(one) & np.isfinite(other)
    return pearson(ranks(one[both]), ranks(other[both]))


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation, 0 where one side is constant or there are fewer than two values."""
    if len(one) < 2:
        return 0.0
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else 0.0


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the mean rank of each value, from 0."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[place])


def weighted_kappa(one: np.ndarray, other: np.ndarray, classes: int) -> float:
    """Return Cohen's kappa with quadratic weights of the rounded scores (values outside 0..classes-1 are clipped)."""
    both = np.isfinite(one) & np.isfinite(other)
    a, b = to_class(one[both], classes), to_class(other[both], classes)
    if not len(a):
        return 0.0
    seen = np.bincount(a * classes + b, minlength=classes**2).reshape(classes, classes) / len(a)
    weight = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
    chance = float((weight * np.outer(seen.sum(1), seen.sum(0))).sum())
    return 1 - float((weight * seen).sum()) / chance if chance > 0 else 0.0


def to_class(scores: np.ndarray, classes: int) -> np.ndarray:
    """Return the scores rounded half up to classes 0..classes-1, int; none of them may be missing."""
    return np.asarray(np.floor(scores + 0.5).clip(0, classes - 1), dtype=np.int64)


@dataclass(frozen=True)
class Agreement:
    """Corrected and given scores of one rater beside another rater's."""

    spearman: float
    kappa: float
    within_length: float
    """Mean Spearman inside ten equal groups of response length: agreement that length alone cannot give."""
    changed: int
    """Records whose class changed."""
    distance_before: float
    """Mean distance of the changed records' given class from the other rater's."""
    distance_after: float


def agree(corrected: np.ndarray, given: np.ndarray, other: np.ndarray, lengths: np.ndarray, classes: int) -> Agreement:
    """Compare corrected scores with another rater's, over the records that all have."""
    known = np.isfinite(corrected) & np.isfinite(given) & np.isfinite(other)
    corrected, given, other, lengths = (x[known] for x in (corrected, given, other, lengths))
    tenth = np.argsort(np.argsort(lengths, kind="stable"), kind="stable") * 10 // max(len(lengths), 1)
    within = [spearman(corrected[tenth == t], other[tenth == t]) for t in range(10)]
    new, old, theirs = (to_class(x, classes) for x in (corrected, given, other))
    moved = new != old
    before, after = (float(np.abs(x - theirs)[moved].mean()) if moved.any() else 0.0 for x in (old, new))
    return Agreement(
        spearman(corrected, other),
        weighted_kappa(corrected, other, classes),
        float(np.mean(within)),
        int(moved.sum()),
        before,
        after,
    )
