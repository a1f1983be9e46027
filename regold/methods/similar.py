"""Texts that are nearly the same, by MinHash over word shingles; questions with several answers; shared n-grams."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from zlib import crc32

import numpy as np

_WORD = re.compile(r"\w+")
PERMUTATIONS = 64
BANDS = 12
"""Bands of five values: a pair of Jaccard similarity .8 shares one with a chance of .99, one of .5 with .32."""
MARGIN = 0.2
"""How far the estimate of a signature may fall short before its pair is not compared."""
SHINGLE = 3
MOST_SHINGLES = 4_000
"""Shingles of one text that are hashed, evenly spread over a longer one."""
SKETCH = 512
"""Smallest hashes that are kept of a text to compare it exactly, or if it is longer closely."""
SHORT = 8
"""Words from which a shorter evaluation text counts wherever it stands whole in another."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_QUOTES = "\"'“”‘’«»"
_CLOSING = f"{_QUOTES}.,;:?!"


def plainly(text: str) -> str:
    """Return a text in lower case without quotes, closing punctuation and further space: what tells questions apart.

    Signs within and before words stay: `3 > 5` and `3 < 5` are two questions.
    """
    words = (word.lstrip(_QUOTES).rstrip(_CLOSING) for word in text.lower().split())
    return " ".join(word for word in words if word)


def goes_on(id_: str, following: str) -> bool:
    """Return whether two ids, one after the other in load order, are of turns `x#n` and `x#n+1` of one conversation."""
    whole, mark, turn = id_.rpartition("#")
    return bool(mark) and turn.isdecimal() and following == f"{whole}#{int(turn) + 1}"


def spaced(text: str) -> str:
    """Return the words of a text in lower case, one space between them: two texts with equal words are the same."""
    return " ".join(_WORD.findall(text.lower()))


@lru_cache(maxsize=1 << 17)
def _hash(word: str) -> int:
    return crc32(word.encode(errors="replace"))


@lru_cache(maxsize=4)
def _hashes(permutations: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(12_345)
    scale = rng.integers(1, 1 << 63, size=(1, permutations), dtype=np.uint64) | np.uint64(1)
    return scale, rng.integers(0, 1 << 63, size=(1, permutations), dtype=np.uint64)


def shingles(text: str, size: int = SHINGLE) -> np.ndarray:
    """Return the distinct hashes (uint64) of the runs of `size` words; of a shorter text the hash of all its words."""
    words = _WORD.findall(text.lower())
    if len(words) <= size:
        return np.array([crc32(" ".join(words).encode(errors="replace"))], dtype=np.uint64)
    each = np.fromiter(map(_hash, words), dtype=np.uint64, count=len(words))
    runs = np.zeros(len(words) - size + 1, dtype=np.uint64)
    for place in range(size):
        runs = runs * np.uint64(1_000_003) + each[place : len(words) - size + 1 + place]
    runs = np.unique(runs ^ (runs >> np.uint64(31)))
    return runs if len(runs) <= MOST_SHINGLES else runs[:: len(runs) // MOST_SHINGLES + 1]


@dataclass(frozen=True)
class Sketches:
    """What is kept of texts to find near duplicates."""

    signatures: np.ndarray
    """MinHash signatures, uint32 of shape (texts, permutations) (Broder 1997); the same on every machine."""
    smallest: Sequence[np.ndarray]
    """Of each text its smallest shingle hashes, sorted uint32, 512 at most."""

    @classmethod
    def joined(cls, parts: Sequence[Sketches]) -> Sketches:
        """Return the sketches of several chunks of texts as one."""
        found = [part.signatures for part in parts] or [np.zeros((0, PERMUTATIONS), dtype=np.uint32)]
        return cls(np.concatenate(found), [one for part in parts for one in part.smallest])

    def of(self, rows: Sequence[int]) -> Sketches:
        """Return the sketches of some of the texts."""
        return Sketches(self.signatures[list(rows)], [self.smallest[row] for row in rows])


def sketch(texts: Iterable[str], permutations: int = PERMUTATIONS) -> Sketches:
    """Return the sketches of texts."""
    scale, shift = _hashes(permutations)
    signatures, smallest = [], []
    for text in texts:
        runs = shingles(text)
        signatures.append(((runs[:, None] * scale + shift) >> np.uint64(32)).min(axis=0).astype(np.uint32))
        mixed = np.unique((runs * _MIX >> np.uint64(32)).astype(np.uint32))
        smallest.append(mixed[:SKETCH])
    return Sketches(np.stack(signatures) if signatures else np.zeros((0, permutations), np.uint32), smallest)


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Jaccard similarity of two sorted sets of smallest hashes; of longer texts the bottom-k estimate."""
    both = np.intersect1d(one, other, assume_unique=True)
    union = np.union1d(one, other)
    if max(len(one), len(other)) == SKETCH:  # what lies above the smaller of the two ends is not known of both
        union = union[:SKETCH]
        both = both[both <= union[-1]]
    return len(both) / len(union)


def near_duplicates(found: Sketches, threshold: float = 0.8, bands: int = BANDS) -> dict[int, int]:
    """Return for each row that nearly repeats an earlier one the first row of its kind.

    Candidates share a band of the signature (LSH); they count where the Jaccard similarity of the sketches reaches the
    threshold. A duplicate never becomes the original of another.
    """
    width = found.signatures.shape[1] // bands
    buckets: list[dict[bytes, list[int]]] = [{} for _ in range(bands)]
    result: dict[int, int] = {}
    for row, signature in enumerate(found.signatures):
        keys = [signature[b * width : (b + 1) * width].tobytes() for b in range(bands)]
        candidates = sorted({i for b, key in enumerate(keys) for i in buckets[b].get(key, ())})
        if candidates:
            agreement = (found.signatures[candidates] == signature).mean(axis=1)
            likely = (candidates[int(place)] for place in np.flatnonzero(agreement >= threshold - MARGIN))
            first = next((i for i in likely if jaccard(found.smallest[i], found.smallest[row]) >= threshold), None)
            if first is not None:
                result[row] = first
                continue
        for b, key in enumerate(keys):
            buckets[b].setdefault(key, []).append(row)
    return result


def contradictions(questions: Sequence[str], answers: Sequence[str], most: int = 5) -> dict[int, list[int]]:
    """Return for each row the first others, at most so many, with the same words asked and other words answered.

    Rows without are left out. Time grows with the rows, however many ask the same.
    """
    groups: dict[str, list[int]] = {}
    for row, question in enumerate(questions):
        groups.setdefault(question, []).append(row)
    found: dict[int, list[int]] = {}
    for question, rows in groups.items():
        if question and len(rows) > 1:
            others = _answered_otherwise([(row, answers[row]) for row in rows], most)
            found |= {row: others[answers[row]] for row in rows if others[answers[row]]}
    return found


def _answered_otherwise(rows: Sequence[tuple[int, str]], most: int) -> dict[str, list[int]]:
    """Return for each answer the first rows with another one; more than `most` of an answer are never needed."""
    times: Counter[str] = Counter()
    first: list[tuple[int, str]] = []
    for row, answer in rows:
        times[answer] += 1
        if times[answer] <= most:
            first.append((row, answer))
    return {answer: list(islice((row for row, said in first if said != answer), most)) for answer in times}


class Contamination:
    """The word n-grams of evaluation texts, and which of them a text shares."""

    def __init__(self, texts: Mapping[str, str], size: int = 13) -> None:
        """Take evaluation texts by name.

        One shorter than `size` words counts where it stands whole in a text, one shorter than 8 words where it is all
        of the text.
        """
        self._grams: dict[int, dict[str, str]] = {size: {}}
        self._whole: dict[str, str] = {}
        for name, text in texts.items():
            words = _WORD.findall(text.lower())
            if len(words) < min(size, SHORT):
                self._whole.setdefault(" ".join(words), name)
                continue
            run = min(size, len(words))
            grams = self._grams.setdefault(run, {})
            for start in range(len(words) - run + 1):
                grams.setdefault(" ".join(words[start : start + run]), name)
        self._whole.pop("", None)

    def find(self, text: str) -> tuple[str, int, int] | None:
        """Return the evaluation text that one shares words with, and where the shared words stand; None if none."""
        places = list(_WORD.finditer(text.lower()))
        words = [m[0] for m in places]
        if name := self._whole.get(" ".join(words)):
            return name, 0, len(text)
        for run, grams in self._grams.items():
            for start in range(len(words) - run + 1) if grams else ():
                if name := grams.get(" ".join(words[start : start + run])):
                    end = start + run
                    while end < len(words) and " ".join(words[end - run + 1 : end + 1]) in grams:
                        end += 1
                    return name, places[start].start(), min(len(text), places[end - 1].end())
        return None
