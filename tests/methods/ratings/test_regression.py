from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Peer

from regold.methods.ratings.compare import spearman
from regold.methods.ratings.neighbourly import Near
from regold.methods.ratings.regression import (
    PENALTIES,
    Ridge,
    fold_numbers,
    length_features,
    regress,
    to_scale,
    twin_weight,
)
from tests.methods.ratings.worlds import world


def test_predictions_equal_scikit_learn_s_fold_by_fold() -> None:
    chance = np.random.default_rng(0)
    features, folds = chance.standard_normal((300, 7)) * np.arange(1, 8) + 3, fold_numbers(300)
    scores = features @ chance.standard_normal(7) + chance.standard_normal(300)
    found = Ridge(features, folds).predict(scores)
    scaled = (features - features.mean(0)) / features.std(0)
    tried = []
    for penalty in PENALTIES:
        out = np.zeros(300)
        for fold in range(5):
            learn = folds != fold
            mean = scores[learn].mean()
            peer = Peer(alpha=penalty, fit_intercept=False).fit(scaled[learn], scores[learn] - mean)
            out[~learn] = peer.predict(scaled[~learn]) + mean
        tried.append(out)
    best = min(tried, key=lambda out: float(((out - scores) ** 2).mean()))
    np.testing.assert_allclose(found.values, best, atol=2e-3)
    assert found.correlation == pytest.approx(np.corrcoef(best, scores)[0, 1], abs=1e-4)


def test_an_own_score_has_no_part_in_its_prediction() -> None:
    chance = np.random.default_rng(0)
    ridge, scores = Ridge(chance.standard_normal((200, 20)), fold_numbers(200)), chance.standard_normal(200)
    before = ridge.predict(scores).values
    scores[11] += 1e-3
    after = ridge.predict(scores).values
    same = fold_numbers(200) == fold_numbers(200)[11]
    np.testing.assert_array_equal(before[same], after[same])


def test_missing_scores_stay_missing() -> None:
    made = world(300)
    scores = made.ratings()
    scores[::4] = np.nan
    ground = made.ground()
    done = regress(scores, ground.near, ground.ridge, ground.lengths)
    assert (np.isfinite(done.values) == np.isfinite(scores)).all()
    assert (np.isfinite(done.predicted) == np.isfinite(scores)).all()


def test_twins_tell_what_is_repeated_from_noise() -> None:
    chance = np.random.default_rng(0)
    n, hidden = 2000, chance.standard_normal(1000)
    rows = (np.arange(n) + 1000) % n
    near = Near(rows[:, None], np.ones((n, 1)))
    for share in (0.0, 0.5, 0.9):
        own = np.sqrt(share) * np.r_[hidden, hidden] + np.sqrt(1 - share) * chance.standard_normal(n)
        assert twin_weight(own, np.zeros(n), near) == pytest.approx(share, abs=0.08)
    assert twin_weight(np.zeros(n), np.zeros(n), near) == 0.0


def test_the_scale_of_the_given_scores_is_kept() -> None:
    chance = np.random.default_rng(0)
    scores = chance.choice(6, 1000, p=[0.1, 0.2, 0.3, 0.2, 0.15, 0.05]).astype(float)
    scores[:9] = np.nan
    values = chance.standard_normal(1000)
    done = to_scale(values, scores)
    known = np.isfinite(scores)
    assert (np.isnan(done) == ~known).all()
    assert (
        np.bincount(np.floor(done[known] + 0.5).astype(int)).tolist() == np.bincount(scores[known].astype(int)).tolist()
    )
    assert spearman(done, values) == pytest.approx(1, abs=1e-3)


def test_length_features_are_told_apart() -> None:
    found = length_features(np.array([0.0, 9.0]), np.array([0.0, 99.0]))
    np.testing.assert_allclose(
        found[1], [np.log(10), np.log(100), np.log(10) ** 2, np.log(100) ** 2, 2 * np.log(10) ** 2]
    )
    assert found[0].tolist() == [0] * 5
