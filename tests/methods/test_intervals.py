"""Paired bootstrap: against scipy, against the exact distribution, and its coverage on simulated truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from regold.methods.intervals import mcnemar, paired_bootstrap, quantiles, resampled_means


def draw(n: int, seed: int, shares: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if shares:
        return rng.integers(0, 9, n) / 8, rng.integers(0, 6, n) / 8
    skill = rng.random(n)
    return (skill + 0.1 > rng.random(n)).astype(float), (skill > rng.random(n)).astype(float)


@pytest.mark.parametrize("shares", [False, True])
def test_it_agrees_with_scipy(shares: bool) -> None:
    a, b = draw(400, 3, shares)
    ours = paired_bootstrap(a.tolist(), b.tolist(), seed=1, draws=40_000)
    theirs = stats.bootstrap((a - b,), np.mean, n_resamples=40_000, method="percentile", rng=2).confidence_interval
    assert ours.estimate == pytest.approx((a - b).mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


def test_it_agrees_with_all_resamples_of_four_records() -> None:
    a, b = [1, 1, 0, 1], [0, 1, 1, 0]
    means = [np.mean([a[i] - b[i] for i in picked]) for picked in itertools.product(range(4), repeat=4)]
    exact = np.quantile(means, [0.1, 0.9])
    ours = paired_bootstrap(a, b, seed=0, level=0.8, draws=200_000)
    assert (ours.low, ours.high) == pytest.approx(tuple(exact))


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    found = [paired_bootstrap(*(x.tolist() for x in draw(300, seed)), seed=seed, draws=1000) for seed in range(300)]
    truth = np.mean([f.estimate for f in found])
    assert 0.91 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.985


def test_the_seed_decides_and_values_all_apart_need_no_more_memory() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(20_000).tolist(), rng.random(20_000).tolist()
    first, again, other = (paired_bootstrap(a, b, seed=s, draws=300) for s in (0, 0, 1))
    assert first == again != other


def test_equal_records_have_an_empty_interval_and_unequal_lengths_are_refused() -> None:
    same = paired_bootstrap([1, 0, 1], [1, 0, 1])
    assert (same.estimate, same.low, same.high) == (0, 0, 0)
    for a, b in (([1], [1, 0]), ([], [])):
        with pytest.raises(ValueError, match="at least one"):
            paired_bootstrap(a, b)


def test_resampled_means_know_both_seeds_and_records_and_stay_paired() -> None:
    rng = np.random.default_rng(0)
    one = [(rng.random((1, 400)) < 0.7).astype(float) for _ in range(5)]
    draws = resampled_means([np.concatenate([g, g + 0.1]) for g in one], draws=4000)
    assert (draws[:, 1] - draws[:, 0]).std() < 1e-12
    expected = np.sqrt(np.mean([g.var() / g.size for g in one]) / 5 + np.var([g.mean() for g in one]) / 5)
    assert draws[:, 0].std() == pytest.approx(expected, rel=0.05)


def test_resampled_means_refuse_what_is_not_paired() -> None:
    with pytest.raises(ValueError, match="same measures"):
        resampled_means([np.zeros((2, 3)), np.zeros((1, 3))])


def test_quantiles_leave_out_what_is_no_number() -> None:
    low, high = quantiles(np.array([np.nan, *np.linspace(0, 1, 101)]))
    assert (low, high) == (pytest.approx(0.025), pytest.approx(0.975))


def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = (rng.random(40) < 0.6).astype(float), (rng.random(40) < 0.4).astype(float)
        found = mcnemar(a.tolist(), b.tolist())
        assert found is not None
        only_a, only_b, p = found
        assert (only_a, only_b) == (int((a > b).sum()), int((b > a).sum()))
        assert p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)
    assert mcnemar([1, 0], [1, 0]) == (0, 0, 1.0)
    assert mcnemar([0.5, 0], [1, 0]) is None
