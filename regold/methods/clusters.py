"""Clusters by k-means with k chosen by silhouette, groups of direct neighbours, and the words of a domain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from sklearn.cluster import kmeans_plusplus

from regold.methods.terms import stem

SAMPLE = 10_000
"""So many vectors at most decide k."""
CANDIDATES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SMALLEST = 10
"""Vectors a cluster, on average, below which no k is tried."""
BLOCK = 512


@dataclass(frozen=True)
class Clustering:
    """Which cluster each vector is in, and where the clusters lie."""

    labels: np.ndarray
    """int64 (n,), from 0; clusters that came out empty have no number."""
    centroids: np.ndarray
    """float32 (k, d), of unit length."""
    silhouettes: dict[int, float]
    """The mean silhouette of each k that was tried."""

    @property
    def k(self) -> int:
        """Return the number of clusters."""
        return len(self.centroids)


def cluster(vectors: np.ndarray, k: int | None = None, seed: int = 0, most: int = CANDIDATES[-1]) -> Clustering:
    """Cluster unit vectors by cosine, float32 (n, d); without k, that of the largest mean silhouette, up to `most`.

    k is decided on a seeded sample of at most 10,000 vectors. Fewer than 20 vectors are one cluster.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if k is None:
        sample = vectors
        if len(vectors) > SAMPLE:
            sample = vectors[np.sort(np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE])]
        tried = {n: _tried(sample, n, seed) for n in CANDIDATES if n <= min(most, len(sample) // SMALLEST)}
        k = max(tried, key=lambda n: (tried[n], -n)) if tried else 1
    else:
        tried, k = {}, max(1, min(k, len(vectors)))
    labels, centroids = _kmeans(vectors, k, seed)
    return Clustering(labels, centroids, tried)


def _tried(sample: np.ndarray, k: int, seed: int) -> float:
    return silhouette(sample, _kmeans(sample, k, seed)[0])


def _kmeans(vectors: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if k <= 1 or len(vectors) <= k:
        labels = np.zeros(len(vectors), dtype=np.int64)
        return labels, _centroids(vectors, labels)
    start, _ = kmeans_plusplus(vectors, k, random_state=seed)
    means = faiss.Kmeans(vectors.shape[1], k, niter=25, seed=seed, spherical=True, min_points_per_centroid=1)
    means.train(vectors, init_centroids=start)
    _, found = means.index.search(vectors, 1)
    _, labels = np.unique(found[:, 0], return_inverse=True)
    return labels.astype(np.int64), _centroids(vectors, labels)


def _centroids(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    sums = np.zeros((int(labels.max(initial=0)) + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(norms, 1e-12), dtype=np.float32)


def silhouette(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean silhouette of unit vectors under cosine distance; 0 for a single cluster (Rousseeuw 1987).

    The mean cosine distance to a cluster is 1 minus the product with its mean, so no pairs are compared.
    """
    sizes = np.bincount(labels)
    if len(sizes) < 2:
        return 0.0
    sums = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(sums, labels, vectors.astype(np.float64))
    products = vectors.astype(np.float64) @ sums.T
    rows = np.arange(len(vectors))
    own_size, own = sizes[labels], products[rows, labels] - np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    inside = 1 - own / np.maximum(own_size - 1, 1)
    outside = 1 - products / sizes
    outside[rows, labels] = np.inf
    nearest = outside.min(axis=1)
    width = np.maximum(np.maximum(inside, nearest), 1e-12)
    return float(np.where(own_size > 1, (nearest - inside) / width, 0.0).mean())


def one_hop_groups(vectors: np.ndarray, tau: float, order: Sequence[int] | None = None) -> np.ndarray:
    """Return for each vector the row of its group's seed, int64 (n,).

    Seeds are taken in `order`; a group is a seed and those vectors still free whose cosine to the seed itself reaches
    tau, so that no chain of neighbours joins what is far apart.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    seeds = np.full(len(vectors), -1, dtype=np.int64)
    ranked = np.asarray(order if order is not None else range(len(vectors)), dtype=np.int64)
    for start in range(0, len(ranked), BLOCK):
        block = [row for row in ranked[start : start + BLOCK] if seeds[row] < 0]
        cosines = vectors[block] @ vectors.T if block else np.zeros((0, len(vectors)))
        for row, near in zip(block, cosines, strict=True):
            if seeds[row] < 0:
                seeds[(near >= tau) & (seeds < 0)] = row
                seeds[row] = row
    return seeds


def mmr(vectors: np.ndarray, centroid: np.ndarray, count: int, weight: float = 0.6) -> np.ndarray:
    """Return the rows of `count` representatives, best first, int64 (count,).

    Each is argmax weight * cos(x, centroid) - (1 - weight) * max over those chosen of cos(x, s) (maximal marginal
    relevance); equal scores by row.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    relevance = weight * (vectors @ centroid)
    closest = np.zeros(len(vectors), dtype=np.float32)
    chosen = np.zeros(min(count, len(vectors)), dtype=np.int64)
    free = np.ones(len(vectors), dtype=bool)
    for place in range(len(chosen)):
        score = np.where(free, relevance - (1 - weight) * closest, -np.inf)
        row = int(np.argmax(score))
        chosen[place], free[row] = row, False
        near = vectors @ vectors[row]
        closest = near if place == 0 else np.maximum(closest, near)
    return chosen


def domain_words(texts: Iterable[frozenset[str]], labels: np.ndarray, most: int = 8) -> list[list[str]]:
    """Return the telling words of each cluster, by tf-idf over the words of its texts, best first.

    The weight is the share of the cluster's texts that hold a word times log(that share / the share of all texts), so
    that a word common everywhere tells nothing. Of words with one stem the most frequent stands for all.
    """
    inside: list[Counter[str]] = [Counter() for _ in range(int(labels.max(initial=0)) + 1)]
    everywhere: Counter[str] = Counter()
    for words, label in zip(texts, labels.tolist(), strict=True):
        inside[label].update(words)
        everywhere.update(words)
    total, sizes = len(labels), np.bincount(labels)
    return [_ranked(counts, everywhere, total, int(size), most) for counts, size in zip(inside, sizes, strict=True)]


def _ranked(counts: Counter[str], everywhere: Counter[str], total: int, size: int, most: int) -> list[str]:
    least = 1 if size < 20 else 2
    weighed = {
        word: n / size * math.log((1 + total) * n / (size * everywhere[word]))
        for word, n in counts.items()
        if n >= least
    }
    best: dict[str, str] = {}
    for word in sorted(weighed, key=lambda word: (-weighed[word], word)):
        best.setdefault(stem(word), word)
    return list(best.values())[:most]


def pair_nearest(
    vectors: np.ndarray, groups: Sequence[str], order: Sequence[int], ceiling: float = 1.0
) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of rows and their cosine: in `order`, each free row with the nearest free row of its group.

    Pairs whose cosine reaches `ceiling` say the same and are not formed; equal cosines go to the first row.
    """
    members: dict[str, list[int]] = {}
    for row in order:
        members.setdefault(groups[row], []).append(row)
    for rows in members.values():
        here = np.asarray(rows, dtype=np.int64)
        own, free = vectors[here], np.ones(len(here), dtype=bool)
        for place, row in enumerate(rows):
            if not free[place]:
                continue
            free[place] = False
            cosines = np.where(free, own @ own[place], -np.inf)
            cosines[cosines >= ceiling] = -np.inf
            best = int(np.argmax(cosines)) if len(cosines) else 0
            if np.isfinite(cosines[best]):
                free[best] = False
                yield row, rows[best], float(cosines[best])
