from __future__ import annotations

from math import inf
from random import Random

import pytest

from regold.errors import UsageError
from regold.methods.checks import Exchange, examine
from regold.methods.measures import MEASURES, limit


@pytest.mark.parametrize(
    ("measure", "text", "expected"),
    [
        ("characters", "ab c", 4),
        ("words", "one -- two 3", 3),
        ("word-length", "abc - a", 2),
        ("alphanumeric", "ab1 ", 0.75),
        ("alphanumeric", "äb1 ", 0.75),
        ("special", "ab1 ", 0.5),
        ("special", "äb1 ", 0.5),
        ("lettered", "a 1 -", 1 / 3),
        ("symbols", "# # a b", 0.5),
        ("symbols", "well... a", 0.5),
        ("repeated", "a b c d e f", 0),
        ("repeated", "a b c d e A b c d e", 2 / 6),
        ("repeated", "x " * 10, 1),
        ("repeated", "a, b c d e! A b-- c d e", 2 / 6),
        ("repeated", "ä, b c d e! Ä b– c d e", 2 / 6),
        ("repeated-characters", "ab c d e f g", 0),
        ("repeated-characters", "ab c d e f ab c d e f", 6 / 21),
        ("repeated-characters", "a b c d e " * 3, 10 / 30),
        ("word-length", "abc, ä -", 2.5),
        ("lettered", "ä 1 - b2", 0.5),
        ("words", "ä\x1c- 1", 2),
        ("words", "a\x1c- 1", 2),
    ],
)
def test_measures_against_figures_worked_out_by_hand(measure: str, text: str, expected: float) -> None:
    assert MEASURES[measure](text) == pytest.approx(expected)


def test_texts_in_ascii_and_others_are_measured_alike() -> None:
    random = Random(0)
    for _ in range(500):
        text = "".join(random.choices("abA1 \n\t\x1c_-.#", k=random.randrange(80)))
        for name in ("words", "word-length", "lettered", "repeated", "repeated-characters"):
            # one letter outside of ASCII takes the other way and leaves these measures as they are
            assert MEASURES[name](text) == pytest.approx(MEASURES[name](text.replace("b", "ß")) or 0), (name, text)


@pytest.mark.parametrize("text", ["", " ", "\ud800", "\x00", "İ" * 999, "#" * 9])
def test_measures_take_any_text(text: str) -> None:
    assert all(0 <= measure(text) < inf for measure in MEASURES.values())


def test_a_limit_is_a_check_of_its_field() -> None:
    exchange = Exchange("Say three words.", "", "one two")
    assert [f.span.field for f in examine(exchange, [limit("words=3..").check()])] == ["response"]
    assert not examine(exchange, [limit("instruction.words=3..3").check()])
    assert examine(exchange, [limit("record.characters=..10").check()])
    assert limit("record.words=1..2").name == "record.words"


@pytest.mark.parametrize(
    ("text", "told"),
    [("words", "LOW..HIGH"), ("word=1..", "no measure"), ("answer.words=1..", "no field"), ("words=3..1", "lower end"),
     ("words=1.2.3..", "LOW..HIGH")],
)  # fmt: skip
def test_a_limit_that_cannot_be_read_says_why(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        limit(text)
