"""Ratings whose truth is known: records in groups, a rater that errs by a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regold.methods.neighbours import nearest
from regold.methods.ratings.choice import Ground
from regold.methods.ratings.neighbourly import Near
from regold.methods.ratings.recovery import draw, usual_rater
from regold.methods.ratings.regression import length_features

WIDTH = 12


@dataclass(frozen=True)
class World:
    """Records with true classes, and vectors of which the first places tell the class."""

    true: np.ndarray
    vectors: np.ndarray
    lengths: np.ndarray

    def ratings(self, seed: int = 0, matrix: np.ndarray | None = None) -> np.ndarray:
        """Return a rater's scores; the usual rater where no matrix is given."""
        strays = usual_rater()[0] if matrix is None else matrix
        return draw(strays, self.true, np.random.default_rng(seed + 100)).astype(np.float64)

    def near(self, k: int = 20) -> Near:
        """Return the true nearest neighbours."""
        return Near(*nearest(self.vectors, self.vectors, k))

    def ground(self) -> Ground:
        """Return all that a corrector may know beside the scores."""
        return Ground.of(self.vectors, self.near(), length_features(self.lengths, self.lengths))


def world(n: int = 1500, apart: float = 3.0, seed: int = 0) -> World:
    """Make a world of n records; `apart` is how far the text tells the classes apart, 0 for not at all."""
    chance = np.random.default_rng(seed)
    true = chance.choice(6, n, p=usual_rater()[1])
    vectors = chance.standard_normal((n, WIDTH))
    vectors[:, :6] += apart * np.eye(6)[true]
    return World(true, vectors.astype(np.float32), chance.integers(20, 400, n).astype(np.float64))
