"""Corrections that take a record's neighbours for evidence: smoothing, and the rank rule of SimiFeat as DS2 uses it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regold.methods.ratings.transition import Transition

K = 10
OWN = 0.5
DRAWS = 11
STRONG = 0.5
"""Share of the vote that the winning class needs before it replaces a flagged score."""


@dataclass(frozen=True)
class Near:
    """Each record's nearest others: rows int (n, k), -1 where there are fewer, and their cosines."""

    rows: np.ndarray
    cosines: np.ndarray


def neighbour_mean(scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean score of each record's neighbours (n, k); NaN where none has a score."""
    theirs = np.where(rows >= 0, scores[rows], np.nan)
    known = np.isfinite(theirs)
    count = known.sum(1)
    total = np.where(known, theirs, 0.0).sum(1)
    return np.asarray(np.divide(total, count, out=np.full(len(rows), np.nan), where=count > 0))


def smooth(scores: np.ndarray, near: Near, k: int = K, own: float = OWN) -> np.ndarray:
    """Return half the own score and half the mean of k neighbours; a record without neighbours keeps its own."""
    theirs = neighbour_mean(scores, near.rows[:, :k])
    return np.where(np.isfinite(theirs), own * scores + (1 - own) * theirs, scores)


def vote(classes: np.ndarray, near: Near, count: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the share of each class among the neighbours, weighted by cosine, float (n, count); -1 does not vote."""
    safe = np.where(near.rows >= 0, near.rows, 0)
    theirs = classes[safe]
    weight = near.cosines.clip(min=0) * (near.rows >= 0) * (theirs >= 0)
    if weights is not None:
        weight = weight * weights
    shares = np.zeros((len(near.rows), count))
    for c in range(count):
        shares[:, c] = (weight * (theirs == c)).sum(1)
    total = shares.sum(1, keepdims=True)
    return np.asarray(np.divide(shares, total, out=np.zeros_like(shares), where=total > 0))


def curate(classes: np.ndarray, near: Near, found: Transition, seed: int = 0, k: int = K) -> np.ndarray:
    """Return the classes after the rank rule; -1, a missing score, stays.

    Of the records seen as class j the share 1 - G[j, j] whose neighbours vote for j least is flagged. The flags of
    several bootstrap draws of the neighbours are counted; a record flagged in most of them takes the vote's winner,
    where that has a share of `STRONG` or more. All others keep their score.
    """
    count = len(found.prior)
    near = Near(near.rows[:, :k], near.cosines[:, :k])
    wrong = 1 - np.diag(found.posterior)
    chance = np.random.default_rng(seed)
    flags = np.zeros(len(classes))
    for _ in range(DRAWS):
        drawn = chance.poisson(1.0, near.rows.shape).astype(np.float64)
        shares = vote(classes, near, count, drawn)
        for j in range(count):
            seen = np.flatnonzero(classes == j)
            order = np.argsort(shares[seen, j], kind="stable")
            flags[seen[order[: int(wrong[j] * len(seen))]]] += 1
    shares = vote(classes, near, count)
    replaced = (flags > DRAWS / 2) & (shares.max(1) >= STRONG) & (classes >= 0)
    return np.where(replaced, shares.argmax(1), classes)
