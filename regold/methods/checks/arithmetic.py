"""A small safe calculator: numbers, + - * / ^, brackets and square roots, in exact fractions."""

from __future__ import annotations

import re
from fractions import Fraction

_TOKEN = re.compile(r"\s*(?:(\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,12})?|\.\d{1,12})|(\*\*|[-+*/^()×÷·−–x]))")
LONGEST = 120
DEEPEST = 20
LARGEST = 10**30


class NotArithmetic(ValueError):
    """Say that a text is no expression that can be evaluated."""


def evaluate(text: str) -> Fraction:
    """Return the value of an expression. Raises NotArithmetic for anything else, for zero division and huge powers."""
    if len(text) > LONGEST:
        raise NotArithmetic("too long")
    reader = _Reader(_tokens(text))
    value = reader.sum(0)
    if reader.rest:
        raise NotArithmetic(f"unexpected {reader.rest[0]!r}")
    return value


def _tokens(text: str) -> list[str]:
    found, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotArithmetic(f"unexpected {text[place]!r}")
        place = match.end()
        sign = match[2] or ""
        found.append(
            {"×": "*", "x": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "**": "^"}.get(sign, sign)
            or match[1].replace(",", "")
        )
    return found


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self.rest = tokens

    def sum(self, depth: int) -> Fraction:
        if depth > DEEPEST:
            raise NotArithmetic("too deep")
        value = self._product(depth)
        while self.rest[:1] in (["+"], ["-"]):
            sign = self.rest.pop(0)
            other = self._product(depth)
            value = value + other if sign == "+" else value - other
        return _bounded(value)

    def _product(self, depth: int) -> Fraction:
        value = self._signed(depth)
        while self.rest[:1] in (["*"], ["/"]):
            sign = self.rest.pop(0)
            other = self._signed(depth)
            if sign == "/" and other == 0:
                raise NotArithmetic("division by zero")
            value = _bounded(value * other if sign == "*" else value / other)
        return value

    def _signed(self, depth: int) -> Fraction:
        negative = False
        while self.rest[:1] in (["-"], ["+"]):
            negative ^= self.rest.pop(0) == "-"
        value = self._power(depth)
        return -value if negative else value

    def _power(self, depth: int) -> Fraction:
        value = self._atom(depth)
        if self.rest[:1] == ["^"]:
            self.rest.pop(0)
            exponent = self._signed(depth + 1)
            if exponent.denominator != 1 or abs(exponent) > 64 or (value == 0 and exponent < 0):
                raise NotArithmetic("a power that is not evaluated")
            value = _bounded(Fraction(value ** int(exponent)))
        return Fraction(value)

    def _atom(self, depth: int) -> Fraction:
        if not self.rest:
            raise NotArithmetic("ends early")
        first = self.rest.pop(0)
        if first == "(":
            value = self.sum(depth + 1)
            if self.rest[:1] != [")"]:
                raise NotArithmetic("an open bracket")
            self.rest.pop(0)
            return value
        try:
            return Fraction(first)
        except ValueError:
            raise NotArithmetic(f"unexpected {first!r}") from None


def _bounded(value: Fraction) -> Fraction:
    if abs(value.numerator) > LARGEST or value.denominator > LARGEST:
        raise NotArithmetic("too large")
    return value
