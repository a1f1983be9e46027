from __future__ import annotations

import pytest

from regold.methods.agreement import brief, is_clean, same_answer

LONG = "London lies on the Thames. It has been the capital for centuries."


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Paris", "paris", True), ("Paris", "Paris.", True), ("the Thames", "Thames", True), ("A Cat", "cat", True),
        ("a", "A", True),
        ("New  York", "new york", True), ("café", "cafe\u0301", True), ("don’t", "don't", True),
        ("**Paris**", "Paris", True), ("(B)", "B", True),
        ("> ]", "> ]", True), ("42", "42.0", True), (r"\frac{1}{2}", "0.5", True), (r"\text{east}", "east", True),
        (LONG, LONG, True),
        ("Paris", "London", False), ("> ]", "] >", False), ("a", "an", False), ("yes", "no", False),
        ("C++", "C", False), ("-x", "x", False),
        ("Paris", "Paris, Texas", None), ("The capital is Paris", "Paris", None), (LONG, "London", None),
        (LONG, LONG + " Truly.", None),
        ("That makes 17.", "17 pieces", None), ("17.0", "That makes 17.", None), ("It is 17", "That makes 17", None),
        ("June 5, 1990", "5 June 1990", None), ("in 1990", "June 5, 1990", None), ("50%", "that is 0.5", None),
        ("5 km", "5 miles", None), ("5 km", "it is 5 miles", None), ("5 km", "it is 5000 m", None),
        ("5 km", "3 km", False), ("5 km", "it is 3 km", False), ("That makes 17.", "18 pieces", False),
        ("-3", "it is 3", False), ("3 cats and 4 dogs", "7", False), ("Henry 8", "Louis 14", False),
        ("B12", "12 vitamins", False), ("June 5, 1990", "5 June 1991", False), ("seventeen", "18", False),
        (None, "Paris", False), (None, None, False), ("Paris", None, False),
    ],
)  # fmt: skip
def test_answers_are_same_different_or_for_a_judge(first: str | None, second: str | None, same: bool | None) -> None:
    assert same_answer(first, second) is same
    assert same_answer(second, first) is same


def test_letters_are_the_same_or_not() -> None:
    assert same_answer("B", "B", ("x", "y")) is True
    assert same_answer("B", "A", ("x", "y")) is False
    assert same_answer(None, "A", ("x", "y")) is False


def test_the_rules_of_the_check() -> None:
    votes = [[True, True], [True, False], [False, True], [False, False]]
    assert [is_clean(v, "all") for v in votes] == [True, False, False, False]
    assert [is_clean(v, "majority") for v in votes] == [True, True, True, False]


def test_brief_is_one_line() -> None:
    assert brief(None) == "no answer"
    assert brief("B") == "'B'"
    assert brief("two\nlines " * 20).endswith("...'")
    assert len(brief("x" * 500)) == 62
