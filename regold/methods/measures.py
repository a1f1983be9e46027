"""Measures of a text as a string of characters and words, and limits that a file's owner sets on them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import inf

from regold.errors import UsageError
from regold.methods.checks.exchange import FIELDS, Action, Check, Exchange, Field, Span

RUN = 5
"""Words of a run that counts as repeated."""
_LETTERS = string.ascii_letters.encode()
_ALPHANUMERIC = _LETTERS + string.digits.encode()
_SPACES = bytes(32 if chr(n).isspace() else n for n in range(256))
_SIGNS = bytes(n for n in range(128) if not chr(n).isalnum() and not chr(n).isspace())
_SIGN = re.compile(r"[^\w\s]|_")
_LIMIT = re.compile(r"(?:(\w+)\.)?([\w-]+)=([-\d.]*)\.\.([-\d.]*)")
WHOLE = "record"
"""The field name that stands for instruction, input and response, one below the other."""


def alphanumeric(text: str) -> float:
    """Return the share of characters that are letters or digits; 0 for an empty text."""
    return _share(text, _ALPHANUMERIC, str.isalnum)


def special(text: str) -> float:
    """Return the share of characters that are no letters: digits, signs and white space; 0 for an empty text."""
    return 1 - _share(text, _LETTERS, str.isalpha) if text else 0.0


@lru_cache(maxsize=8)
def words(text: str) -> float:
    """Return how many runs between white space hold a letter or digit."""
    return _holding(text, _SIGNS, str.isalnum)


def word_length(text: str) -> float:
    """Return the mean number of characters of those runs, closing signs included; 0 where there is none."""
    if text.isascii() and (many := words(text)) == len(found := _split(text)):
        return len("".join(found)) / max(1, many)
    sizes = [len(word) for word in _split(text) if word.isalnum() or any(map(str.isalnum, word))]
    return sum(sizes) / len(sizes) if sizes else 0.0


def lettered(text: str) -> float:
    """Return the share of runs between white space that hold a letter; 0 for an empty text."""
    return _holding(text, _SIGNS + string.digits.encode(), str.isalpha) / max(1, len(_split(text)))


def symbols(text: str) -> float:
    """Return hashes or ellipses, whichever are more, for each run between white space (Gopher, arXiv 2112.11446)."""
    if "#" not in text and "..." not in text and "…" not in text:
        return 0.0
    return max(text.count("#"), text.count("...") + text.count("…")) / max(1, len(_split(text)))


def repeated(text: str) -> float:
    """Return the share of the runs of five words that stand more than once, case and signs aside."""
    runs = _repeating(_plain(text.lower()))
    return sum(n for n in Counter(runs).values() if n > 1) / len(runs) if runs else 0.0


def repeated_characters(text: str) -> float:
    """Return the share of characters in runs of five words that stood before (Gopher, arXiv 2112.11446, table A1)."""
    runs = _repeating(_split(text))
    seen: set[tuple[str | bytes, ...]] = set()
    size = place = 0
    while place < len(runs):
        if runs[place] in seen:
            size += sum(map(len, runs[place]))
            place += RUN
        else:
            seen.add(runs[place])
            place += 1
    return size / max(1, len(text))


@lru_cache(maxsize=8)
def _split(text: str) -> list[str]:
    """Return the runs between white space, found once for all measures of a text; not to be changed."""
    return text.split()


def _repeating(found: Sequence[str | bytes]) -> Sequence[tuple[str | bytes, ...]]:
    """Return the runs of five words, or nothing where all differ."""
    if len(found) - len(set(found)) < RUN:  # a run that comes again holds five words that stood before
        return ()
    if len(found) - len(set(pairwise(found))) < RUN:  # and four pairs of words
        return ()
    runs = list(zip(*(found[n:] for n in range(RUN)), strict=False))
    return runs if len(set(runs)) < len(runs) else ()


def _plain(text: str) -> Sequence[str | bytes]:
    if text.isascii():
        return text.encode().translate(_SPACES, _SIGNS).split()
    return _SIGN.sub("", text).split()


def _holding(text: str, others: bytes, is_kind: Callable[[str], bool]) -> int:
    """Count the words that hold a character of a kind; `others` are the ASCII ones neither of it nor white space."""
    if text.isascii():
        return len(text.encode().translate(_SPACES, others).split())
    return sum(is_kind(word) or any(map(is_kind, word)) for word in text.split())


def _share(text: str, kind: bytes, is_kind: Callable[[str], bool]) -> float:
    if not text:
        return 0.0
    if text.isascii():
        return 1 - len(text.encode().translate(None, kind)) / len(text)
    return sum(map(is_kind, text)) / len(text)


MEASURES: Mapping[str, Callable[[str], float]] = {
    "characters": len,
    "words": words,
    "word-length": word_length,
    "alphanumeric": alphanumeric,
    "special": special,
    "lettered": lettered,
    "symbols": symbols,
    "repeated": repeated,
    "repeated-characters": repeated_characters,
}


@dataclass(frozen=True)
class Limit:
    """What a measure of one text must lie between, both ends included."""

    field: str
    measure: str
    low: float
    high: float

    @property
    def name(self) -> str:
        """Return the name of the check it becomes."""
        return f"{self.field}.{self.measure}"

    @cached_property
    def _own(self) -> Field | None:
        return next((f for f in FIELDS if f == self.field), None)

    def check(self) -> Check:
        """Return the limit as a check whose evidence is the whole text."""
        high = "" if self.high == inf else f"{self.high:g}"
        low = "" if self.low == -inf else f"{self.low:g}"
        return Check(self.name, f"It lies outside of {low}..{high}.", Action.DROP, self._find)

    def _find(self, e: Exchange) -> Sequence[Span]:
        own = self._own
        if self.low <= MEASURES[self.measure](e.text(own) if own else e.joined) <= self.high:
            return ()
        return (Span(own or "response", 0, len(e.text(own or "response"))),)


def limit(text: str) -> Limit:
    """Return the limit that `response.words=3..2000` says; the field may be left out. Raises UsageError."""
    found = _LIMIT.fullmatch(text.strip())
    wanted = "write FIELD.MEASURE=LOW..HIGH, such as response.words=3..2000"
    if not found:
        raise UsageError(f"limit {text!r}: {wanted}")
    field, measure = found[1] or "response", found[2]
    if field not in (*FIELDS, WHOLE):
        raise UsageError(f"limit {text!r}: no field {field!r}; use one of {', '.join((*FIELDS, WHOLE))}")
    if measure not in MEASURES:
        raise UsageError(f"limit {text!r}: no measure {measure!r}; use one of {', '.join(MEASURES)}")
    try:
        low, high = float(found[3] or -inf), float(found[4] or inf)
    except ValueError:
        raise UsageError(f"limit {text!r}: {wanted}") from None
    if low > high:
        raise UsageError(f"limit {text!r}: its lower end lies above its upper end")
    return Limit(field, measure, low, high)
