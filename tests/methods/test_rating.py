from __future__ import annotations

import json

import pytest

from regold.methods.rating import RatingForm, compress, mean
from regold.prompts import load_prompts

FORM = RatingForm.of(load_prompts("default").text("rate"))
PLAIN = RatingForm.of(load_prompts("lab").text("rate"))
GOOD = {"mark": "m", "rarity": 3, "complexity": 4, "informativeness": 5, "overall": 7, "correct": 9}


@pytest.mark.parametrize(("overall", "found"), [(1, 0), (4, 0), (5, 1), (6, 2), (7, 3), (8, 4), (9, 5), (10, 5)])
def test_the_published_table_of_classes(overall: int, found: int) -> None:
    assert compress(overall) == found


def test_a_rating_is_read_behind_its_mark() -> None:
    want = {k: float(v) for k, v in GOOD.items() if isinstance(v, int)}
    assert FORM.read(json.dumps(GOOD), "m") == want
    assert FORM.read("Here you are:\n```json\n" + json.dumps(GOOD) + "\n```", "m") == want
    assert FORM.complete(want)
    assert FORM.read(json.dumps(GOOD), "another") == {}
    assert FORM.read(json.dumps({k: v for k, v in GOOD.items() if k != "mark"}), "m") == {}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I would say this is quite good.",
        json.dumps(GOOD)[:-20],
        json.dumps({"mark": "m", "quality": 9}),
        "7",
        '{"mark": "m", "overall": {"overall": 7}, "correct": [9]}',
        json.dumps(GOOD) + " but then again",
        "{" * 3000,
    ],
)
def test_what_is_no_rating_is_nothing(reply: str) -> None:
    assert FORM.read(reply, "m") == {}


@pytest.mark.parametrize("wrong", [0, 11, -1, 1e9, True, None, "high", "NaN", [7]])
def test_a_score_out_of_range_is_missing_and_the_others_stay(wrong: object) -> None:
    found = FORM.read(json.dumps({**GOOD, "overall": wrong}), "m")
    assert "overall" not in found
    assert found["correct"] == 9.0
    assert not FORM.complete(found)


@pytest.mark.parametrize(("reply", "found"), [("7", 7.0), ("Rating: 7/10.", 7.0), ("3 out of 10", 3.0), ("12", None)])
def test_a_plain_prompt_may_be_answered_with_a_number(reply: str, found: float | None) -> None:
    assert PLAIN.read(reply, "m").get("overall") == found
    assert PLAIN.read(json.dumps({"overall": 6, "correct": 2}), "m") == {"overall": 6.0, "correct": 2.0}


def test_the_schema_asks_for_what_the_prompt_names() -> None:
    schema = RatingForm.of(load_prompts("default").text("rate-correct")).schema
    assert schema is not None
    assert list(schema["properties"]) == ["why", "mark", "correct"]
    assert PLAIN.schema is None
    assert json.loads(FORM.example("m").replace("1 to 10", "1"))["mark"] == "m"


def test_the_mean_of_nothing_is_missing() -> None:
    assert mean([None, None]) is None
    assert mean([1.0, None, 2.0]) == 1.5
