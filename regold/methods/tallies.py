"""Detection figures of many detectors at once, from how often each score occurs among right and wrong records."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

Counts: TypeAlias = np.ndarray
"""Records of shape (..., 2, levels): axis -2 is right, wrong; the levels are scores in rising order of suspicion."""


def precision_recall_f1(counts: Counts, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall and F1 of flagging every record at level `least` or above; a share of nothing is 0."""
    flagged = counts[..., least:].sum(axis=-1)
    hits = flagged[..., 1]
    precision = _share(hits, flagged.sum(axis=-1))
    recall = _share(hits, counts[..., 1, :].sum(axis=-1))
    return precision, recall, _share(2 * precision * recall, precision + recall)


def auroc_of(counts: Counts) -> np.ndarray:
    """Return the probability that a wrong record stands at a higher level than a right one, ties counting half.

    NaN where a detector has seen no right or no wrong record.
    """
    right, wrong = counts[..., 0, :], counts[..., 1, :]
    below = np.cumsum(right, axis=-1) - right / 2
    pairs = right.sum(axis=-1) * wrong.sum(axis=-1)
    return _share((wrong * below).sum(axis=-1), pairs, np.nan)


def average_precision(counts: Counts) -> np.ndarray:
    """Return the area under precision over recall in steps, sum (R_n - R_n-1) P_n over falling levels.

    NaN where a detector has seen no wrong record.
    """
    falling = counts[..., ::-1]
    flagged = np.cumsum(falling, axis=-1)
    precision = _share(flagged[..., 1, :], flagged.sum(axis=-2))
    wrong = falling[..., 1, :].sum(axis=-1)
    return _share((precision * falling[..., 1, :]).sum(axis=-1), wrong, np.nan)


def resampled(counts: Counts, draws: int, rng: np.random.Generator) -> Counts:
    """Return bootstrap resamples of each table of counts, shape (draws, *counts.shape): records drawn anew.

    `counts` is (detectors, ...), every detector over the same number of records.
    """
    flat = counts.reshape(len(counts), -1)
    size = int(flat[0].sum())
    drawn = rng.multinomial(size, flat / size, size=(draws, len(flat)))
    return drawn.reshape(draws, *counts.shape)


def _share(part: np.ndarray, whole: np.ndarray, none: float = 0.0) -> np.ndarray:
    found: np.ndarray = np.full(np.broadcast_shapes(np.shape(part), np.shape(whole)), none)
    np.divide(part, whole, out=found, where=np.asarray(whole) > 0)
    return found
