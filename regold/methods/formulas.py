"""Works out the value of a formula in LaTeX or plain signs, by reading it: nothing is ever evaluated as code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

DEEPEST = 40
"""Brackets within brackets that are followed."""
_SIGN = re.compile(r"\d+\.?\d*|\.\d+|\\[A-Za-z]+|[A-Za-z]|[-+*/^(){}\[\]|!]|×|÷|√|π|\S")
_NAMES = {"\\pi": math.pi, "π": math.pi}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "\\sin": math.sin,
    "\\cos": math.cos,
    "\\tan": math.tan,
    "\\cot": lambda x: 1 / math.tan(x),
    "\\arcsin": math.asin,
    "\\arccos": math.acos,
    "\\arctan": math.atan,
    "\\ln": math.log,
    "\\log": math.log10,
    "\\exp": math.exp,
    "√": math.sqrt,
}
_TIMES = {"*", "×", "\\cdot", "\\times"}
_OVER = {"/", "÷", "\\div"}
_CLOSED = {"(": ")", "{": "}", "[": "]"}


class Unreadable(ValueError):
    """Report a text that is no formula."""


def value_of(text: str, letters: Callable[[str], float]) -> float | None:
    """Return a formula's value with `letters` giving each letter its value; None for what is no formula or no number.

    Products may be written without a sign; powers, roots, factorials of small numbers and common functions are known.
    """
    try:
        reader = _Reader(_SIGN.findall(text), letters)
        value = reader.sum()
        reader.end()
    except (ValueError, ArithmeticError, RecursionError, IndexError):
        return None
    return value if isinstance(value, float) and math.isfinite(value) else None


class _Reader:
    """Reads signs from the left: sums of products of powers."""

    def __init__(self, signs: list[str], letters: Callable[[str], float]) -> None:
        self.signs, self.letters, self.at, self.depth = signs, letters, 0, 0

    def peek(self) -> str:
        return self.signs[self.at] if self.at < len(self.signs) else ""

    def take(self, wanted: str = "") -> str:
        sign = self.peek()
        if not sign or (wanted and sign != wanted):
            raise Unreadable(f"expected {wanted or 'more'}")
        self.at += 1
        return sign

    def end(self) -> None:
        if self.at < len(self.signs) or not self.signs:
            raise Unreadable("more than a formula")

    def sum(self) -> float:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable("too deep")
        total = self.product()
        while self.peek() in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total += sign * self.product()
        self.depth -= 1
        return total

    def product(self) -> float:
        value = self.signed()
        while True:
            sign = self.peek()
            if sign in _TIMES:
                self.take()
                value *= self.signed()
            elif sign in _OVER:
                self.take()
                value /= self.signed()
            elif sign and (sign[0].isalnum() or sign[0] in "\\([{√π") and sign not in ("\\in", "\\cup", "\\cap"):
                if sign[0].isdigit() and self.signs[self.at - 1][0].isdigit():
                    raise Unreadable("two numbers side by side")
                value *= self.power()
            else:
                return value

    def signed(self) -> float:
        if self.peek() in ("+", "-"):
            return self.signed() if self.take() == "+" else -self.signed()
        return self.power()

    def power(self) -> float:
        base = self.atom()
        while self.peek() == "!":
            self.take()
            base = _factorial(base)
        if self.peek() != "^":
            return base
        self.take()
        exponent = self.group() if self.peek() == "{" else self.signed()
        if abs(exponent) > 1000:
            raise Unreadable("too high a power")
        raised = base**exponent
        if isinstance(raised, complex):
            raise Unreadable("not a real number")
        return float(raised)

    def atom(self) -> float:
        sign = self.take()
        if sign[0].isdigit() or (sign[0] == "." and len(sign) > 1):
            return float(sign)
        if sign in _CLOSED:
            self.at -= 1
            return self.group()
        if sign in _NAMES:
            return _NAMES[sign]
        if sign == "\\frac":
            return self.group() / self.group()
        if sign == "\\sqrt":
            degree = self.group() if self.peek() == "[" else 2.0
            inside = self.group() if self.peek() == "{" else self.atom()
            return float(inside ** (1 / degree)) if inside >= 0 else _odd_root(inside, degree)
        if sign in _FUNCTIONS:
            return _FUNCTIONS[sign](self.power())
        if len(sign) == 1 and sign.isascii() and sign.isalpha():
            return math.e if sign == "e" else self.letters(sign)
        raise Unreadable(sign)

    def group(self) -> float:
        opened = self.take()
        if opened not in _CLOSED:
            raise Unreadable(opened)
        value = self.sum()
        self.take(_CLOSED[opened])
        return value


def _factorial(value: float) -> float:
    if value != int(value) or not 0 <= value <= 100:
        raise Unreadable("no factorial")
    return float(math.factorial(int(value)))


def _odd_root(inside: float, degree: float) -> float:
    if degree != 3:
        raise Unreadable("not a real number")
    return -float((-inside) ** (1 / 3))
