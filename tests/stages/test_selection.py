"""The stages of the selection baselines: what they measure, and which records they take."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest

from regold.engines.base import TokenScores
from regold.recipe import load_recipe, shipped_recipes
from regold.record import Messages, Record, Status
from regold.stages.embed import EmbedRecords
from regold.stages.grade import GradeRecords
from regold.stages.measure import MeasureRecords
from regold.stages.score import ScoreResponses
from regold.stages.tag import TagInstructions, read_tags
from regold.stages.take import TakeBest
from tests.stages.conftest import FakeEngine, Play, make


def _scored(**scores: float | None) -> Play:
    return Play(
        make(id_, f"About {id_}?", "So.", notes={} if v is None else {"x.score": v, "x.tie": float(len(id_))})
        for id_, v in scores.items()
    )


def _taken(play: Play) -> list[str]:
    ranked = {id_: rank for id_, rank in play.artifact["taken"].items() if play[id_].status == Status.CLEAN}
    assert all(record.status in (Status.CLEAN, Status.DROPPED) for record in play.records.values())
    return sorted(ranked, key=lambda id_: ranked[id_])


@pytest.mark.parametrize(("order", "taken"), [("highest", ["e", "d"]), ("lowest", ["a", "b"]), ("middle", ["c", "d"])])
def test_the_order_of_a_score(order: Any, taken: list[str]) -> None:
    play = _scored(c=3, a=1, e=5, none=None, b=2, d=4).run(TakeBest(("x.score",), 2, order))
    assert _taken(play) == taken
    assert "not among the 2 of 6" in play.edits["none"].reason


def test_a_missing_score_comes_last_and_ties_are_decided() -> None:
    play = _scored(a=1, none=None, bbb=1, cc=1).run(TakeBest(("x.score",), 4, ties="x.tie"))
    assert _taken(play) == ["bbb", "cc", "a", "none"]


def test_scores_are_multiplied() -> None:
    notes = {"a": (1.0, 9.0), "b": (4.0, 4.0), "c": (9.0, 1.0), "d": (5.0, math.inf)}
    records = [make(i, "q", "r", notes={"x.one": x, "x.two": y}) for i, (x, y) in notes.items()]
    assert _taken(Play(records).run(TakeBest(("x.one", "x.two"), 1))) == ["b"]


def test_chance_depends_on_the_seed_alone() -> None:
    names = {f"r{n}": 0.0 for n in range(40)}
    taken = [_taken(_scored(**names).run(TakeBest(count=10), order=n)) for n in range(2)]
    assert taken[0] == taken[1]
    assert taken[0] != sorted(names)[:10]


def _pointed(*points: tuple[float, float]) -> Play:
    units = [(x / math.hypot(x, y), y / math.hypot(x, y)) for x, y in points]
    return Play(
        make(str(n), "q", "r", notes={"embed.vector": unit, "x.score": 1.0 - n / 100}) for n, unit in enumerate(units)
    )


def test_the_spread_covers_the_space() -> None:
    near = [(1.0, y / 100) for y in range(20)]
    play = _pointed(*near, (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)).run(TakeBest(count=4, order="spread"))
    assert {"20", "21", "22"} < set(_taken(play))


def test_the_spread_is_gonzalez_greedy() -> None:
    rng = Random(5)
    points = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(30)]
    play = _pointed(*points).run(TakeBest(count=6, order="spread"))
    taken = [int(i) for i in _taken(play)]
    vectors = np.array([play[str(n)].notes["embed.vector"] for n in range(30)], dtype=float)
    for place in range(1, 6):
        closest = (vectors @ vectors[taken[:place]].T).max(axis=1)
        assert closest[taken[place]] == pytest.approx(closest[[n for n in range(30) if n not in taken[:place]]].min())


def test_records_like_one_taken_wait() -> None:
    play = _pointed((1, 0), (1, 0.01), (0, 1), (0.01, 1)).run(TakeBest(("x.score",), 3, apart=0.9))
    assert _taken(play) == ["0", "2", "1"]


def test_length_and_distance() -> None:
    records = [make(str(n), f"bread oven flour {n % 2}", "flour and salt") for n in range(6)]
    records.append(make("far", "violin sonata", "bow"))
    play = Play(records).run(EmbedRecords(), MeasureRecords(k=2))
    assert play["0"].notes["measure.words"] == 3
    assert play["far"].notes["measure.distance"] > play["0"].notes["measure.distance"]  # type: ignore[operator]


class _Scorer(FakeEngine):
    """Scores by a rule of the prompt and the response."""

    def __init__(self, rule: Any) -> None:
        super().__init__(lambda _: "")
        self.rule = rule

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        return TokenScores(tuple(self.rule(prompt[-1].content, response)))


def _by(rule: Any, *records: Record) -> Play:
    play = Play(records)
    play.engine = _Scorer(rule)
    return play


def test_instruction_following_difficulty_is_the_ratio_of_losses() -> None:
    def rule(prompt: str, response: str) -> list[float]:
        return [] if not response else [-1.0, -3.0] if prompt else [-4.0, -6.0]

    play = _by(rule, make("a", "Why?", "So it is."), make("b", "Why?", "")).run(ScoreResponses("student"))
    assert play["a"].notes["score.ifd"] == pytest.approx(2 / 5)
    assert play["a"].notes["score.perplexity"] == pytest.approx(math.exp(2))
    assert "score.ifd" not in play["b"].notes


def test_a_sure_grade_beats_an_unsure_one() -> None:
    def rule(prompt: str, response: str) -> list[float]:
        sure = 0.9 if "known" in prompt else 0.4
        share = sure if response == "5" else (1 - sure) / 4
        return [math.log(share)]

    play = _by(rule, make("a", "known", "r"), make("b", "other", "r")).run(GradeRecords(role="student"))
    assert play["a"].notes["grade.value"] == pytest.approx(5 * (0.9 - 0.025))
    assert play["b"].notes["grade.value"] == pytest.approx(5 * (0.4 - 0.15))


def test_prompts_that_disagree_lower_a_grade() -> None:
    def rule(prompt: str, response: str) -> list[float]:
        best = "5" if "strict" in prompt else "1"
        return [0.0 if response == best else -50.0]

    play = _by(rule, make("a", "q", "r")).run(GradeRecords(role="student", alpha=1.0))
    assert play["a"].notes["grade.value"] == pytest.approx((7 / 3) / (1 + math.sqrt(32 / 9)), rel=1e-3)


def test_tags_are_read_in_any_list() -> None:
    assert read_tags("Translation; date arithmetic, summary.") == ["translation", "date arithmetic", "summary"]
    assert read_tags("1. Poem\n2. poem\n- Rhyme") == ["poem", "rhyme"]
    play = Play([make("a", "q", "r")], lambda request: "poem; rhyme").run(TagInstructions())
    assert play["a"].notes["tag.count"] == 2


def test_every_selection_ends_by_taking(tmp_path: Any) -> None:
    names = [name for name in shipped_recipes() if name.startswith("select-")]
    assert len(names) >= 13
    for name in names:
        stage = load_recipe(name, ["take.count=7"]).stages[-1]
        assert isinstance(stage, TakeBest)
        assert stage.count == 7
        assert load_recipe(name).train is not None


def test_the_reason_tells_the_rank() -> None:
    play = _scored(a=1.0).run(TakeBest(("x.score",)))
    assert play.edits["a"].reason == "rank 1 of 1 by x.score, highest first"
