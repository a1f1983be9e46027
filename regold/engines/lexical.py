"""An encoder of words and spellings that needs no model: hashed tf-idf, projected on what the texts share."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from regold.engines.base import EngineSpec
from regold.engines.vectors import unit

WIDTH = 128
SLOTS = 2**15
"""Hash slots for words and word pairs; as many again for runs of bytes."""
SPELLING = 0.7
"""Weight of spelling beside words."""
SAMPLE = 10_000
KEPT = 30_000
WORD = re.compile(r"\w+")
RUNS = (3, 4, 5)
_BASE = np.uint64(1_099_511_628_211)

Features = tuple[np.ndarray, np.ndarray]


class LexicalEncoder:
    """The offline default: deterministic, and good enough to find near questions."""

    def __init__(self, spec: EngineSpec | None = None) -> None:
        self.spec = spec

    @property
    def identity(self) -> str:
        """Return name and version: what it learns is in the artifact."""
        return "lexical 1"

    async def learn(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Learn `column` (feature to column, -1 unknown), `idf` and `projection` from at most 10,000 of the texts."""
        drawn = np.random.default_rng(0).permutation(len(texts))[:SAMPLE] if len(texts) > SAMPLE else range(len(texts))
        rows = [features(texts[i]) for i in drawn]
        seen = np.bincount(np.concatenate([r[0] for r in rows]) if rows else [], minlength=2 * SLOTS)
        ranked = np.argsort(-seen, kind="stable")[:KEPT]
        kept = np.sort(ranked[seen[ranked] > 0])
        column = np.full(2 * SLOTS, -1, dtype=np.int32)
        column[kept] = np.arange(len(kept), dtype=np.int32)
        idf = (np.log((1 + len(rows)) / (1 + seen[kept])) + 1).astype(np.float32)
        weighed = [_weigh(r, column, idf) for r in rows]
        return {"column": column, "idf": idf, "projection": _projection(weighed, len(kept))}

    async def encode(self, texts: Sequence[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the texts' unit vectors; a text without a known word or spelling is the zero vector."""
        column, idf, projection = learned["column"], learned["idf"], learned["projection"]
        out = np.zeros((len(texts), projection.shape[1]), dtype=np.float32)
        for i, text in enumerate(texts):
            columns, weights = _weigh(features(text), column, idf)
            if len(columns):
                out[i] = weights @ projection[columns]
        return unit(out)

    async def probe(self) -> None:
        """Do nothing: there is nothing that could be missing."""

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def features(text: str) -> Features:
    """Return a text's hashed features, sorted and unlike, with their counts: words and pairs, then runs of bytes."""
    words = WORD.findall(text.lower())
    pairs = [f"{a} {b}" for a, b in pairwise(words)]
    spoken = np.array([zlib.crc32(w.encode()) % SLOTS for w in (*words, *pairs)], dtype=np.int64)
    letters = np.frombuffer(" ".join(("", *words, "")).encode(), dtype=np.uint8).astype(np.uint64)
    runs = [_hashed(letters, n) for n in RUNS if len(letters) >= n and words]
    found, counts = np.unique(np.concatenate([spoken, *runs]), return_counts=True)
    return found, counts.astype(np.float32)


def _hashed(letters: np.ndarray, n: int) -> np.ndarray:
    total = np.full(len(letters) - n + 1, n, dtype=np.uint64)
    for i in range(n):
        total = (total ^ letters[i : len(letters) - n + 1 + i]) * _BASE
    return SLOTS + ((total >> np.uint64(17)) % np.uint64(SLOTS)).astype(np.int64)


def _weigh(row: Features, column: np.ndarray, idf: np.ndarray) -> Features:
    """Return columns and tf-idf weights, words and spelling each of unit length before they are joined."""
    found, counts = row
    known = column[found] >= 0
    found, counts = found[known], counts[known]
    columns = column[found]
    weights = (1 + np.log(counts)) * idf[columns]
    for part, weight in ((found < SLOTS, 1.0), (found >= SLOTS, SPELLING)):
        norm = np.linalg.norm(weights[part])
        if norm > 0:
            weights[part] *= weight / norm
    return columns, weights.astype(np.float32)


def _projection(rows: Sequence[Features], width: int) -> np.ndarray:
    """Return the right singular vectors, shape (width, at most 128); chance ones where there are too few texts."""
    if len(rows) <= WIDTH or width <= WIDTH:
        chance = np.random.default_rng(0).standard_normal((width, WIDTH))
        return np.asarray(chance / np.sqrt(WIDTH), dtype=np.float32)
    ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    matrix = csr_matrix(
        (np.concatenate([w for _, w in rows]), np.concatenate([c for c, _ in rows]), ends), shape=(len(rows), width)
    )
    _, _, axes = randomized_svd(matrix, WIDTH, n_iter=3, random_state=0)
    return np.asarray(axes.T, dtype=np.float32, order="C")
