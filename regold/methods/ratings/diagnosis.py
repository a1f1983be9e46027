"""Decides whether a transition matrix can be believed: merged classes, restarts, dominance, bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regold.methods.ratings.compare import to_class
from regold.methods.ratings.neighbourly import Near, curate
from regold.methods.ratings.transition import Moments, Transition, count_moments, estimate, misfit

CLASSES = 6
SMALL = 0.01
"""A class with less than this share of the scores is merged into the next one towards the middle of the scores."""
LEAST = 300
"""Fewer triples than this say nothing."""
FAR = 0.2
"""Mean row L1 distance between equally good restarts above which they disagree."""
UNLIKELY = 0.05


@dataclass(frozen=True)
class Diagnosis:
    """A rater's transition matrix over merged classes, and the reasons, if any, not to believe it."""

    reasons: tuple[str, ...]
    merged: np.ndarray
    """The merged class of each class 0-5, int (6,)."""
    transition: Transition | None = None
    bootstrap: float | None = None
    """Share of bootstrap draws from the model that fit no better than the data."""

    def curate(self, scores: np.ndarray, near: Near, seed: int = 0) -> np.ndarray:
        """Return scores after the rank rule; those that it does not touch stay as they are, missing ones too."""
        if self.transition is None:
            return scores
        known = np.isfinite(scores)
        classes = np.full(len(scores), -1)
        classes[known] = self.merged[to_class(scores[known], CLASSES)]
        found = curate(classes, near, self.transition, seed)
        given = to_class(scores[known], CLASSES)
        counts = np.bincount(given, minlength=CLASSES)
        usual = np.array([_usual(counts, self.merged == m) for m in range(len(self.transition.prior))])
        changed = known & (found != classes)
        return np.where(changed, usual[found.clip(min=0)], scores).astype(np.float64)


def diagnose(scores: np.ndarray, near: Near, seed: int = 0, restarts: int = 20) -> Diagnosis:
    """Estimate a rater's matrix from own, first and second neighbour's class, and say whether it can be believed.

    `near` must hold neither the record itself nor its duplicates.
    """
    known = np.isfinite(scores)
    classes = np.full(len(scores), -1)
    classes[known] = to_class(scores[known], CLASSES)
    counts = np.bincount(classes[known], minlength=CLASSES)
    merged = merge_small(counts)
    if (counts > 0).sum() < 2:
        said = f"the rater gave every record {counts.argmax()}" if known.any() else "no record has a score"
        return Diagnosis((said,), merged)
    if merged.max() < 1:
        return Diagnosis((f"all but {SMALL:.0%} of the scores are {counts.argmax()}",), merged)
    triples = np.column_stack([classes, *(np.where(r >= 0, classes[r], -1) for r in near.rows[:, :2].T)])
    triples = merged[triples[(triples >= 0).all(1)]]
    if len(triples) < LEAST:
        return Diagnosis((f"{len(triples)} records with two rated neighbours, fewer than {LEAST}",), merged)
    target = count_moments(triples, int(merged.max()) + 1)
    found = estimate(target, restarts, seed=seed)
    drawn = misfit(found, target, seed=seed)
    return Diagnosis(tuple(_doubts(found, target, drawn, merged)), merged, found, drawn)


def merge_small(counts: np.ndarray) -> np.ndarray:
    """Return the merged class of each class: the smallest below `SMALL` joins its neighbour inwards, and again."""
    total = int(counts.sum())
    if not total:
        return np.zeros(len(counts), dtype=np.int64)
    groups = [[c] for c in range(len(counts))]
    while len(groups) > 1:
        mass = [sum(counts[c] for c in group) / total for group in groups]
        small = int(np.argmin(mass))
        if mass[small] >= SMALL:
            break
        middle = int(np.argmax(mass))
        other = small + (1 if small < middle else -1)
        low, high = sorted((small, other))
        groups[low : high + 1] = [groups[low] + groups[high]]
    merged = np.zeros(len(counts), dtype=np.int64)
    for place, group in enumerate(groups):
        merged[group] = place
    return merged


def _doubts(found: Transition, target: Moments, drawn: float, merged: np.ndarray) -> list[str]:
    doubts = []
    if found.spread > FAR:
        doubts.append(f"{found.agreeing} of {found.restarts} restarts fit alike, but lie {found.spread:.2f} apart")
    if not found.dominant.all():
        rows = [str(np.flatnonzero(merged == m).tolist()) for m in np.flatnonzero(~found.dominant)]
        doubts.append(f"true class {', '.join(rows)} would be seen as another more often than as itself")
    if drawn < UNLIKELY:
        doubts.append(f"the moments are off the model's form: residual {found.residual:.4f}, bootstrap {drawn:.2f}")
    return doubts


def _usual(counts: np.ndarray, members: np.ndarray) -> int:
    return int(np.where(members, counts, -1).argmax())
