from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest

from regold.errors import RecipeError
from regold.methods.ratings import diagnosis
from regold.methods.ratings.compare import spearman
from regold.recipe import load_recipe
from regold.record import Record, Status
from regold.stages.correct import CorrectRatings
from tests.stages.conftest import Play, make

WORDS = [[f"{kind}{n}" for n in range(6)] for kind in ("bad", "poor", "fair", "fine", "good", "best")]


@pytest.fixture(autouse=True)
def few_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage is tested, not the estimate: it may be rough."""
    rough = partial(diagnosis.estimate, restarts=2, steps=200)
    monkeypatch.setattr(diagnosis, "estimate", lambda target, restarts, seed: rough(target, seed=seed))
    monkeypatch.setattr(diagnosis, "misfit", partial(diagnosis.misfit, bootstraps=10, steps=100))


def _pool(n: int = 480, astray: float = 0.5) -> tuple[list[Record], np.ndarray]:
    """Return records whose words tell their class, rated twice by a rater that often errs; the first is unrated."""
    rng, records, true = Random(5), [], []
    for i in range(n):
        kind = rng.randrange(6)
        text = " ".join(rng.sample(WORDS[kind], 4))
        rates = [float(rng.randrange(6) if rng.random() < astray else kind) for _ in range(2)]
        notes: dict[str, Any] = {} if i == 0 else {"rate.value": rates[0], "rate.half2": rates[1]}
        records.append(replace(make(f"r{i}", f"{text}?", "So."), notes=notes))
        true.append(float(kind))
    return records, np.array(true)


def _corrected(play: Play) -> np.ndarray:
    return np.array([r.notes.get("rate.corrected", np.nan) for r in play.records.values()], dtype=np.float64)


def _given(play: Play) -> np.ndarray:
    return np.array([r.notes.get("rate.value", np.nan) for r in play.records.values()], dtype=np.float64)


def test_values_are_corrected_and_the_choice_is_explained() -> None:
    records, true = _pool()
    play = Play(records).run(CorrectRatings())
    assert spearman(_corrected(play), true) > spearman(_given(play), true) + 0.1
    (choice,) = play.artifact["choices"]
    assert (choice["scores"], choice["evidence"]) == ("rate.value", "recovery")
    assert choice["method"] in ("smoothing", "regression")
    assert "simulated ratings" in choice["reason"]
    assert choice["figures"]["recovery"][choice["method"]] > choice["figures"]["recovery"]["none"]
    assert play.edits["r7"].reason.endswith(f"({choice['method']})")
    assert play["r7"].status == Status.NEW


def test_a_missing_score_stays_missing() -> None:
    play = Play(_pool()[0]).run(CorrectRatings())
    assert "rate.corrected" not in play["r0"].notes
    assert play.edits["r0"].reason == "no score to correct"


def test_two_samples_are_each_other_s_evidence() -> None:
    records, true = _pool()
    play = Play(records).run(CorrectRatings(scores=("rate.value", "rate.half2")))
    assert [c["evidence"] for c in play.artifact["choices"]] == ["second rating"] * 2
    assert play.artifact["together"] == "the mean of two raters"
    assert spearman(_corrected(play), true) > spearman(_given(play), true) + 0.1


def test_a_rater_that_always_says_five_is_left_alone_and_told_of() -> None:
    records = [replace(r, notes={"rate.value": 5.0}) for r in _pool(240)[0]]
    play = Play(records).run(CorrectRatings())
    assert set(_corrected(play)) == {5.0}
    assert play.artifact["choices"][0]["reason"] == "left as they are: the rater gave every record 5"
    assert play.edits["r1"].reason == "5 -> 5.00 (none)"


def test_few_records_or_no_scores_are_left_as_they_are() -> None:
    few = Play(_pool(8)[0]).run(CorrectRatings())
    assert few.artifact["told"] == ["left as they are: 7 scores, fewer than 200"]
    assert _corrected(few)[1:].tolist() == _given(few)[1:].tolist()
    none = Play([make(f"r{i}", "Why?", "So.") for i in range(40)]).run(CorrectRatings())
    assert np.isnan(_corrected(none)).all()


def test_the_recipe_can_say_none_and_needs_an_encoder_otherwise() -> None:
    play = Play(_pool(60)[0]).run(CorrectRatings(method="none"))
    assert play.artifact["choices"][0]["reason"] == "the recipe says so"
    assert _corrected(play)[1:].tolist() == _given(play)[1:].tolist()
    blind = Play(_pool(60)[0])
    blind.encoder = None
    with pytest.raises(RecipeError, match="encoder"):
        blind.run(CorrectRatings(method="smoothing"))


@pytest.mark.parametrize("recipe", ["rate", "entp", "entp-front"])
def test_the_recipes_correct_before_they_partition(recipe: str) -> None:
    names = [s.name for s in load_recipe(recipe).stages]
    assert "correct" in names[names.index("rate") :]
    assert "partition" not in names or names.index("correct") < names.index("partition")
