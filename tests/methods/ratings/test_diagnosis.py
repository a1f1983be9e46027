from __future__ import annotations

import numpy as np
import pytest

from regold.methods.neighbours import nearest
from regold.methods.ratings.diagnosis import diagnose, merge_small
from regold.methods.ratings.neighbourly import Near
from regold.methods.ratings.recovery import usual_rater
from regold.methods.ratings.transition import row_error
from tests.methods.ratings.worlds import world


@pytest.mark.parametrize(
    ("counts", "merged"),
    [
        ([100] * 6, [0, 1, 2, 3, 4, 5]),
        ([565, 8551, 13328, 22758, 6795, 5], [0, 1, 2, 3, 4, 4]),
        ([8274, 15973, 18624, 8017, 1092, 22], [0, 1, 2, 3, 4, 4]),
        ([1, 1, 1, 1000, 0, 0], [0, 0, 0, 0, 0, 0]),
        ([3, 3, 500, 3, 500, 3], [0, 0, 0, 0, 1, 1]),
        ([0] * 6, [0] * 6),
    ],
)
def test_small_classes_join_their_neighbour_inwards(counts: list[int], merged: list[int]) -> None:
    assert merge_small(np.array(counts)).tolist() == merged


def test_a_rater_of_the_model_s_form_is_believed_and_found() -> None:
    made = world(20_000, apart=12.0)
    found = diagnose(made.ratings(), made.near(2), restarts=5)
    assert found.reasons == ()
    assert found.transition is not None
    assert row_error(found.transition.matrix, usual_rater()[0]) < 0.2


def test_neighbours_that_tell_nothing_are_not_believed() -> None:
    made = world(3000, apart=0.0)
    found = diagnose(made.ratings(), made.near(2), restarts=2)
    assert found.reasons
    assert found.transition is not None


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (np.full(400, 5.0), "the rater gave every record 5"),
        (np.full(400, np.nan), "no record has a score"),
        (np.r_[np.full(399, 5.0), 2.0], "all but 1% of the scores are 5"),
        (np.tile([1.0, 2.0], 100), "200 records with two rated neighbours, fewer than 300"),
    ],
)
def test_ratings_that_say_too_little(scores: np.ndarray, said: str) -> None:
    vectors = np.random.default_rng(0).standard_normal((len(scores), 4))
    found = diagnose(scores, Near(*nearest(vectors, vectors, 2)))
    assert found.reasons == (said,)
    assert found.curate(scores, Near(*nearest(vectors, vectors, 2))) is scores


def test_curation_keeps_untouched_and_missing_scores() -> None:
    made = world(2000, apart=8.0)
    scores = made.ratings()
    scores[::10] = np.nan
    scores[1::10] += 0.25
    near = made.near(10)
    done = diagnose(scores, near, restarts=1).curate(scores, near)
    assert np.isnan(done[::10]).all()
    changed = np.isfinite(done) & (done != scores)
    assert 0.02 < changed.mean() < 0.6
    assert set(np.unique(done[changed])) <= set(range(6))
