"""Draws ratings whose truth is known, to see how much of it an estimator or a corrector recovers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regold.methods.ratings.compare import spearman
from regold.methods.ratings.raters import STRENGTH, dawid_skene
from regold.methods.ratings.transition import count_moments, estimate, moments, row_error

DIAGONAL = (0.61, 0.55, 0.58, 0.55, 0.66, 0.45)
PRIOR = (0.08, 0.15, 0.28, 0.28, 0.18, 0.03)
"""The usual rater of a simulation: how often each true class is seen as itself, and how frequent it is."""
SIZES = (5_000, 15_000, 50_000, 500_000)
ASTRAY = (0.1, 0.2, 0.3)
TWINS = 0.08
RATED = (150, 1_500)
BLUNT = 0.5
"""The share of a poor rater's scores that are drawn evenly from all classes."""
WAYS = ("mean", "plain", "ordinal")


def usual_rater() -> tuple[np.ndarray, np.ndarray]:
    """Return the usual rater's transition matrix, in which what strays falls off with distance, and its prior."""
    k = len(DIAGONAL)
    steps = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    away = np.where(steps > 0, 0.4 ** steps.astype(float), 0.0)
    spare = 1 - np.array(DIAGONAL)
    return np.diag(DIAGONAL) + away / away.sum(1, keepdims=True) * spare[:, None], np.array(PRIOR) / sum(PRIOR)


def draw(matrix: np.ndarray, true: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return one observed class for each true one."""
    ends = matrix.cumsum(1)
    return np.asarray((chance.random(len(true))[:, None] > ends[true]).sum(1).clip(max=matrix.shape[1] - 1))


def draw_triples(
    matrix: np.ndarray, prior: np.ndarray, n: int, *, astray: float = 0.0, twins: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Return n triples of own, first and second neighbour's class, int (n, 3).

    `astray` is the chance that a neighbour's true class has nothing to do with one's own; `twins` that the first
    neighbour is a duplicate and repeats one's own score.
    """
    chance = np.random.default_rng(seed)
    true = chance.choice(len(prior), n, p=prior)
    seen = [draw(matrix, true, chance)]
    for _ in range(2):
        other = np.where(chance.random(n) < astray, chance.choice(len(prior), n, p=prior), true)
        seen.append(draw(matrix, other, chance))
    seen[1] = np.where(chance.random(n) < twins, seen[0], seen[1])
    return np.stack(seen, 1)


def recovery_table(seed: int = 0, sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Return the mean row L1 error of the estimated matrix in each situation."""
    matrix, prior = usual_rater()
    table = {"exact moments": row_error(estimate(moments(matrix, prior)).matrix, matrix)}
    cases: dict[str, tuple[int, float, float]] = {f"{n} triples": (n, 0.0, 0.0) for n in sizes}
    cases |= {f"neighbours wrong {q}": (sizes[-1], q, 0.0) for q in ASTRAY}
    cases |= {f"duplicates left in {TWINS}": (sizes[-1], 0.0, TWINS)}
    for name, (n, astray, twins) in cases.items():
        triples = draw_triples(matrix, prior, n, astray=astray, twins=twins, seed=seed)
        found = estimate(count_moments(triples, len(prior)))
        table[name] = row_error(found.matrix, matrix)
    return table


def together_table(seed: int = 0, sizes: tuple[int, ...] = RATED, draws: int = 20) -> list[dict[str, Any]]:
    """Return how three simulated raters agree with the truth together: their mean, and Dawid-Skene plain and ordinal.

    Spearman's correlation, the mean over the draws, and in how many of them the ordinal one is above each other way.
    """
    matrix, prior = usual_rater()
    poor = (1 - BLUNT) * matrix + BLUNT / len(prior)
    table = []
    for name, raters in {"alike": (matrix, matrix, matrix), "one good, two poor": (matrix, poor, poor)}.items():
        for n in sizes:
            found = np.array([_together(raters, prior, n, seed + again) for again in range(draws)])
            above = {f"above_{way}": int((found[:, 2] > found[:, place]).sum()) for place, way in enumerate(WAYS[:2])}
            means = dict(zip(WAYS, found.mean(0).tolist(), strict=True))
            table.append({"raters": name, "records": n, "draws": draws, **means, **above})
    return table


def _together(raters: Sequence[np.ndarray], prior: np.ndarray, n: int, seed: int) -> list[float]:
    """Return the agreement with the truth of each of WAYS, for one draw."""
    chance = np.random.default_rng(seed)
    true = chance.choice(len(prior), n, p=prior)
    seen = np.stack([draw(matrix, true, chance) for matrix in raters], 1)
    skene = [dawid_skene(seen, len(prior), strength).scores for strength in (0.0, STRENGTH)]
    return [spearman(scores, true.astype(float)) for scores in (seen.mean(1), *skene)]


def least_error(matrix: np.ndarray, prior: np.ndarray, n: int) -> float:
    """Return the mean row L1 error to expect of the best unbiased estimate of a matrix (K, K) from n triples.

    The Cramér-Rao bound of the multinomial of c3, errors being normal: E|e| = sd * sqrt(2 / pi).
    """
    k, eye = len(prior), np.eye(len(prior))
    by_matrix = (
        np.einsum("j,am,jb,jc->jmabc", prior, eye, matrix, matrix)
        + np.einsum("j,bm,ja,jc->jmabc", prior, eye, matrix, matrix)
        + np.einsum("j,cm,ja,jb->jmabc", prior, eye, matrix, matrix)
    )
    by_prior = np.einsum("ja,jb,jc->jabc", matrix, matrix, matrix)
    slopes = np.concatenate([by_matrix.reshape(k * k, -1), by_prior.reshape(k, -1)])
    # Rows, and the prior, add up to 1: the parameters move in the directions that keep their sums.
    free = np.kron(np.eye(k + 1), np.linalg.svd(np.ones((1, k)))[2][1:].T)
    moved = free.T @ slopes
    information = n * (moved / moments(matrix, prior).three.ravel()) @ moved.T
    spread = np.sqrt(np.diag(free @ np.linalg.inv(information) @ free.T)[: k * k])
    return float(spread.reshape(k, k).sum(1).mean() * np.sqrt(2 / np.pi))
