from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score

from regold.methods.ratings.compare import agree, pearson, ranks, spearman, to_class, weighted_kappa


def _two(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    one = chance.integers(0, 6, n)
    return one.astype(float), (one + chance.integers(-1, 3, n)).clip(0, 5).astype(float)


def test_figures_equal_scipy_and_scikit_learn() -> None:
    one, other = _two()
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert pearson(one, other) == pytest.approx(np.corrcoef(one, other)[0, 1])
    np.testing.assert_allclose(ranks(one), rankdata(one) - 1)
    assert weighted_kappa(one, other, 6) == pytest.approx(cohen_kappa_score(one, other, weights="quadratic"))


def test_missing_scores_and_constants() -> None:
    one, other = _two()
    expected = spearman(one[50:], other[50:])
    one[:50] = np.nan
    assert spearman(one, other) == pytest.approx(expected)
    assert spearman(np.ones(9), np.arange(9.0)) == 0.0
    assert weighted_kappa(np.full(3, np.nan), np.ones(3), 6) == 0.0
    assert to_class(np.array([-1.0, 0.49, 0.5, 2.5, 9.0]), 6).tolist() == [0, 0, 1, 3, 5]


def test_agreement_of_a_corrected_rater() -> None:
    given, theirs = np.array([0.0, 1, 2, 3, 4, 5] * 20), np.array([1.0, 1, 2, 3, 4, 5] * 20)
    found = agree(theirs, given, theirs, np.arange(120.0), 6)
    assert (found.spearman, found.kappa) == (pytest.approx(1), pytest.approx(1))
    assert (found.changed, found.distance_before, found.distance_after) == (20, 1.0, 0.0)
    assert found.within_length == pytest.approx(1)


def test_agreement_that_length_alone_gives_is_gone_within_length() -> None:
    lengths = np.repeat(np.arange(10.0), 40)
    chance = np.random.default_rng(0)
    one, other = (lengths / 2 + 0.3 * chance.standard_normal(400) for _ in range(2))
    found = agree(one, one, other, lengths, 6)
    assert found.spearman > 0.8
    assert abs(found.within_length) < 0.15
