"""Measures of a text as a string of characters and words, and limits that a file's owner sets on them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from regold.errors import UsageError
from regold.methods.checks.exchange import FIELDS, Action, Check, Exchange, Field, Span

RUN = 5
"""Words of a run that counts as repeated."""
_LETTERS = string.ascii_letters.encode()
_ALPHANUMERIC = _LETTERS + string.digits.encode()
_LIMIT = re.compile(r"(?:(\w+)\.)?([\w-]+)=([-\d.]*)\.\.([-\d.]*)")
WHOLE = "record"
"""The field name that stands for instruction, input and response, one below the other."""


def alphanumeric(text: str) -> float:
    """Return the share of characters that are letters or digits; 0 for an empty text."""
    return _share(text, _ALPHANUMERIC, str.isalnum)


def special(text: str) -> float:
    """Return the share of characters that are no letters: digits, signs and white space; 0 for an empty text."""
    return 1 - _share(text, _LETTERS, str.isalpha) if text else 0.0


def words(text: str) -> float:
    """Return how many runs between white space hold a letter or digit."""
    return sum(map(_counts, text.split()))


def word_length(text: str) -> float:
    """Return the mean number of characters of those runs, closing signs included; 0 where there is none."""
    sizes = [len(word) for word in text.split() if _counts(word)]
    return sum(sizes) / len(sizes) if sizes else 0.0


def lettered(text: str) -> float:
    """Return the share of runs between white space that hold a letter; 0 for an empty text."""
    found = text.split()
    return sum(word.isalpha() or any(map(str.isalpha, word)) for word in found) / len(found) if found else 0.0


def symbols(text: str) -> float:
    """Return hashes or ellipses, whichever are more, for each run between white space (Gopher, arXiv 2112.11446)."""
    if "#" not in text and "..." not in text and "…" not in text:
        return 0.0
    return max(text.count("#"), text.count("...") + text.count("…")) / max(1, len(text.split()))


def repeated(text: str) -> float:
    """Return the share of the runs of five words that stand more than once, case aside; 0 for a shorter text."""
    found = text.lower().split()
    runs = list(zip(*(found[n:] for n in range(RUN)), strict=False))
    if len(set(runs)) == len(runs):
        return 0.0
    times: dict[tuple[str, ...], int] = {}
    for run in runs:
        times[run] = times.get(run, 0) + 1
    return sum(n for n in times.values() if n > 1) / len(runs)


def _counts(word: str) -> bool:
    return word.isalnum() or any(map(str.isalnum, word))


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

    def check(self) -> Check:
        """Return the limit as a check whose evidence is the whole text."""
        high = "" if self.high == inf else f"{self.high:g}"
        low = "" if self.low == -inf else f"{self.low:g}"
        return Check(self.name, f"It lies outside of {low}..{high}.", Action.DROP, self._find)

    def _find(self, e: Exchange) -> Iterator[Span]:
        text = "\n".join(t for f in FIELDS if (t := e.text(f))) if self.field == WHOLE else e.text(_field(self.field))
        if not self.low <= MEASURES[self.measure](text) <= self.high:
            where: Field = "response" if self.field == WHOLE else _field(self.field)
            yield Span(where, 0, len(e.text(where)))


def _field(name: str) -> Field:
    return next(f for f in FIELDS if f == name)


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
