"""Intervals by resampling: how far apart two methods are on the same records, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

DRAWS = 10_000
_CELLS = 5_000_000
"""Counts drawn at once, so that memory stays under some 40 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its percentile interval."""

    estimate: float
    low: float
    high: float
    level: float = 0.95


def paired_bootstrap(
    right_a: Sequence[float], right_b: Sequence[float], seed: int = 0, level: float = 0.95, draws: int = DRAWS
) -> Interval:
    """Return the mean of a - b over the same records in the same order, with its bootstrap percentile interval.

    Each value is 0, 1 or a share between. Raises ValueError for unequal lengths or no records.
    """
    a, b = np.asarray(right_a, dtype=float), np.asarray(right_b, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError(f"a paired bootstrap compares the same records, at least one: got {a.shape} and {b.shape}")
    means = _means(a - b, np.random.default_rng(seed), draws)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float((a - b).mean()), float(low), float(high), level)


def _means(differences: np.ndarray, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Return means of resamples: drawing how often each distinct value occurs is the same, and needs few numbers."""
    values, counts = np.unique(differences, return_counts=True)
    n, chunk = differences.size, max(1, _CELLS // values.size)
    sizes = [min(chunk, draws - start) for start in range(0, draws, chunk)]
    return np.concatenate([rng.multinomial(n, counts / n, size) @ values / n for size in sizes])


def resampled_means(groups: Sequence[np.ndarray], draws: int = 2000, seed: int = 0) -> np.ndarray:
    """Return bootstrap means of m paired measures, shape (draws, m): seeds are drawn, then records within each seed.

    A group holds one seed's measures, shape (m, records); the same records are drawn for all m, so that differences
    and ratios of columns are paired. Raises ValueError for no groups, or groups of different m.
    """
    if not groups or any(g.ndim != 2 or g.shape[0] != groups[0].shape[0] or not g.shape[1] for g in groups):
        raise ValueError("each group needs the same measures over at least one record")
    rng = np.random.default_rng(seed)
    counts = _counts(tuple(g.shape[1] for g in groups), draws, seed)
    within = [count @ g.T / g.shape[1] for count, g in zip(counts, groups, strict=True)]
    total = np.zeros((draws, groups[0].shape[0]))
    for _ in groups:
        chosen, place = rng.integers(len(groups), size=draws), rng.permutation(draws)
        total += np.stack(within)[chosen, place]
    return total / len(groups)


@lru_cache(maxsize=2)
def _counts(sizes: tuple[int, ...], draws: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return how often each resample draws each record: a table of many rows asks for the same again and again."""
    rng = np.random.default_rng([seed, *sizes])
    return tuple(rng.multinomial(n, [1 / n] * n, draws).astype(np.float64) for n in sizes)


def quantiles(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of resampled values, those that are no number left out; NaN where none is."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mcnemar(right_a: Sequence[float], right_b: Sequence[float]) -> tuple[int, int, float] | None:
    """Return how many records only a has right, how many only b, and the exact two-sided p-value (McNemar 1947).

    None where a value is neither 0 nor 1. Raises ValueError for unequal lengths.
    """
    pairs = list(zip(right_a, right_b, strict=True))
    if any(value not in (0, 1) for pair in pairs for value in pair):
        return None
    only_a, only_b = sum(a > b for a, b in pairs), sum(b > a for a, b in pairs)
    n, fewer = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return only_a, only_b, min(1.0, float(Fraction(2 * tail, 2**n)))
