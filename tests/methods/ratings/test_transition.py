from __future__ import annotations

import numpy as np
import pytest

from regold.methods.ratings.recovery import draw_triples, usual_rater
from regold.methods.ratings.transition import (
    Moments,
    Transition,
    count_moments,
    estimate,
    loss_and_gradients,
    misfit,
    moments,
    row_error,
)

MATRIX, PRIOR = usual_rater()


def test_moments_are_the_sums_of_the_definition() -> None:
    exact = moments(MATRIX, PRIOR)
    np.testing.assert_allclose(exact.one, np.einsum("i,ia->a", PRIOR, MATRIX), atol=1e-12)
    np.testing.assert_allclose(exact.two, np.einsum("i,ia,ib->ab", PRIOR, MATRIX, MATRIX), atol=1e-12)
    np.testing.assert_allclose(exact.three, np.einsum("i,ia,ib,ic->abc", PRIOR, MATRIX, MATRIX, MATRIX), atol=1e-12)


def test_counted_moments_near_the_exact_ones() -> None:
    counted, exact = count_moments(draw_triples(MATRIX, PRIOR, 200_000), 6), moments(MATRIX, PRIOR)
    assert counted.triples == 200_000
    for seen, true in ((counted.one, exact.one), (counted.two, exact.two), (counted.three, exact.three)):
        assert seen.sum() == pytest.approx(1)
        np.testing.assert_allclose(seen, true, atol=0.005)
    with pytest.raises(ValueError, match="shape"):
        count_moments(np.zeros((0, 3), dtype=int), 6)


def test_gradients_equal_differences() -> None:
    chance = np.random.default_rng(3)
    target = count_moments(draw_triples(MATRIX, PRIOR, 3000), 6)
    u, v = chance.standard_normal((2, 6, 6)), chance.standard_normal((2, 6))
    _, by_u, by_v = loss_and_gradients(u, v, target)
    step = 1e-6
    for place in [(0, 1, 2), (1, 4, 4), (0, 5, 0)]:
        moved = u.copy()
        moved[place] += step
        back = 2 * u - moved
        rise = (loss_and_gradients(moved, v, target)[0] - loss_and_gradients(back, v, target)[0])[place[0]]
        assert by_u[place] == pytest.approx(rise / (2 * step), abs=1e-7)
    for spot in [(0, 1), (1, 5)]:
        shifted = v.copy()
        shifted[spot] += step
        back = 2 * v - shifted
        rise = (loss_and_gradients(u, shifted, target)[0] - loss_and_gradients(u, back, target)[0])[spot[0]]
        assert by_v[spot] == pytest.approx(rise / (2 * step), abs=1e-7)


def test_exact_moments_round_trip() -> None:
    found = estimate(moments(MATRIX, PRIOR))
    assert row_error(found.matrix, MATRIX) < 0.01
    np.testing.assert_allclose(found.prior, PRIOR, atol=0.005)
    assert found.restarts == 20
    assert found.agreeing > 1
    assert found.spread < 0.1
    assert found.dominant.all()


@pytest.mark.parametrize(("n", "most"), [(15_000, 0.13), (500_000, 0.03)])
def test_recovery_from_drawn_triples(n: int, most: float) -> None:
    found = estimate(count_moments(draw_triples(MATRIX, PRIOR, n, seed=5), 6), restarts=8)
    assert row_error(found.matrix, MATRIX) < most


def test_duplicates_left_in_spoil_it() -> None:
    clean, spoilt = (
        estimate(count_moments(draw_triples(MATRIX, PRIOR, 200_000, twins=share), 6), restarts=4) for share in (0, 0.08)
    )
    assert row_error(spoilt.matrix, MATRIX) > 3 * row_error(clean.matrix, MATRIX)


def test_the_same_seed_gives_the_same_bytes_and_restarts_are_independent_of_order() -> None:
    target = count_moments(draw_triples(MATRIX, PRIOR, 5000), 6)
    one, again = (estimate(target, 3, 200, seed=4) for _ in range(2))
    assert one.matrix.tobytes() == again.matrix.tobytes()


def test_posterior_is_bayes() -> None:
    found = Transition(MATRIX, PRIOR, 0, 0, 1, 1)
    drawn = draw_triples(MATRIX, PRIOR, 1000)
    assert drawn.shape == (1000, 3)
    np.testing.assert_allclose(found.posterior.sum(0), 1)
    assert found.posterior[2, 3] == pytest.approx(PRIOR[2] * MATRIX[2, 3] / (PRIOR @ MATRIX)[3])
    never = Transition(np.array([[1.0, 0], [1, 0]]), np.array([0.5, 0.5]), 0, 0, 1, 1)
    assert never.posterior[:, 1].tolist() == [0, 0]


def test_the_bootstrap_tells_the_model_s_own_data_from_others() -> None:
    own = count_moments(draw_triples(MATRIX, PRIOR, 20_000), 6)
    assert misfit(estimate(own, 6), own) > 0.05
    chance = np.random.default_rng(0)
    first = chance.integers(0, 6, 20_000)
    astray = count_moments(np.stack([first, (first + 1) % 6, (first + chance.integers(0, 2, 20_000)) % 6], 1), 6)
    assert misfit(estimate(astray, 6), astray) < 0.05


def test_exact_moments_have_no_triples() -> None:
    assert isinstance(moments(MATRIX, PRIOR), Moments)
    assert moments(MATRIX, PRIOR).triples == 0
