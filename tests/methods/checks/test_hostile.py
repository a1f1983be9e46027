"""Texts made to make a check slow or to break it: linear time, no exception, every span inside its text."""

from __future__ import annotations

import time
from random import Random

import pytest

from regold.methods.checks import CHECKS, Exchange, Strictness, choose, examine

ALL = choose((), Strictness.STRICT)
PIECES = [
    "a",
    " ",
    "\n",
    "\n\n",
    "<",
    "[",
    "(",
    "{",
    "```\n",
    "```",
    "~~~\n",
    "<no ",
    "<noinput",
    "[insert ",
    "{{",
    "http://",
    "www.a",
    "/a",
    "1",
    "1,",
    "1 + ",
    "1 + 1 = 3 ",
    "(1 + ",
    "-",
    "- ",
    "1234 ",
    "212-",
    "(212) ",
    "4111 ",
    "a@b.",
    "@",
    "a.",
    "sk-",
    "AKIA",
    "instruction:\n",
    "1. instruction: ",
    "output:\n",
    "### ",
    "<|",
    "the following ",
    "design a ",
    "design a big ",
    "image of ",
    "weather ",
    "today ",
    "current ",
    "def f(",
    "def f():\n",
    "import a\n",
    "class A:\n",
    '{"a":',
    "[1,",
    "i am ",
    "i can't ",
    "â€",
    "\ufffd",
    "&amp;",
    "是",
    "el la los ",
    "the and of ",
    "very ",
    "He went home. ",
    "a b c d e f g h ",
    '"',
    "'",
    "Output: ",
    "\\",
    "`",
    "no input ",
    "none",
    "İ",
    "\x00",
    "\ud800",
    "🙂",
    "! ",
    "x,",
    "=",
    "x",
]
LENGTH = 60_000


@pytest.mark.parametrize("piece", PIECES)
def test_repetition_costs_a_moment_only(piece: str) -> None:
    text = piece * (LENGTH // len(piece))
    for exchange in (
        Exchange("Tell me.", "", text),
        Exchange(text, text, "Yes."),
        Exchange("Sort alphabetically, count the number of words and find the mean as JSON.", text, text),
    ):
        began = time.process_time()
        examine(exchange, ALL)
        assert time.process_time() - began < 2


def test_random_texts_never_raise_and_spans_lie_inside() -> None:
    random = Random(0)
    words = [
        *PIECES,
        "Sort",
        "sum",
        "the",
        "median",
        "of",
        "square root of ",
        "12",
        "photo",
        "json",
        "Paris",
        ". ",
        ": ",
    ]
    for _ in range(1500):
        texts = ["".join(random.choices(words, k=random.randint(0, 14))) for _ in range(3)]
        exchange = Exchange(*texts)
        for finding in examine(exchange, ALL):
            span = finding.span
            assert 0 <= span.start <= span.end <= len(exchange.text(span.field))
            finding.excerpt(exchange)


@pytest.mark.parametrize("check", list(CHECKS.values()), ids=list(CHECKS))
def test_cost_grows_no_faster_than_the_text(check: object) -> None:
    text = "It was (a fine [day] at 12 + 3 = 15 in the old town, said <b> bob. " * 200
    assert time_of(check, text * 8) < 30 * time_of(check, text) + 0.05


def time_of(check: object, text: str) -> float:
    best = 9.0
    for _ in range(3):
        exchange = Exchange("Tell me.", "", text)
        _ = exchange.said
        began = time.process_time()
        list(check.find(exchange))  # type: ignore[attr-defined]
        best = min(best, time.process_time() - began)
    return best
