"""How much of a pool a set of records covers, and how varied it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from regold.methods.clusters import cluster
from regold.methods.neighbours import MISSING, nearest
from regold.methods.terms import runs

CLUSTERS = 500
"""Clusters of a pool at most whose coverage is measured."""


def compared(
    sides: Mapping[str, np.ndarray], texts: Mapping[str, Sequence[str]], most: int = 5000, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Measure sets against the first of them, the pool; all by equally many records, drawn by the seed.

    Distances, distinct-n and the Vendi score of sets of different sizes cannot be compared, so each set is cut to the
    size of the smallest, `most` at most. `clusters` is the share of the pool's clusters that hold a record of the
    set, `rare_share` the share of the set that lies in the smallest quarter of them.
    """
    size = min(most, *(len(vectors) for vectors in sides.values()))
    pool = next(iter(sides.values()))
    drawn = {name: _drawn(len(vectors), size, seed) for name, vectors in sides.items()}
    base = pool[_drawn(len(pool), most, seed)]
    found = cluster(base, max(2, min(CLUSTERS, len(base) // 10)), seed)
    return {
        name: {
            "records": float(len(vectors)),
            "measured": float(size),
            **diversity(vectors[drawn[name]], [texts[name][row] for row in drawn[name]]),
            **_covered(vectors[drawn[name]], found.centroids, found.labels),
        }
        for name, vectors in sides.items()
    }


def _drawn(total: int, size: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(total)[:size])


def _covered(vectors: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    lies = (vectors @ centroids.T).argmax(axis=1) if len(vectors) else np.zeros(0, dtype=np.int64)
    rare = rare_share([str(n) for n in labels], [str(n) for n in lies])["after"]
    return {"clusters": round(len(set(lies.tolist())) / len(centroids), 4), "rare_share": round(rare, 4)}


def diversity(vectors: np.ndarray, texts: Sequence[str], k: int = 5) -> dict[str, float]:
    """Measure how varied records are, by unit vectors, float32 (n, d), and their texts.

    `knn_distance` is the mean cosine distance to the k nearest; `distinct_1` and `distinct_2` the shares of different
    words and word pairs; `vendi` the effective number of different records.
    """
    return {
        "knn_distance": round(knn_distance(vectors, k), 4),
        "distinct_1": round(distinct(texts, 1), 4),
        "distinct_2": round(distinct(texts, 2), 4),
        "vendi": round(vendi(vectors), 2),
    }


def knn_distance(vectors: np.ndarray, k: int = 5) -> float:
    """Return the mean cosine distance to the k nearest others, equal vectors left out; 0 where there are none."""
    rows, cosines = nearest(vectors, vectors, k)
    known = rows != MISSING
    return float((1 - cosines[known]).mean()) if known.any() else 0.0


def distinct(texts: Sequence[str], n: int) -> float:
    """Return the share of different runs of n words among all (distinct-n, Li et al. 2016); 0 without words."""
    found = [run for text in texts for run in runs(text, n)]
    return len(set(found)) / len(found) if found else 0.0


def vendi(vectors: np.ndarray) -> float:
    """Return exp of the entropy of the eigenvalues of the cosine kernel over n (Vendi score, Friedman and Dieng 2023).

    1 for equal vectors, n for orthogonal ones. The d x d second moment has the same eigenvalues as the n x n kernel.
    """
    if not len(vectors):
        return 0.0
    wide = vectors.astype(np.float64)
    values = np.linalg.eigvalsh(wide.T @ wide / len(wide))
    values = values[values > 1e-12]
    values = values / values.sum() if len(values) else values
    return float(np.exp(-(values * np.log(values)).sum()))


def rare_share(pool: Sequence[str], chosen: Sequence[str], share: float = 0.25) -> Mapping[str, float]:
    """Return which share of the pool, and of a set, lies in the rarest clusters, by the cluster's name.

    The rarest are the smallest clusters, taken until they hold `share` of the pool's clusters.
    """
    names, counts = np.unique(np.asarray(pool, dtype=object).astype(str), return_counts=True)
    rare = {str(names[i]) for i in np.argsort(counts, kind="stable")[: max(1, round(share * len(names)))]}
    return {
        "before": sum(name in rare for name in pool) / max(len(pool), 1),
        "after": sum(name in rare for name in chosen) / max(len(chosen), 1),
    }
