"""Compares answers: equal, different, or only a judge can tell (RobustFT, eq. 3: the check of the views)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from regold.methods.answers import SHORT_WORDS
from regold.methods.numbers import LONGEST, Number, find_numbers, parse_number, same_number, tidy
from regold.methods.statements import HEAD, plain, trimmed

_ARTICLE = re.compile(r"\b(?:a|an|the)\b\s+")
_LATEX = re.compile(r"\\(?:left|right|[!,;: ])|\$|\\(?=[()\[\]%$])")
_EDGES = re.compile(r"(?<!\w)[^\w\s%$€£°+\-−√π∞]+|[^\w\s%$€£°+\-−√π∞)\]}!]+(?!\w)")


def normalised(answer: str) -> str:
    """Return an answer as short answers are compared: without case, articles, markup and words' edge punctuation."""
    if len(answer) > HEAD:
        return " ".join(answer.casefold().split())
    text = unicodedata.normalize("NFKC", trimmed(plain(answer))).casefold().replace("’", "'")
    text = re.sub(r"\\[dt]frac", r"\\frac", _LATEX.sub("", text))
    words = re.sub(r"\s+", " ", _EDGES.sub(" ", text)).strip()
    return _ARTICLE.sub("", words).strip() or words or "".join(text.split())


def same_answer(first: str | None, second: str | None, options: Sequence[str] = ()) -> bool | None:
    """Tell whether two answers are the same; None where that takes a judge.

    No answer is never the same as anything. Letters are the same or not; numbers are compared by value, short answers
    as normalised words. Unless both are equal in words, it takes a judge where one is a longer text, where one short
    answer stands inside the other, and where one holds every number of the other in other words.
    """
    if first is None or second is None:
        return False
    if options:
        return first == second
    numbers = parse_number(first), parse_number(second)
    if numbers[0] is not None and numbers[1] is not None:
        return same_number(numbers[0], numbers[1])
    one, other = normalised(first), normalised(second)
    if one == other:
        return bool(one)
    if max(len(one.split()), len(other.split())) > SHORT_WORDS:
        return None
    return None if _holds(one, other) or _holds(other, one) or _share_numbers(first, second) else False


def _holds(text: str, part: str) -> bool:
    return f" {part} " in f" {text} "


def _share_numbers(first: str, second: str) -> bool:
    """Tell whether the numbers of one answer, at least one, may all be among the numbers of the other."""
    fewer, more = sorted((_numbers(first), _numbers(second)), key=len)
    return bool(fewer) and all(any(same_number(one, other) is not False for other in more) for one in fewer)


def _numbers(answer: str) -> list[Number]:
    """Return the numbers in a short answer; the last one has what follows it as its unit."""
    text = tidy(trimmed(plain(answer))) if len(answer) <= LONGEST else ""
    found = [(parse_number(text[end - len(said) :]), parse_number(said)) for said, end in find_numbers(text)]
    return [number for to_end, alone in found if (number := to_end or alone)]


def is_clean(flags: Sequence[bool], rule: str) -> bool:
    """Apply eq. 3's rule: under "all" every view must agree with the given response; under "majority" at least half.

    With two views "majority" gives the response one vote beside theirs, so that it is clean if it holds two of three.
    """
    return all(flags) if rule == "all" else 2 * sum(flags) >= len(flags)


def brief(answer: str | None) -> str:
    """Return an answer in quotes for a reason that people read, at most 60 characters of it."""
    if answer is None:
        return "no answer"
    text = " ".join(answer.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
