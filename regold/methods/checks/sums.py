"""Equations in a response, and answers to a bare calculation, that can be evaluated and are wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from regold.methods.checks.arithmetic import NotArithmetic, evaluate
from regold.methods.checks.exchange import Action, Check, Exchange, Span, whole

_NUMBER = r"\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,12})?"
_OPERATOR = r" ?(?:[+*/×÷·−–-]|\bx\b) ?"
_EQUATION = re.compile(
    r"(?<![\w.,$€£%^/*+×÷=(){}\[\]<>:-])(?<![-+*/×÷=x!] )"
    rf"({_NUMBER}(?:{_OPERATOR}{_NUMBER}){{1,6}}) ?= ?(-?[$€£]?{_NUMBER})"
    r"(?![\w^/*×÷%!]| ?[-+*/×÷^(=]|[.,]\d|:\d)"
)
_SPACED = rf"{_NUMBER}(?: [-+*/×÷·−–x] {_NUMBER}){{1,6}}"
_ASKED = re.compile(
    r"\A(?:what is|what's|how much is|calculate|compute|evaluate|solve|work out)(?: the (?:value|result) of)?:? "
    rf"(?:({_SPACED})|the (sum|product) of ({_NUMBER}) and ({_NUMBER}))\s?=?\s?[.?]?\Z"
)
_LONGEST_ANSWER = 60
_OTHERWISE = re.compile(r"[/^%√+*×÷]|\d ?e\d|\bx\b|hundred|thousand|[mb]illion|dozen|binary|remainder|minus|negative")
_INEXACT = re.compile(
    r"approx|about|round|roughly|nearest|≈|estimate|remainder|modul|binary|hex|base|date|score|ratio|clock|mod "
)
_PUZZLES = re.compile(
    r"\bwrong\b|incorrect|mistake|error|false|puzzle|pattern|joke|riddle|creative|correct the|check|true or"
)


def wrong_sum(e: Exchange) -> Iterator[Span]:
    """Find `a + b = c`, or c as the answer to `What is a + b?`, that is off beyond rounding to c's own digits."""
    if not e.given.strip() and not e.follows and _answered_wrong(e.asked.strip(), e.said):
        yield whole("response", e.response)
        return
    if "=" not in e.response or _PUZZLES.search(e.asked) or "```" in e.response or "_" in e.response:
        return
    for match in _EQUATION.finditer(e.response):
        if match[1] in e.input or (match[1] in e.instruction and "=" in e.instruction):
            continue
        line = e.said[max(0, match.start() - 40) : match.end() + 20]
        if not _INEXACT.search(line) and _differ(match[1], match[2]):
            yield Span("response", match.start(), match.end())


def _answered_wrong(asked: str, said: str) -> bool:
    """Tell whether a short answer holds numbers, but not the value of the calculation that is all that was asked."""
    match = _ASKED.match(asked)
    if match is None or len(said) > _LONGEST_ANSWER or "=" in said or _OTHERWISE.search(said):
        return False
    sign = "+" if match[2] == "sum" else "*"
    left = match[1] or f"{match[3]} {sign} {match[4]}"
    numbers = re.findall(rf"-?(?:{_NUMBER})", said.replace("−", "-"))
    given = {number.replace(",", "") for number in re.findall(_NUMBER, left)}
    news = [n for n in numbers if n.replace(",", "") not in given]
    bare = numbers == [said.strip().rstrip(".")]
    return bool(news or bare) and all(_differ(left, number) for number in numbers)


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
