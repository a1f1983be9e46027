"""Exact k nearest neighbours by cosine, without self and duplicates (RobustFT, eq. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import faiss
import numpy as np

EXACT_UP_TO = 100_000
"""Search all of this many vectors or fewer; above it only the cells of vectors that are nearest to a query."""
SAME = 1e-6
"""Vectors whose cosine is this close to 1 are one and the same."""
MISSING = -1
BLOCK = 32_000_000
"""Numbers gathered at once while candidates are scored: bounds the memory."""
LEARNT = 40
"""Vectors per cell that the cells are learnt from."""
FEWEST = 10
"""Cells looked at, at least."""


def nearest(
    queries: np.ndarray,
    base: np.ndarray,
    k: int,
    groups: tuple[Sequence[str], Sequence[str]] | None = None,
    *,
    exact_up_to: int = EXACT_UP_TO,
    looked_at: float = 1 / 64,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the k nearest base vectors for each query, int64 (n, k), and their cosines, float64 (n, k).

    A base row with the query's own vector or group (`groups` of the queries and of the base) is never its neighbour:
    a set searched in itself leaves out self and duplicates. Of base rows that duplicate each other the first counts.
    Fewer than k neighbours leave MISSING and cosine 0 at the end; a zero vector has none and is none. Equal cosines
    are ordered by row, however many queries there are. Above `exact_up_to` vectors only `looked_at`, a share, of their
    cells is searched.
    """
    alike = queries is base
    queries = _unit(queries)
    base = queries if alike else _unit(base)
    rows, cosines = np.full((len(queries), k), MISSING, dtype=np.int64), np.zeros((len(queries), k))
    kept = _first_of_each(base, groups[1] if groups else None)
    asked = np.flatnonzero(queries.any(axis=1))
    if not len(asked) or not len(kept) or k == 0:
        return rows, cosines
    base = base if len(kept) == len(base) else base[kept]
    own = None if groups is None else _numbered(groups[0], [groups[1][row] for row in kept])
    index: Any = _Cells.of(base, looked_at) if len(base) > exact_up_to else faiss.IndexFlatIP(base.shape[1])
    if len(base) <= exact_up_to:
        index.add(base)
    search = _Search(queries, base, own, k)
    width = min(k + 8, len(base))
    while len(asked):
        again = []
        rough, candidates = index.search(queries if len(asked) == len(queries) else queries[asked], width)
        for part in np.array_split(np.arange(len(asked)), -(-len(asked) * width * base.shape[1] // BLOCK)):
            found = search.score(asked[part], candidates[part], rough[part].min(axis=1))
            rows[asked[part]], cosines[asked[part]], enough = found
            again.append(asked[part[~enough]])
        asked = np.concatenate(again) if width < len(base) else asked[:0]
        width = min(width * 4, len(base))
    return np.where(rows == MISSING, MISSING, kept[rows]), cosines


@dataclass(frozen=True)
class _Search:
    queries: np.ndarray
    base: np.ndarray
    groups: tuple[np.ndarray, np.ndarray] | None
    k: int

    def score(
        self, chunk: np.ndarray, candidates: np.ndarray, reach: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows and cosines out of candidates (n, width), and which queries need no wider search.

        Nothing that is not among a query's candidates has a greater cosine than its `reach`.
        """
        candidates = np.sort(candidates, axis=1)  # by row, so that the stable sort below breaks ties by row
        cosines = np.einsum("nwd,nd->nw", self.base[candidates], self.queries[chunk], dtype=np.float64)
        cosines[self._barred(chunk, candidates, cosines)] = -np.inf
        order = np.argsort(-cosines, axis=1, kind="stable")[:, : self.k]
        found, scores = np.take_along_axis(candidates, order, 1), np.take_along_axis(cosines, order, 1)
        kth = scores[:, -1] if scores.shape[1] == self.k else np.full(len(chunk), -np.inf)
        enough = (candidates < 0).any(axis=1) | (kth > reach + 1e-5)
        missing = np.isneginf(scores)
        rows = _padded(np.where(missing, MISSING, found), self.k, MISSING)
        return rows, _padded(np.where(missing, 0.0, scores), self.k, 0), enough

    def _barred(self, chunk: np.ndarray, candidates: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        barred: np.ndarray = (candidates < 0) | (cosines >= 1 - SAME)
        if self.groups is not None:
            barred |= self.groups[1][candidates] == self.groups[0][chunk][:, None]
        return barred


@dataclass(frozen=True)
class _Cells:
    """Vectors in cells around centres. A cell is searched once, for all that look there, by matrix products."""

    base: np.ndarray
    centres: np.ndarray
    members: Sequence[np.ndarray]
    looked_at: int
    """Cells searched for each query: the nearest ones."""

    @classmethod
    def of(cls, base: np.ndarray, looked_at: float) -> _Cells:
        """Learn the cells, twice as many as the root of the vectors, by spherical k-means on a part of them."""
        count = int(2 * len(base) ** 0.5)
        few = {"min_points_per_centroid": 1, "max_points_per_centroid": 2 * LEARNT}
        means = faiss.Kmeans(base.shape[1], count, niter=10, spherical=True, seed=0, **few)
        means.train(base[:: max(1, len(base) // (LEARNT * count))])
        centres = np.asarray(means.centroids)
        _, homes = faiss.knn(base, centres, 1, metric=faiss.METRIC_INNER_PRODUCT)
        return cls(base, centres, _gathered(homes, count), min(count, max(FEWEST, round(count * looked_at))))

    def search(self, queries: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the cosines and rows of the `width` nearest found, both (n, width), MISSING where there are fewer."""
        _, near = faiss.knn(queries, self.centres, self.looked_at, metric=faiss.METRIC_INNER_PRODUCT)
        best = faiss.ResultHeap(len(queries), width, keep_max=True)
        for members, asking in zip(self.members, _gathered(near, len(self.centres)), strict=True):
            if len(members) and len(asking):
                theirs, few = queries[asking], min(width, len(members))
                found, places = faiss.knn(theirs, self.base[members], few, metric=faiss.METRIC_INNER_PRODUCT)
                best.add_result_subset(asking, found, members[places])
        best.finalize()
        return best.D, best.I


def _gathered(cells: np.ndarray, count: int) -> list[np.ndarray]:
    """Return the rows of each cell, ascending, from the cells of each row (n, looked at)."""
    flat = cells.ravel()
    rows = np.argsort(flat, kind="stable") // cells.shape[1]
    return np.split(rows, np.cumsum(np.bincount(flat, minlength=count))[:-1])


def _first_of_each(base: np.ndarray, groups: Sequence[str] | None) -> np.ndarray:
    """Return the rows that are not zero and share neither vector nor group with an earlier one."""
    seen: set[bytes | str] = {_digest(np.zeros(base.shape[1], dtype=np.float32))}
    kept = []
    for row, vector in enumerate(base):
        keys = {_digest(vector)} | ({groups[row]} if groups is not None else set())
        if not keys & seen:
            kept.append(row)
        seen |= keys
    return np.array(kept, dtype=np.int64)


def _digest(vector: np.ndarray) -> bytes:
    return blake2b(vector.tobytes(), digest_size=16).digest()


def _padded(values: np.ndarray, k: int, fill: int) -> np.ndarray:
    return np.pad(values, ((0, 0), (0, k - values.shape[1])), constant_values=fill)


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))


def _numbered(queries: Sequence[str], base: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups of both sides as numbers that are equal where the groups are."""
    numbers: dict[str, int] = {}
    mine, theirs = ([numbers.setdefault(g, len(numbers)) for g in groups] for groups in (queries, base))
    return np.array(mine), np.array(theirs)
