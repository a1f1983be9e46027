from __future__ import annotations

import numpy as np
import pytest

from regold.methods.ratings.recovery import (
    DIAGONAL,
    draw,
    draw_triples,
    least_error,
    recovery_table,
    together_table,
    usual_rater,
)
from regold.methods.ratings.transition import count_moments, estimate, row_error


def test_the_usual_rater_and_its_draws() -> None:
    matrix, prior = usual_rater()
    assert np.diag(matrix).tolist() == pytest.approx(DIAGONAL)
    assert (matrix.sum(1), prior.sum()) == (pytest.approx(np.ones(6)), pytest.approx(1))
    seen = draw(matrix, np.full(50_000, 2), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(seen, minlength=6) / 50_000, matrix[2], atol=0.01)


def test_no_estimate_is_expected_to_beat_the_bound_and_ours_comes_near() -> None:
    matrix, prior = usual_rater()
    bounds = [least_error(matrix, prior, n) for n in (50_000, 200_000)]
    assert bounds[0] == pytest.approx(2 * bounds[1])
    errors = []
    for seed in range(5):
        triples = draw_triples(matrix, prior, 200_000, seed=seed)
        errors.append(row_error(estimate(count_moments(triples, 6), restarts=1, steps=600).matrix, matrix))
    assert 0.75 * bounds[1] < np.mean(errors) < 1.5 * bounds[1]


def test_the_bound_of_one_coin_is_the_known_one() -> None:
    """Three throws a record, of a coin that shows the truth: the classes are known, each row is a plain frequency."""
    matrix = np.array([[1 - 1e-9, 1e-9], [1e-9, 1 - 1e-9]])
    assert least_error(matrix, np.array([0.5, 0.5]), 10_000) < 1e-5


@pytest.mark.slow
def test_the_recovery_table_matches_what_is_known() -> None:
    tables = [recovery_table(seed) for seed in range(3)]
    mean = {name: np.mean([t[name] for t in tables]) for name in tables[0]}
    assert mean["exact moments"] < 0.007
    known = {"5000 triples": 0.136, "15000 triples": 0.069, "500000 triples": 0.014}
    known |= {"neighbours wrong 0.1": 0.056, "neighbours wrong 0.2": 0.117, "neighbours wrong 0.3": 0.150}
    for name, value in known.items():
        assert mean[name] < 1.25 * value, name
    assert mean["50000 triples"] < 0.07


def test_raters_brought_together_by_size() -> None:
    few, many = together_table(sizes=(150, 1000), draws=3)[:2]
    assert (few["records"], many["records"], few["draws"]) == (150, 1000, 3)
    assert few["plain"] < few["ordinal"]
    assert many["plain"] < many["ordinal"]
    assert few["ordinal"] - few["mean"] < many["ordinal"] - many["mean"]
    assert few["above_plain"] == 3
