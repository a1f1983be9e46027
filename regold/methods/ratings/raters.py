"""Dawid-Skene over several raters of ordered classes: each rater's confusion matrix, and what the records truly are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS = 200
CLOSE = 1e-6
FALL = 0.5
"""By how much a pseudo-count falls with each class of distance, where raters are held to be ordinal."""
STRENGTH = 2.0
"""Pseudo-counts on each row of a confusion matrix."""


@dataclass(frozen=True)
class Consensus:
    """What several raters say together."""

    posterior: np.ndarray
    """P(true class), float (n, K)."""
    confusion: np.ndarray
    """P(observed | true) of each rater, float (R, K, K)."""
    prior: np.ndarray
    rounds: int

    @property
    def scores(self) -> np.ndarray:
        """The posterior mean class, NaN where nobody rated."""
        return np.asarray(self.posterior @ np.arange(self.posterior.shape[1]))


def dawid_skene(classes: np.ndarray, count: int, strength: float = STRENGTH) -> Consensus:
    """Fit by EM from the raters' shares of votes; `classes` is int (n, R), -1 for a missing rating.

    `strength` pseudo-counts lie on each row of each confusion matrix, halved with each class of distance from the
    diagonal: a rater errs to near classes sooner than to far ones, which decides where few records tell. 0 is plain
    Dawid-Skene. Records that nobody rated have no part in it. Raises ValueError where there is no rater.
    """
    if classes.ndim != 2 or not classes.shape[1]:
        raise ValueError("classes must have the shape (n, raters)")
    anyone = (classes >= 0).any(axis=1)
    given = [np.where(c[:, None] >= 0, np.eye(count)[c.clip(min=0)], 0.0) for c in classes[anyone].T]
    near = FALL ** np.abs(np.subtract.outer(np.arange(count), np.arange(count))).astype(np.float64)
    extra = strength * near / near.sum(1, keepdims=True)
    posterior = _normal(np.sum(given, axis=0) + 1e-9)
    rounds = 0
    for rounds in range(1, ROUNDS + 1):  # noqa: B007
        prior = (posterior.sum(0) + 1.0) / (len(posterior) + count)
        confusion = np.stack([_normal(posterior.T @ seen + extra + 1e-9) for seen in given])
        logs = np.log(prior) + sum(seen @ np.log(c).T for seen, c in zip(given, confusion, strict=True))
        new = _normal(np.exp(logs - logs.max(1, keepdims=True)))
        moved = float(np.abs(new - posterior).max(initial=0.0))
        posterior = new
        if moved < CLOSE:
            break
    whole = np.full((len(classes), count), np.nan)
    whole[anyone] = posterior
    return Consensus(whole, confusion, prior, rounds)


def _normal(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / values.sum(-1, keepdims=True))
