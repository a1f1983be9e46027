from __future__ import annotations

import re
from fractions import Fraction
from random import Random

import pytest

from regold.methods.checks.arithmetic import NotArithmetic, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) x 3", 9),
        ("2^3^2", 512),
        ("-3 - -4", 1),
        ("1,200 + 300", 1500),
        ("7 / 2", Fraction(7, 2)),
        ("8 ÷ 4 × 3", 6),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("5 − 8", -3),
        ("2 ** 10", 1024),
        ("-2^2", -4),
    ],
)
def test_known_values(text: str, value: Fraction) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "1 / 0",
        "(1",
        "1)",
        "a",
        "9^9^9",
        "2^65",
        "1 2",
        "__import__('os')",
        "(" * 90,
        "9" * 200,
        "0^-1",
        "-" * 119,
    ],
)
def test_what_is_not_evaluated(text: str) -> None:
    with pytest.raises(NotArithmetic):
        evaluate(text)


def test_random_expressions_agree_with_python() -> None:
    random = Random(1)
    for _ in range(300):
        parts = [str(random.randint(1, 20))]
        for _ in range(random.randint(1, 5)):
            parts += [random.choice("+-*/"), str(random.randint(1, 20))]
        text = " ".join(parts)
        expected = eval(re.sub(r"(\d+)", r"Fraction(\1)", text))
        assert evaluate(text) == expected
