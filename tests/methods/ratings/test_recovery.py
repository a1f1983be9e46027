from __future__ import annotations

import numpy as np
import pytest

from regold.methods.ratings.recovery import DIAGONAL, draw, recovery_table, usual_rater


def test_the_usual_rater_and_its_draws() -> None:
    matrix, prior = usual_rater()
    assert np.diag(matrix).tolist() == pytest.approx(DIAGONAL)
    assert (matrix.sum(1), prior.sum()) == (pytest.approx(np.ones(6)), pytest.approx(1))
    seen = draw(matrix, np.full(50_000, 2), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(seen, minlength=6) / 50_000, matrix[2], atol=0.01)


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
