"""How much of a pool a set of records covers, and how varied it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from regold.methods.clusters import cluster
from regold.methods.neighbours import MISSING, nearest
from regold.methods.terms import runs


def coverage(
    pool: np.ndarray, chosen: np.ndarray, texts: Sequence[str], clusters: int = 50, k: int = 5, seed: int = 0
) -> dict[str, float]:
    """Measure a set against the pool it comes from, by unit vectors, float32 (n, d), and the set's texts.

    `clusters` is the share of the pool's clusters that hold a record of the set; `knn_distance` the mean cosine
    distance to the k nearest in the set; `distinct_1` and `distinct_2` the shares of different words and word pairs;
    `vendi` the effective number of different records.
    """
    return {
        "records": float(len(chosen)),
        "clusters": round(cluster_coverage(pool, chosen, clusters, seed), 4),
        "knn_distance": round(knn_distance(chosen, k), 4),
        "distinct_1": round(distinct(texts, 1), 4),
        "distinct_2": round(distinct(texts, 2), 4),
        "vendi": round(vendi(chosen), 2),
    }


def cluster_coverage(pool: np.ndarray, chosen: np.ndarray, clusters: int, seed: int = 0) -> float:
    """Return the share of the pool's k-means clusters in which at least one vector of the set lies."""
    if not len(pool) or not len(chosen):
        return 0.0
    found = cluster(pool, clusters, seed)
    return len(set((chosen @ found.centroids.T).argmax(axis=1).tolist())) / found.k


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
