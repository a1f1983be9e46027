"""Estimates how a rater's scores stray from true ones by the consensus of near neighbours (HOC, arXiv 2102.05291)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

RATE = 0.1
STEPS = 1500
RESTARTS = 20
BOOTSTRAPS = 20
CLOSE = 1.02
"""Restarts whose loss is within this factor of the least, or `SLACK` of it, count as equally good."""
SLACK = 1e-4
_B1, _B2, _EPS = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Moments:
    """Frequencies of a score alone, beside its first neighbour's, and beside its first two neighbours'.

    Arrays of shape (K,), (K, K) and (K, K, K), or with the same leading axes each.
    """

    one: np.ndarray
    two: np.ndarray
    three: np.ndarray
    triples: int = 0
    """How many triples they were counted in; 0 for exact ones."""


def moments(matrix: np.ndarray, prior: np.ndarray) -> Moments:
    """Return the exact moments c1, c2, c3 of a transition matrix (..., K, K) and a prior (..., K) (HOC)."""
    k = matrix.shape[-1]
    pairs = _pairs(matrix)
    weighed = np.swapaxes(prior[..., None] * matrix, -1, -2)
    three = (weighed @ pairs).reshape(*matrix.shape[:-2], k, k, k)
    return Moments((prior[..., None] * matrix).sum(-2), weighed @ matrix, three)


def count_moments(triples: np.ndarray, classes: int) -> Moments:
    """Return the frequencies in triples of own, first and second neighbour's class, int (n, 3). Raises ValueError."""
    if triples.ndim != 2 or triples.shape[1] != 3 or not len(triples):
        raise ValueError("triples must have the shape (n, 3), with n > 0")
    a, b, c = triples.T
    n = len(triples)
    one = np.bincount(a, minlength=classes) / n
    two = np.bincount(a * classes + b, minlength=classes**2).reshape(classes, classes) / n
    three = np.bincount((a * classes + b) * classes + c, minlength=classes**3).reshape((classes,) * 3) / n
    return Moments(one, two, three, n)


def loss_and_gradients(u: np.ndarray, v: np.ndarray, target: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the loss of R starts, and its gradients by u (R, K, K) and v (R, K), where T = softmax(u), p = softmax(v).

    loss = |c1h - c1| + |c2h - c2| + |c3h - c3|, norms unsquared; the gradients are exact.
    """
    matrix, prior = _softmax(u), _softmax(v)
    pairs = _pairs(matrix)
    weighed = np.swapaxes(prior[:, :, None] * matrix, 1, 2)
    k = u.shape[-1]
    gaps = (
        (prior[:, :, None] * matrix).sum(1) - target.one,
        weighed @ matrix - target.two,
        (weighed @ pairs).reshape(-1, k, k, k) - target.three,
    )
    norms = [np.sqrt((gap**2).reshape(len(u), -1).sum(1)) for gap in gaps]
    g1, g2, g3 = (
        gap / np.maximum(norm, 1e-300).reshape(-1, *[1] * (gap.ndim - 1)) for gap, norm in zip(gaps, norms, strict=True)
    )
    both = g2 + np.swapaxes(g2, 1, 2)
    # g3_abc + g3_bac + g3_bca: the three places that one class can have in a triple
    around = g3 + g3.transpose(0, 2, 1, 3) + g3.transpose(0, 3, 1, 2)
    inner = g1[:, None, :] + matrix @ both + pairs @ np.swapaxes(around.reshape(-1, k, k * k), 1, 2)
    by_matrix = prior[:, :, None] * inner
    own = g1[:, None, :] + matrix @ np.swapaxes(g2, 1, 2) + pairs @ np.swapaxes(g3.reshape(-1, k, k * k), 1, 2)
    by_prior = (matrix * own).sum(2)
    by_u = matrix * (by_matrix - (by_matrix * matrix).sum(2, keepdims=True))
    by_v = prior * (by_prior - (prior * by_prior).sum(1, keepdims=True))
    return np.sum(norms, axis=0), by_u, by_v


@dataclass(frozen=True)
class Transition:
    """An estimate: T[i, j] = P(observed j | true i), the prior of the true classes, and how far to believe it."""

    matrix: np.ndarray
    prior: np.ndarray
    residual: float
    """The loss; near 0 where the moments are of the model's form."""
    spread: float
    """Mean row L1 distance from the best start's matrix of those that fit as well."""
    restarts: int
    agreeing: int
    """Restarts that fit as well as the best."""

    @cached_property
    def dominant(self) -> np.ndarray:
        """Whether the true class is the most likely one to be observed, row by row; bool (K,)."""
        return np.asarray(self.matrix.argmax(1) == np.arange(len(self.matrix)))

    @property
    def posterior(self) -> np.ndarray:
        """G[i, j] = P(true i | observed j) = T[i, j] p[i] / p_obs[j]; a class never observed has a zero column."""
        joint = self.prior[:, None] * self.matrix
        seen = joint.sum(0)
        return np.asarray(np.divide(joint, seen, out=np.zeros_like(joint), where=seen > 0))


def estimate(target: Moments, restarts: int = RESTARTS, steps: int = STEPS, seed: int = 0) -> Transition:
    """Fit T and p to moments by Adam from `restarts` starts at once, and keep the best iterate of the best start.

    Moments cannot tell which class is which, and off the model's form many matrices fit alike: of the starts that fit
    equally well the one with the largest mean diagonal is taken, since raters are right more often than not.
    """
    k = len(target.one)
    chance = np.random.default_rng(seed)
    wobble = np.zeros((restarts, 1, 1))
    wobble[1:] = np.linspace(0.5, 2.0, max(restarts - 1, 1))[: restarts - 1, None, None]
    u = 5.0 * np.eye(k) - 1.0 + wobble * chance.standard_normal((restarts, k, k))
    v = wobble[:, 0] * 0.5 * chance.standard_normal((restarts, k))
    matrices, priors, losses = _descend(u, v, target, steps)
    alike = losses <= max(losses.min() * CLOSE, losses.min() + SLACK)
    diagonal = np.trace(matrices, axis1=1, axis2=2)
    best = int(np.where(alike, diagonal, -1.0).argmax())
    far = np.abs(matrices[alike] - matrices[best]).sum(2).mean(1)
    return Transition(matrices[best], priors[best], float(losses[best]), float(far.mean()), restarts, int(alike.sum()))


def misfit(found: Transition, target: Moments, bootstraps: int = BOOTSTRAPS, steps: int = 500, seed: int = 0) -> float:
    """Return the share of parametric bootstrap draws that fit no better than the data did: near 0 is a misfit.

    Each draw has as many triples as the data, from the fitted model, and is fitted from there.
    """
    exact = moments(found.matrix, found.prior)
    k, cells = len(found.prior), exact.three.ravel().clip(min=0)
    drawn = np.random.default_rng(seed).multinomial(target.triples, cells / cells.sum(), size=bootstraps)
    three = (drawn / target.triples).reshape(-1, k, k, k)
    again = Moments(three.sum((2, 3)), three.sum(3), three, target.triples)
    u = np.repeat(np.log(found.matrix.clip(min=1e-6))[None], bootstraps, 0)
    v = np.repeat(np.log(found.prior.clip(min=1e-6))[None], bootstraps, 0)
    _, _, losses = _descend(u, v, again, steps)
    return float((1 + (losses >= found.residual).sum()) / (1 + bootstraps))


def row_error(found: np.ndarray, true: np.ndarray) -> float:
    """Return the mean over rows of the L1 distance of two matrices, from 0 to 2."""
    return float(np.abs(found - true).sum(1).mean())


def _descend(u: np.ndarray, v: np.ndarray, target: Moments, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return matrices, priors and losses of the best iterate of each start."""
    best = np.full(len(u), np.inf)
    kept_u, kept_v = u.copy(), v.copy()
    mean_u, mean_v, square_u, square_v = (np.zeros_like(x) for x in (u, v, u, v))
    for step in range(1, steps + 1):
        loss, by_u, by_v = loss_and_gradients(u, v, target)
        better = loss < best
        best = np.where(better, loss, best)
        kept_u[better], kept_v[better] = u[better], v[better]
        # The norms are not squared, so steps of one size would circle the minimum: the last third of them shrink.
        rate = RATE * min(1.0, 0.01 ** ((step / steps - 2 / 3) * 3))
        u = u - rate * _adam(mean_u, square_u, by_u, step)
        v = v - rate * _adam(mean_v, square_v, by_v, step)
    return _softmax(kept_u), _softmax(kept_v), best


def _adam(mean: np.ndarray, square: np.ndarray, gradient: np.ndarray, step: int) -> np.ndarray:
    mean *= _B1
    mean += (1 - _B1) * gradient
    square *= _B2
    square += (1 - _B2) * gradient**2
    return np.asarray(mean / (1 - _B1**step) / (np.sqrt(square / (1 - _B2**step)) + _EPS))


def _pairs(matrix: np.ndarray) -> np.ndarray:
    """Return T_ib T_ic as (..., K, K * K)."""
    k = matrix.shape[-1]
    return np.asarray((matrix[..., :, None] * matrix[..., None, :]).reshape(*matrix.shape[:-1], k * k))


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))
