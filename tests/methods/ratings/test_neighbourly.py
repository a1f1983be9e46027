from __future__ import annotations

import numpy as np

from regold.methods.ratings.neighbourly import Near, curate, neighbour_mean, smooth, vote
from regold.methods.ratings.recovery import usual_rater
from regold.methods.ratings.transition import Transition
from tests.methods.ratings.worlds import world

NAN = float("nan")
NEAR = Near(np.array([[1, 2], [0, -1], [3, 1], [-1, -1]]), np.array([[0.9, 0.3], [0.9, 0.0], [0.5, 0.3], [0.0, 0.0]]))


def test_means_and_smoothing_by_hand() -> None:
    scores = np.array([5.0, 1.0, NAN, 3.0])
    assert neighbour_mean(scores, NEAR.rows).tolist()[:3] == [1.0, 5.0, 2.0]
    assert np.isnan(neighbour_mean(scores, NEAR.rows)[3])
    done = smooth(scores, NEAR)
    assert done[[0, 1, 3]].tolist() == [3.0, 3.0, 3.0]
    assert np.isnan(done[2])


def test_votes_weigh_by_cosine_and_leave_out_the_missing() -> None:
    shares = vote(np.array([5, 1, -1, 3]), NEAR, 6)
    assert shares[0].tolist() == [0, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(shares[2], [0, 0.375, 0, 0.625, 0, 0])
    assert shares[3].sum() == 0


def test_the_rank_rule_repairs_more_than_it_spoils() -> None:
    matrix, prior = usual_rater()
    made = world(apart=6.0)
    given = made.ratings().astype(np.int64)
    done = curate(given, made.near(), Transition(matrix, prior, 0, 0, 1, 1))
    changed = done != given
    assert changed.mean() > 0.1
    assert (done == made.true).mean() > (given == made.true).mean() + 0.1
    assert (done[changed] == made.true[changed]).mean() > 0.6


def test_the_rank_rule_flags_nobody_where_the_rater_never_errs() -> None:
    made = world(400)
    given = made.ratings(matrix=np.eye(6)).astype(np.int64)
    assert (curate(given, made.near(), Transition(np.eye(6), usual_rater()[1], 0, 0, 1, 1)) == given).all()
