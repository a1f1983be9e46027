"""One score from many checks: how likely is a fault, given which checks found something?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

SHIPPED = Path(__file__).parent / "weights.json"
PRIOR = 2.0
"""Records with the base rate of faults that each check is taken to have fired on before any was seen."""


def fit_weights(fired: Sequence[Iterable[str]], wrong: Sequence[bool], names: Iterable[str]) -> dict[str, float]:
    """Return each check's precision on labelled records, shrunk towards the share of wrong ones.

    p = (hits + PRIOR * base) / (fires + PRIOR): the posterior mean under a Beta prior, one number a check.
    """
    base = sum(wrong) / len(wrong) if wrong else 0.0
    sets = [set(f) for f in fired]
    weights = {}
    for name in names:
        fires = [w for f, w in zip(sets, wrong, strict=True) if name in f]
        weights[name] = round((sum(fires) + PRIOR * base) / (len(fires) + PRIOR), 4)
    return weights


def score(fired: Iterable[str], weights: Mapping[str, float]) -> float:
    """Return 1 - prod(1 - p) over the checks that fired (noisy or); 0 where none did."""
    left = 1.0
    for name in set(fired):
        left *= 1 - weights.get(name, 0.0)
    return 1 - left


@lru_cache(maxsize=1)
def shipped_weights() -> dict[str, float]:
    """Return the weights that come with the package, learnt on a labelled half of real instruction data."""
    return {str(k): float(v) for k, v in json.loads(SHIPPED.read_text(encoding="utf-8"))["weights"].items()}


def shipped_threshold() -> float:
    """Return the score from which a record counts as flagged."""
    return float(json.loads(SHIPPED.read_text(encoding="utf-8"))["threshold"])
