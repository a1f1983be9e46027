"""Equations in a response that can be evaluated, and are wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from regold.methods.checks.arithmetic import NotArithmetic, evaluate
from regold.methods.checks.exchange import Action, Check, Exchange, Span

_NUMBER = r"\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,12})?"
_OPERATOR = r" ?(?:[+*/×÷·−–-]|\bx\b) ?"
_EQUATION = re.compile(
    r"(?<![\w.,$€£%^/*+×÷=(){}\[\]<>:-])(?<![-+*/×÷=x!] )"
    rf"({_NUMBER}(?:{_OPERATOR}{_NUMBER}){{1,6}}) ?= ?(-?[$€£]?{_NUMBER})"
    r"(?![\w^/*×÷%!]| ?[-+*/×÷^(=]|[.,]\d|:\d)"
)
_INEXACT = re.compile(
    r"approx|about|round|roughly|nearest|≈|estimate|remainder|modul|binary|hex|base|date|score|ratio|clock|mod "
)
_PUZZLES = re.compile(
    r"\bwrong\b|incorrect|mistake|error|false|puzzle|pattern|joke|riddle|creative|correct the|check|true or"
)


def wrong_sum(e: Exchange) -> Iterator[Span]:
    """Find `a + b = c` where c differs from what the left side gives, beyond rounding to c's own digits."""
    if "=" not in e.response or _PUZZLES.search(e.asked) or "```" in e.response or "_" in e.response:
        return
    for match in _EQUATION.finditer(e.response):
        if match[1] in e.input or (match[1] in e.instruction and "=" in e.instruction):
            continue
        line = e.said[max(0, match.start() - 40) : match.end() + 20]
        if not _INEXACT.search(line) and _differ(match[1], match[2]):
            yield Span("response", match.start(), match.end())


def _differ(left: str, right: str) -> bool:
    try:
        value = evaluate(left)
    except NotArithmetic:
        return False
    digits = re.sub(r"[$€£,]", "", right)
    decimals = len(digits.partition(".")[2])
    said = Fraction(digits)
    if abs(value - said) < Fraction(1, 10**decimals):
        return False
    return abs(value - said) > abs(value) / 200  # rounded to three digits or so: no fault


CHECKS = (Check("wrong-sum", "A calculation in the response is wrong.", Action.SUSPECT, wrong_sum),)
