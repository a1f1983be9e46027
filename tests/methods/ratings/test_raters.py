from __future__ import annotations

import numpy as np
import pytest

from regold.methods.ratings.compare import spearman
from regold.methods.ratings.raters import dawid_skene
from regold.methods.ratings.recovery import draw, usual_rater
from regold.methods.ratings.transition import row_error

MATRIX, PRIOR = usual_rater()


def _rated(n: int, raters: int = 3) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(7)
    true = chance.choice(6, n, p=PRIOR)
    return true, np.stack([draw(MATRIX, true, chance) for _ in range(raters)], 1)


def test_three_raters_together_beat_each_and_the_majority() -> None:
    true, classes = _rated(4000)
    found = dawid_skene(classes, 6)
    best = max(spearman(classes[:, r].astype(float), true.astype(float)) for r in range(3))
    assert spearman(found.scores, true.astype(float)) > best + 0.05
    majority = np.array([np.bincount(row, minlength=6).argmax() for row in classes])
    assert (found.posterior.argmax(1) == true).mean() > (majority == true).mean()
    assert max(row_error(c, MATRIX) for c in found.confusion) < 0.3
    np.testing.assert_allclose(found.prior, PRIOR, atol=0.05)


def test_the_ordinal_prior_helps_where_records_are_few() -> None:
    gains = []
    for seed in range(5):
        true, classes = (part[seed * 150 : seed * 150 + 150] for part in _rated(750))
        plain, ordinal = (spearman(dawid_skene(classes, 6, s).scores, true.astype(float)) for s in (0.0, 2.0))
        gains.append(ordinal - plain)
    assert np.mean(gains) > 0


def test_a_better_rater_counts_for_more() -> None:
    chance = np.random.default_rng(2)
    true = chance.integers(0, 6, 2000)
    good = true.copy()
    poor = [np.where(chance.random(2000) < 0.75, chance.integers(0, 6, 2000), true) for _ in range(2)]
    found = dawid_skene(np.column_stack([good, *poor]), 6)
    assert np.trace(found.confusion[0]) > 1.5 * max(np.trace(c) for c in found.confusion[1:])
    assert (found.posterior.argmax(1) == true).mean() > 0.95


def test_records_that_nobody_rated_tell_nothing() -> None:
    _, classes = _rated(3000)
    alone = dawid_skene(classes, 6)
    among = dawid_skene(np.vstack([np.full((4500, 3), -1), classes, np.full((4500, 3), -1)]), 6)
    np.testing.assert_array_equal(among.prior, alone.prior)
    np.testing.assert_array_equal(among.confusion, alone.confusion)
    np.testing.assert_array_equal(among.scores[4500:7500], alone.scores)
    assert np.isnan(among.scores[:4500]).all()


def test_missing_ratings() -> None:
    _, classes = _rated(600)
    classes[::3, 0] = -1
    classes[5] = -1
    found = dawid_skene(classes, 6)
    assert np.isnan(found.scores[5])
    assert np.isfinite(np.delete(found.scores, 5)).all()
    nobody = dawid_skene(np.full((4, 2), -1), 6)
    assert np.isnan(nobody.posterior).all()
    with pytest.raises(ValueError, match="raters"):
        dawid_skene(np.zeros((3, 0), dtype=int), 6)
