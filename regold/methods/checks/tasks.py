"""Small tasks whose right answer can be worked out: sorting, counting, means, medians, roots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from statistics import median

from regold.methods.checks.exchange import Action, Check, Exchange, Span, whole

_ALPHABETICAL = re.compile(r"\b(?:alphabetical(?:ly)?|alphabetic|alphabetize)\b")
_REVERSED = re.compile(r"\b(?:reverse|descending|backward|z[- ]to[- ]a|last to first)\b")
_UP = re.compile(
    r"\b(?:ascending|increasing|(?:smallest|lowest|least) to (?:the )?(?:largest|highest|greatest|biggest))\b"
)
_DOWN = re.compile(
    r"\b(?:descending|decreasing|(?:largest|highest|greatest|biggest) to (?:the )?(?:smallest|lowest|least))\b"
)
_BRACKETED = re.compile(r"\[([^\[\]]{1,400})\]|:([^:\[\]]{1,400})\Z")
_OTHER_ORDER = re.compile(
    r"absolute|frequen|digit|\beven\b|\bodd\b|\bby\b|length|prime|reverse|second|distance|\bnon|\bnot\b"
)
_LIST = re.compile(r"[,;\n]+")
_BULLET = re.compile(r"\A(?:\d{1,3}[.)]|[-*•])\s{0,4}")
_NUMBERS = re.compile(r"-?\d{1,12}(?:\.\d{1,9})?")
_NUMBER_LIST = re.compile(r"\A[\s\[({]*-?\d[\d\s,;.\-+and]*[\])}\s.]*\Z")
_STATISTIC = re.compile(r"\b(mean|average|median|sum|maximum|minimum|largest|smallest|range)\b")
_ROOT = re.compile(r"\bsquare root of (\d{1,9}(?:\.\d{1,4})?)\b(?! ?[-+*/^x])")
_COUNT_WORDS = re.compile(
    r"\b(?:how many words|count the (?:number of )?words|number of words|word count|count of words)\b"
)


def wrong_order(e: Exchange) -> Iterator[Span]:
    """Find a list to be put in alphabetical order that came back in another order, item for item the same."""
    if not _ALPHABETICAL.search(e.asked) or _REVERSED.search(e.asked) or not e.given.strip():
        return
    given, said = _items(e.given), _items(e.said)
    if len(given) < 3 or sorted(given) != sorted(said) or len(set(given)) != len(given):
        return
    if any(" " in item for item in given) and "last" in e.asked:
        return
    if said != sorted(said, key=lambda item: re.sub(r"[^\w ]", "", item)) and said != sorted(said):
        yield whole("response", e.response)


def wrong_number_order(e: Exchange) -> Iterator[Span]:
    """Find numbers to be put in ascending or descending order that came back all there, in another order."""
    up, down = _UP.search(e.asked), _DOWN.search(e.asked)
    if bool(up) == bool(down) or ("sort" not in e.asked and "order" not in e.asked) or _OTHER_ORDER.search(e.asked):
        return
    inside = _BRACKETED.search(e.asked)
    text = e.given if e.given.strip() else (inside[1] or inside[2]) if inside else ""
    said_text = e.said[e.said.rfind(":") + 1 :]
    if len(text) > 400 or len(said_text) > 400 or not (_NUMBER_LIST.match(text) and _NUMBER_LIST.match(said_text)):
        return
    given, said = ([Fraction(n) for n in _NUMBERS.findall(t)] for t in (text, said_text))
    if len(given) > 2 and sorted(given) == sorted(said) and said != sorted(given, reverse=bool(down)):
        yield whole("response", e.response)


def _order(e: Exchange) -> Iterator[Span]:
    yield from wrong_order(e)
    yield from wrong_number_order(e)


def _items(text: str) -> list[str]:
    text = text[text.rfind(":") + 1 :] if ":" in text else text
    items = (_BULLET.sub("", part.strip()).strip(" .[]\"'") for part in _LIST.split(text))
    return [item.removeprefix("and ") for item in items if item]


def wrong_statistic(e: Exchange) -> Iterator[Span]:
    """Find a mean, median, sum, maximum, minimum or range of a plain list of numbers that is not what was answered."""
    asked = set(_STATISTIC.findall(e.asked))
    if (
        len(asked) != 1
        or "deviation" in e.asked
        or "variance" in e.asked
        or not _NUMBER_LIST.match(e.given)
        or len(e.said) > 160
        or len(e.given) > 400
    ):
        return
    if any(
        w in e.asked
        for w in (
            "even",
            "odd",
            "pair",
            "subarray",
            "squares",
            "digit",
            "function",
            "code",
            "product",
            "second",
            "third",
            "prime",
            "contiguous",
            "subset",
            "program",
            "script",
            "two",
            "three",
            "difference",
            "positive",
            "negative",
            "algorithm",
            "query",
            "geometric",
            "harmonic",
            "weighted",
            "consecutive",
            "possible",
            "number that",
            "root mean",
        )
    ):
        return
    numbers = [Fraction(n) for n in _NUMBERS.findall(e.given)]
    said = [Fraction(n) for n in _NUMBERS.findall(e.said.replace(",", "") if "," not in e.given else e.said)]
    if len(numbers) < 3 or not said or e.said.rstrip().endswith(":") or len(said) > len(numbers) + 3:
        return
    right = _statistic(asked.pop(), numbers)
    if not any(abs(right - n) <= abs(right) / 100 for n in said):
        yield whole("response", e.response)


def _statistic(name: str, numbers: list[Fraction]) -> Fraction:
    if name in ("mean", "average"):
        return sum(numbers, Fraction(0)) / len(numbers)
    if name == "median":
        return Fraction(median(numbers))
    if name == "sum":
        return sum(numbers, Fraction(0))
    if name == "range":
        return max(numbers) - min(numbers)
    return max(numbers) if name in ("maximum", "largest") else min(numbers)


def wrong_root(e: Exchange) -> Iterator[Span]:
    """Find the answer to `square root of n` whose square is not n."""
    match = _ROOT.search(e.asked) or (
        _ROOT.search(f"square root of {e.given.strip()}") if "square root" in e.asked else None
    )
    if match is None or len(e.said) > 120 or "√" in e.said or "sqrt" in e.said or "i" in e.said.split():
        return
    asked = Fraction(match[1])
    said = [Fraction(n) for n in _NUMBERS.findall(e.said)]
    rest = [n for n in said if n != asked] or said
    if rest and not any(abs(n * n - asked) <= asked / 50 for n in rest):
        yield whole("response", e.response)


def wrong_word_count(e: Exchange) -> Iterator[Span]:
    """Find a number of words of the input that is off by more than one, hyphens and marks counted either way."""
    if not _COUNT_WORDS.search(e.asked) or not e.given.strip() or len(e.said) > 120 or len(e.given) > 2_000:
        return
    if any(
        w in e.asked
        for w in (
            "that",
            "start",
            "contain ",
            "longer",
            "unique",
            "letter",
            "with ",
            "function",
            "summar",
            "same",
            "rhyme",
            "times",
            "each",
            "reduce",
            "limit",
            "less",
            "without",
            "than",
        )
    ):
        return
    said = [int(n) for n in re.findall(r"\d{1,6}", e.said)]
    text = re.sub(r"\A(?:text|sentence|input|paragraph)\s?:", "", e.given.strip())
    counts = {len(text.split()), len(re.findall(r"\w+", text)), len(re.findall(r"[\w'-]+", text))}
    if said and not any(n in counts for n in said):
        yield whole("response", e.response)


CHECKS = (
    Check("wrong-order", "The list is not in the order asked for.", Action.SUSPECT, _order),
    Check("wrong-statistic", "The mean, median, sum or extreme is wrong.", Action.SUSPECT, wrong_statistic),
    Check("wrong-root", "The square root is wrong.", Action.SUSPECT, wrong_root),
    Check("wrong-word-count", "The number of words is wrong.", Action.SUSPECT, wrong_word_count),
)
