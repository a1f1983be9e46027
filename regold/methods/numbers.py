"""Reads numbers as people and models write them: signs, currencies, thousands, fractions, powers, units."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 200
"""Characters of the longest text that can be a number with its unit."""
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_MONEY = {"$": "dollar", "us$": "dollar", "usd": "dollar", "€": "euro", "eur": "euro", "£": "pound", "gbp": "pound"}
_CURRENCY = r"(?:US\$|A\$|C\$|\$|€|£|¥|₹|(?:USD|EUR|GBP|Rs\.?)\s?)"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_VALUE = rf"(?:\d+\s+\d+/\d+|\d+/\d+|(?:{_DIGITS})(?:[eE][-+]?\d+|\s*[x×*]\s*10\^?\{{?-?\d+\}}?)?)"
_NUMBER = rf"(?P<sign>[-+]\s?)?(?P<currency>{_CURRENCY})?\s?(?P<inner>[-+])?(?P<value>{_VALUE})"
_SCALE = rf"(?:\s*(?P<scale>{'|'.join(_SCALES)})\b)?"
_BEFORE = r"(?<![\w./,:^])"
_AFTER = r"(?![\d/:]|[.,]\d|-\d)"
_FIND = re.compile(rf"{_BEFORE}{_NUMBER}{_AFTER}{_SCALE}(?P<percent>\s*%)?", re.IGNORECASE)
_UNIT = r"(?:%|°\s?[CFK]?|(?:percent|degrees|per\s+cent)\b.*|[A-Za-zµμ°$€£][A-Za-z²³µ°/]*(?:\s+[A-Za-z²³/]+){0,3}[²³]?)"
_WHOLE = re.compile(
    rf"^(?:=\s*|about\s+|approximately\s+|roughly\s+|≈\s*|~\s*)?{_NUMBER}{_AFTER}{_SCALE}\s*(?:-\s*)?(?P<unit>{_UNIT})?$",
    re.IGNORECASE,
)
_FRAC = re.compile(r"\\[dt]?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_NOISE = re.compile(r"\\[!,;: ]|\{,\}|\\left|\\right|<<[^<>]*>>")


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the unit it was written with, lower case, empty where there was none."""

    value: Fraction
    unit: str = ""
    broken: bool = False
    """Written as a fraction such as 1/3, which a decimal can only approach."""


def tidy(text: str) -> str:
    """Return a text with LaTeX fractions, unicode fractions, minus signs and calculator marks in plain characters."""
    text = "".join(_spelled(c) for c in text)
    text = _NOISE.sub("", text).replace("\\times", "×").replace("\\cdot", "×").replace("\\$", "$").replace("\\%", "%")
    return _FRAC.sub(r"\1/\2", text).replace("^\\circ", "°").replace("^{\\circ}", "°")


def _spelled(character: str) -> str:
    if character in "−–‐‑":
        return "-"
    if unicodedata.category(character) == "No" and "⁄" in (wide := unicodedata.normalize("NFKC", character)):
        return " " + wide.replace("⁄", "/")
    return unicodedata.normalize("NFKC", character) if character.isdecimal() else character


def parse_number(text: str) -> Number | None:
    """Return the number that a whole text is, with at most a few words of unit; None for anything else."""
    if len(text) > LONGEST:
        return None
    text = re.sub(r"\s+", " ", tidy(text)).strip()
    match = _WHOLE.match(re.sub(r"^\$ ?(.*?) ?\$$", r"\1", text))
    if match is None or match["value"] is None:
        return None
    unit = (match["unit"] or "").strip().casefold()
    unit = "%" if unit.startswith(("percent", "per cent")) else unit
    if match["currency"] and not unit:
        unit = match["currency"].strip().casefold()
    value = _value(match)
    return None if value is None else Number(value, unit, "/" in match["value"])


def find_numbers(text: str) -> list[tuple[str, int]]:
    """Return the numbers in a `tidy` text as written, each with the place where it ends."""
    return [(m[0].strip(), m.end()) for m in _FIND.finditer(text)]


def _value(match: re.Match[str]) -> Fraction | None:
    negative = "-" in (match["sign"] or "") + (match["inner"] or "")
    digits = match["value"].replace(",", "")
    power = re.search(r"\s*[x×*]\s*10\^?\{?(-?\d+)\}?$", digits)
    exponent = int(power[1]) if power else 0
    if (
        abs(exponent) > 300
        or len(digits) > 100
        or ((e := re.search(r"[eE]([-+]?\d+)$", digits)) and abs(int(e[1])) > 300)
    ):
        return None
    digits = digits[: power.start()] if power else digits
    try:
        value = sum((Fraction(part) for part in digits.split()), Fraction(0)) * Fraction(10) ** exponent
    except (ValueError, ZeroDivisionError):
        return None
    value *= _SCALES.get((match["scale"] or "").casefold(), 1)
    return -value if negative else value


def same_number(first: Number, second: Number) -> bool | None:
    """Compare two numbers; None where the values agree but the units differ in wording, which only a judge can tell."""
    if {first.unit, second.unit} & {"%"} and first.unit != second.unit:
        percent, other = (first, second) if first.unit == "%" else (second, first)
        return other.value in (percent.value, percent.value / 100)
    if not _equal(first, second):
        return False if not (first.unit and second.unit) or _singular(first) == _singular(second) else None
    return True if not first.unit or not second.unit or _singular(first) == _singular(second) else None


def _equal(first: Number, second: Number) -> bool:
    if first.broken != second.broken:
        return abs(first.value - second.value) < Fraction(5, 1000) * max(abs(first.value), Fraction(1, 1000))
    return first.value == second.value


def _singular(number: Number) -> str:
    unit = number.unit.rstrip("s").rstrip(".")
    return _MONEY.get(unit, unit)
