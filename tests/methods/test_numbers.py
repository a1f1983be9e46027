from __future__ import annotations

from fractions import Fraction

import pytest

from regold.methods.numbers import find_numbers, parse_number, same_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42), ("-5", -5), ("−5", -5), ("+5", 5), ("1,234", 1234), ("1,234,567.5", Fraction(2469135, 2)),
        (".5", Fraction(1, 2)),
        ("$18", 18), ("$1,234.50", Fraction(2469, 2)), ("-$5", -5), ("$-5", -5), ("€ 3", 3), ("USD 7", 7),
        ("5 dollars", 5),
        ("3/4", Fraction(3, 4)), ("1 1/2", Fraction(3, 2)), ("½", Fraction(1, 2)), ("1½", Fraction(3, 2)),
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"\dfrac{3}{4}", Fraction(3, 4)), ("12%", 12), (r"12\%", 12), ("12 percent", 12), ("1.2e5", 120000),
        ("1.2 × 10^5", 120000),
        (r"3 \times 10^{-2}", Fraction(3, 100)), ("3 million", 3000000), ("$2.5 million", 2500000), ("12 km", 12),
        ("12km", 12),
        ("5 square meters", 5), ("90°", 90), (r"106^\circ", 106), ("about 7", 7), ("1st", 1), ("= 8", 8), ("٣", 3),
    ],
)  # fmt: skip
def test_a_number_has_one_value_however_written(text: str, value: Fraction) -> None:
    number = parse_number(text)
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize(
    "text",
    [
        "", "Paris", "3/4/2020", "10:30", "5-10", "1,5", "2 and 3", "1.2.3", "route 66", "12,34", "3/0", "B",
        "x = 5", "-",
        "9" * 5000, "1e999999",
    ],
)  # fmt: skip
def test_other_texts_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("42", "42.0", True), ("1,234", "1234", True), ("$18", "18", True), ("$18", "18 dollars", True),
        ("12 apples", "12 apple", True),
        ("12 apples", "12", True), ("0.5", "1/2", True), ("1/3", "0.333", True), ("50%", "0.5", True),
        ("50%", "50", True),
        ("42", "43", False), ("3.14", "3.1416", False), ("12 km", "13 km", False), ("$18", "19", False),
        ("1/3", "0.3", False), ("-5", "5", False),
        ("5 km", "5000 m", None), ("5 km", "5 kilometers", None), ("5 km", "5 m", None),
    ],
)  # fmt: skip
def test_numbers_compare_by_value_and_odd_units_need_a_judge(first: str, second: str, same: bool | None) -> None:
    numbers = parse_number(first), parse_number(second)
    assert numbers[0] is not None
    assert numbers[1] is not None
    assert same_number(numbers[0], numbers[1]) is same
    assert same_number(numbers[1], numbers[0]) is same


def test_find_numbers_leaves_dates_versions_and_ranges_alone() -> None:
    assert [n for n, _ in find_numbers("12 of 30 on 3/4/2020 at 10:30, v1.2.3, then 5")] == ["12", "30", "5"]
    assert [n for n, _ in find_numbers("$1,200 and -3 or 2.50.")] == ["$1,200", "-3", "2.50"]
