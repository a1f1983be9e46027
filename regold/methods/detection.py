"""How well wrong responses were found where the truth is known: precision, recall, F1 and AUROC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Detection:
    """The figures of one detector; a share of nothing is 0, an AUROC without both kinds of record None."""

    precision: float
    recall: float
    f1: float
    auroc: float | None
    flagged: int
    wrong: int
    records: int


def detection(wrong: Sequence[bool], flagged: Sequence[bool], suspicion: Sequence[float] | None = None) -> Detection:
    """Compare flags with the truth; `suspicion` (higher is more suspect) defaults to the flags themselves.

    Raises ValueError where the lengths differ.
    """
    truth, flags = np.asarray(wrong, dtype=bool), np.asarray(flagged, dtype=bool)
    if truth.shape != flags.shape:
        raise ValueError(f"{len(truth)} truths but {len(flags)} flags")
    hits = int((truth & flags).sum())
    precision = hits / int(flags.sum()) if flags.any() else 0.0
    recall = hits / int(truth.sum()) if truth.any() else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    score = auroc(wrong, flags.astype(float).tolist() if suspicion is None else suspicion)
    return Detection(precision, recall, f1, score, int(flags.sum()), int(truth.sum()), len(truth))


def auroc(positive: Sequence[bool], score: Sequence[float]) -> float | None:
    """Return the probability that a positive scores higher than a negative, ties counting half; None without both.

    Raises ValueError where the lengths differ or a score is not a number.
    """
    truth, scores = np.asarray(positive, dtype=bool), np.asarray(score, dtype=np.float64)
    if truth.shape != scores.shape or np.isnan(scores).any():
        raise ValueError("each record needs one score that is a number")
    ones, zeros = int(truth.sum()), int((~truth).sum())
    if not ones or not zeros:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[truth].sum() - ones * (ones + 1) / 2) / (ones * zeros))
