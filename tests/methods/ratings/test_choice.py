from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from regold.methods.ratings import choice, diagnosis
from regold.methods.ratings.choice import (
    NONE,
    REGRESSION,
    RULE,
    SMOOTHING,
    Choice,
    Corrected,
    choose,
    correct,
    settle,
)
from regold.methods.ratings.compare import spearman
from regold.methods.ratings.diagnosis import diagnose
from tests.methods.ratings.worlds import World, world


@pytest.fixture(autouse=True)
def few_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice is tested, not the estimate: it may be rough."""
    rough = partial(diagnosis.estimate, restarts=2, steps=250)
    monkeypatch.setattr(diagnosis, "estimate", lambda target, restarts, seed: rough(target, seed=seed))
    monkeypatch.setattr(diagnosis, "misfit", partial(diagnosis.misfit, bootstraps=10, steps=100))


SHARP = np.full((6, 6), 0.02) + 0.88 * np.eye(6)


def _choice(made: World, scores: np.ndarray, second: np.ndarray | None = None) -> tuple[str, str, np.ndarray]:
    ground = made.ground()
    found = diagnose(scores, ground.near)
    done = correct(scores, ground, found)
    taken = choose(scores, done, found, ground, second)
    return taken.method, taken.reason, done.values[taken.method]


def test_telling_texts_correct_a_noisy_rater() -> None:
    made = world(1000, apart=3.0)
    given = made.ratings()
    method, reason, values = _choice(made, given)
    assert method in {RULE, SMOOTHING, REGRESSION}
    assert "simulated ratings" in reason
    assert spearman(values, made.true.astype(float)) > spearman(given, made.true.astype(float)) + 0.1


@pytest.mark.parametrize(("apart", "second"), [(0.0, False), (0.4, False), (1.5, True)])
def test_a_sharp_rater_is_not_made_worse(apart: float, second: bool) -> None:
    made = world(1000, apart=apart, seed=3)
    given = made.ratings(matrix=SHARP)
    method, reason, values = _choice(made, given, made.ratings(1, SHARP) if second else None)
    true = made.true.astype(float)
    assert spearman(values, true) > spearman(given, true) - 0.01
    if apart == 0:
        assert method == NONE
        assert reason.startswith("left as they are")


def test_a_second_rating_decides_by_agreement() -> None:
    made = world(1000, apart=3.0)
    method, reason, _ = _choice(made, made.ratings(), made.ratings(1))
    assert method != NONE
    assert "agreement with a second rating of 1000 records" in reason
    blind = world(800, apart=0.0)
    method, reason, _ = _choice(blind, blind.ratings(), blind.ratings(1))
    assert method == NONE
    assert reason.startswith("left as they are: agreement with a second rating")


def test_a_rank_rule_without_a_believed_matrix_is_not_chosen() -> None:
    made = world(apart=1.0)
    ground = made.ground()
    scores = made.ratings()
    found = diagnose(scores, ground.near)
    assert found.reasons
    for second in (None, made.true.astype(float)):
        taken = choose(scores, correct(scores, ground, found), found, ground, second)
        assert taken.method != RULE
        assert "no rank rule: " in taken.reason


def test_one_rater_and_a_forced_method() -> None:
    made = world(800)
    scores = made.ratings()
    ground = made.ground()
    assert (settle([scores], ground, NONE).values == scores).all()
    forced = settle([scores], ground, SMOOTHING)
    assert (forced.choices[0].method, forced.choices[0].reason) == (SMOOTHING, "the recipe says so")
    assert forced.together == "one rater"
    five = settle([np.full(800, 5.0)], ground)
    assert five.choices[0].reason == "left as they are: the rater gave every record 5"
    assert set(five.values) == {5.0}


def test_several_raters_are_each_other_s_evidence_and_one_without_spread_is_left_out() -> None:
    made = world(900)
    ground = made.ground()
    raters = [made.ratings(n) for n in range(3)]
    done = settle([*raters, np.full(900, 5.0)], ground)
    assert [c.evidence for c in done.choices] == ["second rating"] * 3 + ["given"]
    assert "of 3 raters: agreement with a rater left out" in done.together
    assert done.together.endswith("1 without any spread left out")
    true = made.true.astype(float)
    assert spearman(done.values, true) > max(spearman(r, true) for r in raters)
    two = settle(raters[:2], ground)
    assert two.together == "the mean of two raters"


def test_a_rater_left_out_has_no_part_in_what_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(400)
    raters = [made.ratings(n) for n in range(3)]
    seconds: list[np.ndarray] = []
    chosen = choice._by_second

    def watched(scores: np.ndarray, done: Corrected, usable: list[str], second: np.ndarray, doubts: str) -> Choice:
        seconds.append(second)
        return chosen(scores, done, usable, second, doubts)

    monkeypatch.setattr(choice, "_by_second", watched)
    settle(raters, made.ground())
    assert len(seconds) == 3 + 6
    # left out 0: of 1 and 2 each is the other's only evidence, and so on
    for second, other in zip(seconds[3:], (2, 1, 2, 0, 1, 0), strict=True):
        np.testing.assert_array_equal(second, raters[other])


def test_the_same_seed_gives_the_same_values() -> None:
    made = world(600)
    one, again = (settle([made.ratings()], made.ground(), seed=3).values for _ in range(2))
    assert one.tobytes() == again.tobytes()
