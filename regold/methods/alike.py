"""Texts that mean nearly the same, by the cosine of their vectors: exact, block by block, in bounded memory."""

from __future__ import annotations

import numpy as np

BLOCK = 256
"""Rows compared at once with all others: memory is twice BLOCK x n numbers."""


def alike(vectors: np.ndarray, threshold: float) -> dict[int, tuple[int, float]]:
    """Return for each row close to an earlier one the first such row and their cosine.

    `vectors` has shape (n, d), rows of unit length; a zero row is close to none. A row found close to an earlier one
    is never the original of another. Time grows with the square of n.
    """
    found: dict[int, tuple[int, float]] = {}
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        cosines = block @ vectors[: start + len(block)].T
        for row in np.flatnonzero((cosines >= threshold).sum(axis=1) > 1):
            place = start + int(row)
            near = np.flatnonzero(cosines[row, :place] >= threshold)
            first = next((int(other) for other in near if int(other) not in found), None)
            if first is not None:
                found[place] = first, float(cosines[row, first])
    return found


def closest(queries: np.ndarray, base: np.ndarray, threshold: float) -> dict[int, tuple[int, float]]:
    """Return for each query row whose nearest base row reaches the threshold that row and the cosine."""
    found: dict[int, tuple[int, float]] = {}
    for start in range(0, len(queries) if len(base) else 0, BLOCK):
        cosines = queries[start : start + BLOCK] @ base.T
        best = cosines.argmax(axis=1)
        for row in np.flatnonzero(cosines.max(axis=1) >= threshold):
            found[start + int(row)] = int(best[row]), float(cosines[row, best[row]])
    return found
