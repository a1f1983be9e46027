"""Compares short texts by the words they share: SQuAD and DROP's exact match and F1, and ROUGE-L."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from regold.methods.numbers import parse_number

_ARTICLES = frozenset({"a", "an", "the"})
_SPLIT = re.compile(r"[\s\-–—]+")
LONGEST = 20_000
"""Characters of a text that are compared."""


def words_of(text: str) -> list[str]:
    """Return a text's words without case, articles and punctuation; a number stands in one form, however written."""
    words = (_word(part) for part in _SPLIT.split(unicodedata.normalize("NFKC", text[:LONGEST]).casefold()))
    return [word for word in words if word and word not in _ARTICLES]


def _word(part: str) -> str:
    number = parse_number(part.strip(string.punctuation.replace("-", "").replace(".", ""))) if part else None
    if number is not None and not number.unit:
        return str(number.value)
    return "".join(c for c in part if not unicodedata.category(c).startswith("P"))


def token_f1(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the F1 of two bags of words (SQuAD, arXiv 1606.05250); 1 where both are empty."""
    if not first or not second:
        return float(list(first) == list(second))
    shared = sum((Counter(first) & Counter(second)).values())
    return 2 * shared / (len(first) + len(second))


def span_scores(said: Sequence[str], golds: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return exact match and F1 of the spans said against the best of several gold answers, each a list of spans.

    Spans are matched one to one so that the summed F1 is greatest; a gold span with a number scores nothing against a
    span without that number (DROP, arXiv 1903.00161).
    """
    if not golds:
        return 0.0, 0.0
    pairs = [_one(said, gold) for gold in golds]
    return max(em for em, _ in pairs), max(f1 for _, f1 in pairs)


def _one(said: Sequence[str], gold: Sequence[str]) -> tuple[float, float]:
    bags, wanted = [words_of(span) for span in said], [words_of(span) for span in gold]
    exact = sorted(" ".join(bag) for bag in bags) == sorted(" ".join(bag) for bag in wanted)
    if not bags or not wanted:
        return float(exact), float(exact)
    table = np.array([[_aligned(bag, want) for bag in bags] for want in wanted])
    rows, columns = linear_sum_assignment(-table)
    return float(exact), float(table[rows, columns].sum() / max(len(bags), len(wanted)))


def _aligned(said: Sequence[str], gold: Sequence[str]) -> float:
    numbers = {word for word in gold if parse_number(word) is not None}
    return token_f1(said, gold) if not numbers or numbers & set(said) else 0.0


def rouge_l(said: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of words (ROUGE-L, Lin 2004), lower case, letters and digits."""
    first = re.findall(r"[a-z0-9]+", said[:LONGEST].lower())
    second = re.findall(r"[a-z0-9]+", reference[:LONGEST].lower())
    if not first or not second:
        return 0.0
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for at, other in enumerate(second, 1):
            diagonal, row[at] = row[at], diagonal + 1 if word == other else max(row[at], row[at - 1])
    return 2 * row[-1] / (len(first) + len(second))
