"""The distinct answers of a data set, for drawing another one in place of a given one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from random import Random


def same(one: str, other: str) -> bool:
    """Tell whether two responses differ only in case, spacing or a closing full stop."""
    return plain(one) == plain(other)


def plain(text: str) -> str:
    """Return a text without what `same` overlooks."""
    return " ".join(text.split()).casefold().rstrip(".! ")


def seeded(*keys: object) -> int:
    """Return a number that depends on the keys alone, the same on every machine."""
    return int.from_bytes(sha256("\0".join(map(str, keys)).encode()).digest()[:8])


@dataclass(frozen=True)
class Pool:
    """Answers that records may lend each other; those alike count once."""

    keys: tuple[str, ...]
    """Their plain forms, sorted."""
    answers: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Pool:
        """Collect the texts that are not blank; of those alike the first in sorted order stays."""
        found: dict[str, str] = {}
        for text in texts:
            if key := plain(text):
                found[key] = min(text, found.get(key, text))
        keys = tuple(sorted(found))
        return cls(keys, tuple(found[key] for key in keys))

    def place(self, text: str) -> int | None:
        """Return where a text or one alike stands, or None."""
        key = plain(text)
        place = bisect_left(self.keys, key)
        return place if place < len(self.keys) and self.keys[place] == key else None

    def other(self, text: str, chance: Random) -> str | None:
        """Draw one of the other answers, each as likely, or None where there is none."""
        place = self.place(text)
        others = len(self.keys) - (place is not None)
        if others < 1:
            return None
        drawn = chance.randrange(others)
        return self.answers[drawn + (place is not None and drawn >= place)]

    def mistaken(self, text: str, seed: int) -> str | None:
        """Return the one answer that a text is always mistaken for, or None where it stands alone."""
        place = self.place(text)
        if place is None or len(self.keys) < 2:
            return None
        return self.answers[_derangement(len(self.keys), seed)[place]]


@lru_cache(maxsize=4096)
def _derangement(size: int, seed: int) -> tuple[int, ...]:
    """Return a seeded permutation of 0 to size - 1 in one ring, so that nothing stays in its place."""
    order = list(range(size))
    Random(seeded(seed, "pair", size)).shuffle(order)
    after = dict(zip(order, order[1:] + order[:1], strict=True))
    return tuple(after[place] for place in range(size))
