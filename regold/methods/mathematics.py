"""Tells whether two mathematical answers in LaTeX are the same: as text, part by part, or by value."""

from __future__ import annotations

import math
import re
from functools import partial

from regold.methods.formulas import value_of
from regold.methods.statements import plain, statements, trimmed

LONGEST = 400
"""Characters of the longest answer that is compared."""
POINTS = (0.7310585, 1.2599210, 1.9021605)
"""Where formulas with letters in them are compared; a rational coincidence at all three is not to be expected."""
_DROPPED = re.compile(
    r"(?<!\\)\\(?:left|right|displaystyle|bigl?|bigr|Bigl?|Bigr|,|!|;|:|quad|qquad|limits)(?![a-z])|(?<!\\)\\ |~"
)
_PARTED = re.compile(r",\s*\\!\s*(?=\d{3})")
_WORDS = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
_SHORT_FRACTION = re.compile(r"\\[dtc]?frac(?!\s*\{)\s*(\d)\s*(?:(\d)|\{([^{}]*)\})")
_HALF_FRACTION = re.compile(r"\\[dtc]?frac\s*\{([^{}]*)\}\s*(\d)")
_SHORT_ROOT = re.compile(r"\\sqrt\s*(\d|[a-z])(?![\d{])")
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|,)(?=\d{3}(?!\d))")
_NAMED = re.compile(
    r"^(?:[a-z](?:_\{?\d+\}?)?|[a-z]\([a-z]\)|[a-z]\^\{?-1\}?\([a-z]\))\s*(?:=|\\in\b)\s*", re.IGNORECASE
)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4}")
"""A word is no product of letters."""
_UNITS = re.compile(
    r"(?<=[\d})])\s*(?:\^?\{?\\circ\}?|°|\\?%|(?:square |cubic )?(?:units?|inch(?:es)?|feet|foot|ft|cm|mm|km|m|meters?|"
    r"miles?|degrees?|radians?|cents?|dollars?|hours?|minutes?|seconds?|years?|days?|people|ways|students?)"
    r"(?:\^\{?[23]\}?)?)\s*\.?$",
    re.IGNORECASE,
)


def math_answer(text: str) -> str | None:
    """Return the last answer that a text states, in a box or after a marker; else what its last line comes to."""
    text = plain(_PARTED.sub(",", text))
    stated = statements(text)
    boxed = [s for s in stated if text[s.start : s.start + 6] in ("\\boxed", "\\fbox{")]
    if boxed or stated:
        return _inner((boxed or stated)[-1].content)
    lines = [line for line in text.splitlines() if line.strip()]
    return _inner(lines[-1].rpartition("=")[2]) if lines and len(lines[-1]) <= LONGEST else None


def _inner(content: str) -> str | None:
    dollars = re.findall(r"\$+([^$]+)\$+|\\\((.+?)\\\)", content)
    if len(dollars) == 1:
        content = dollars[0][0] or dollars[0][1]
    return trimmed(content) or None


def same_math(first: str | None, second: str | None) -> bool:
    """Tell whether two answers are the same: equal in text, equal part by part, or equal in value to 9 digits."""
    if first is None or second is None or max(len(first), len(second)) > LONGEST:
        return False
    one, other = canonical(first), canonical(second)
    if one.casefold() == other.casefold():
        return bool(one)
    parts = _parts(one), _parts(other)
    if len(parts[0][1]) > 1 or len(parts[1][1]) > 1:
        return _same_parts(*parts)
    return _same_value(one, other) or _same_value(_NAMED.sub("", one), _NAMED.sub("", other))


def canonical(answer: str) -> str:
    """Return an answer without spaces, sizes, units and the other things that do not change what it says."""
    text = _DROPPED.sub(
        "", _PARTED.sub(",", answer).replace("−", "-").replace("\\$", "").replace("$", "").strip().rstrip(".")
    )
    text = _UNITS.sub("", _WORDS.sub(r"\1", text))
    text = _SHORT_FRACTION.sub(lambda m: f"\\frac{{{m[1]}}}{{{m[2] or m[3]}}}", text)
    text = _HALF_FRACTION.sub(r"\\frac{\1}{\2}", re.sub(r"\\[dtc]frac", r"\\frac", text))
    text = _SHORT_ROOT.sub(r"\\sqrt{\1}", _THOUSANDS.sub("", text)).replace("\\dots", "\\ldots")
    text = re.sub(r"\\(?:leq?|geq?)(?![a-z])", lambda m: {"\\l": "<=", "\\g": ">="}[m[0][:2]], text)
    text = re.sub(r"(?<!\d)\.(\d)", r"0.\1", text)
    return re.sub(r"\s+", "", text)


def _same_parts(first: tuple[str, list[str]], second: tuple[str, list[str]]) -> bool:
    """Compare lists: in order where brackets open them, in any order for sets and bare lists."""
    (opened, one), (other_opened, other) = first, second
    if opened != other_opened or len(one) != len(other):
        return False
    if opened[:1] not in ("(", "["):
        left = list(other)
        for part in one:
            match = next((o for o in left if same_math(part, o)), None)
            if match is None:
                return False
            left.remove(match)
        return True
    return all(same_math(a, b) for a, b in zip(one, other, strict=True))


def _parts(text: str) -> tuple[str, list[str]]:
    """Return the brackets around a text and the parts between its outermost commas."""
    text = _NAMED.sub("", text)
    brackets = ""
    if text[:2] == "\\{" and text[-2:] == "\\}":
        brackets, text = "{}", text[2:-2]
    elif text[:1] in "([" and text[-1:] in ")]" and "," in text:
        brackets, text = text[0] + text[-1], text[1:-1]
    depth, parts = 0, [""]
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if not brackets and len(parts) == 1 and re.search(r"(?<=\w)(?:and|or)(?=[\w\\-])", text):
        parts = re.split(r"and|or", text)
    return brackets, parts


def _same_value(first: str, second: str) -> bool:
    if _WORD.search(first) or _WORD.search(second):
        return False
    for point in POINTS:
        letters = partial(_near, point)
        one, other = value_of(first, letters), value_of(second, letters)
        if one is None or other is None or not math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12):
            return False
    return True


def _near(point: float, letter: str) -> float:
    return point * (1 + 0.37 * math.sin(ord(letter)))
