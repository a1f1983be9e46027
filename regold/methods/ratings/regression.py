"""Corrects a rater by what texts say of its scores: a cross-fitted regression, and what twins repeat of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regold.methods.ratings.compare import pearson
from regold.methods.ratings.neighbourly import K, Near, neighbour_mean

FOLDS = 5
BLOCK = 16_384
"""Rows worked on at once: bounds the memory."""
WIDE = 40
"""Neighbours looked up; the mean of the nearest ten and of all are stacked."""
PENALTIES = (1.0, 10.0, 100.0, 1000.0)
TWINS = 0.02
"""The share of records, those with the nearest neighbours, that serve as twins; at least `LEAST_TWINS`."""
LEAST_TWINS = 100
OWN = 0.2
"""The least weight of what the texts do not tell of a score: twins that differ a little understate what is true."""


def length_features(query_lengths: np.ndarray, response_lengths: np.ndarray) -> np.ndarray:
    """Return logarithms of both lengths in characters, their squares and product, float (n, 5)."""
    q, r = np.log1p(query_lengths), np.log1p(response_lengths)
    return np.stack([q, r, q * q, r * r, q * r], axis=1)


@dataclass(frozen=True)
class Predicted:
    """What the other records say of each record's score."""

    values: np.ndarray
    """Out-of-fold: the record's own score had no part in it. NaN where the score is missing."""
    correlation: float
    """With the scores it had not seen."""


@dataclass(frozen=True)
class Regressed:
    """Scores corrected by regression."""

    values: np.ndarray
    predicted: np.ndarray
    """What text and neighbours say of a score, the score itself having no part in it."""
    correlation: float
    """Of the prediction with the scores it had not seen."""
    own: float
    """The weight of what the text does not predict: how far near twins repeat it, `OWN` at least."""


def fold_numbers(n: int, seed: int = 0) -> np.ndarray:
    """Return the fold of each record, int (n,)."""
    return np.random.default_rng(seed).permutation(n) % FOLDS


class Ridge:
    """Ridge regression of any scores on the same features, cross-fitted; the penalty is chosen out of fold."""

    def __init__(self, features: np.ndarray, folds: np.ndarray) -> None:
        """Take features (n, d), copied as float32 and brought to mean 0 and variance 1."""
        self.features = np.array(features, dtype=np.float32)
        centre = self.features.mean(0, dtype=np.float64)
        self.features -= centre.astype(np.float32)
        squares = [(np.square(b, dtype=np.float64)).sum(0) for b in _blocks(self.features)]
        scale = np.sqrt(np.sum(squares, axis=0) / len(features))
        self.features /= np.where(scale > 1e-12, scale, 1.0).astype(np.float32)
        self.folds = folds
        self._known: np.ndarray | None = None
        self._axes: list[tuple[np.ndarray, np.ndarray]] = []

    def predict(self, scores: np.ndarray) -> Predicted:
        """Return out-of-fold predictions of scores (n,), NaN where one is missing."""
        known = np.isfinite(scores)
        if self._known is None or not np.array_equal(known, self._known):
            self._decompose(known)
        out = np.full((len(PENALTIES), len(scores)), np.nan)
        for fold, (values, vectors) in enumerate(self._axes):
            learn, ask = known & (self.folds != fold), known & (self.folds == fold)
            mean = scores[learn].mean()
            target = self._products(np.where(learn, scores - mean, 0.0))
            for place, penalty in enumerate(PENALTIES):
                weights = vectors @ ((vectors.T @ target) / (values.clip(min=0) + penalty))
                out[place, ask] = self.features[ask] @ weights.astype(np.float32) + mean
        errors = ((out[:, known] - scores[known]) ** 2).mean(1)
        best = out[int(errors.argmin())]
        return Predicted(best, pearson(best[known], scores[known]))

    def _products(self, values: np.ndarray) -> np.ndarray:
        """Return features.T @ values, summed in double precision block by block."""
        ends = np.cumsum([0, *(len(b) for b in _blocks(self.features))])
        parts = [
            b.T @ values[start : start + len(b)].astype(np.float32)
            for start, b in zip(ends, _blocks(self.features), strict=False)
        ]
        return np.asarray(np.sum(parts, axis=0, dtype=np.float64))

    def _decompose(self, known: np.ndarray) -> None:
        self._known = known
        grams = [self._gram(known & (self.folds == fold)) for fold in range(FOLDS)]
        whole = np.sum(grams, axis=0)
        self._axes = [np.linalg.eigh(whole - gram) for gram in grams]

    def _gram(self, chosen: np.ndarray) -> np.ndarray:
        rows = self.features[chosen]
        return np.asarray(rows.T @ rows, dtype=np.float64)


def _blocks(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, max(1, len(rows) // BLOCK))


def predict(scores: np.ndarray, near: Near, ridge: Ridge, lengths: np.ndarray) -> Predicted:
    """Return what text and neighbours say of each score: ridge and neighbours' means, stacked by a second ridge."""
    first = ridge.predict(scores)
    means = [neighbour_mean(scores, near.rows[:, :k]) for k in (K, near.rows.shape[1])]
    columns: Sequence[np.ndarray] = [first.values, *means]
    fill = float(np.nanmean(scores))
    known = [np.where(np.isfinite(c), c, fill) for c in columns]
    second = Ridge(np.column_stack([*known, lengths]), ridge.folds).predict(scores)
    return second if second.correlation > first.correlation else first


def twin_weight(scores: np.ndarray, predicted: np.ndarray, near: Near) -> float:
    """Return how far near twins repeat what the text does not predict of a score, from 0 to 1.

    The correlation of the residuals of the most similar pairs: noise of the rater is not repeated, a property of the
    record that the prediction missed is (the nugget of kriging is what remains).
    """
    rows, cosines = near.rows[:, 0], near.cosines[:, 0]
    rest = scores - predicted
    paired = np.flatnonzero((rows >= 0) & np.isfinite(rest) & np.isfinite(rest[rows]))
    most = paired[np.argsort(-cosines[paired], kind="stable")[: max(LEAST_TWINS, int(TWINS * len(scores)))]]
    one, other = rest[most], rest[rows[most]]
    scale = float((one @ one + other @ other) / 2)
    return float(min(max(float(one @ other) / scale, 0.0), 1.0)) if scale > 0 else 0.0


def regress(scores: np.ndarray, near: Near, ridge: Ridge, lengths: np.ndarray) -> Regressed:
    """Return the prediction plus the repeatable part of what it misses, on the scale of the scores given."""
    found = predict(scores, near, ridge, lengths)
    own = max(twin_weight(scores, found.values, near), OWN)
    return Regressed(
        to_scale(found.values + own * (scores - found.values), scores), found.values, found.correlation, own
    )


def to_scale(values: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return values in their order, spread like the given scores: rounded, each class keeps its number of records."""
    out = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(scores))
    given = np.sort(np.floor(scores[known] + 0.5))
    _, first, counts = np.unique(given, return_index=True, return_counts=True)
    inside = (np.arange(len(given)) - np.repeat(first, counts) + 0.5) / np.repeat(counts, counts)
    spread = (given - 0.5 + inside).clip(given.min(initial=np.inf), given.max(initial=-np.inf))
    order = known[np.argsort(values[known], kind="stable")]
    out[order] = spread
    return out
