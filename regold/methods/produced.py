"""Checks of a record that was made from others: is it grounded in them, and what does it add, lose or repeat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from regold.methods.drafts import Source, script
from regold.methods.terms import key_terms, share_copied, share_found, words

GROUNDED = 0.5
"""Share of a response's key terms that must stand in the parents or the fresh answers."""
CLAIM = 0.3
"""Share of a sentence's key terms below which nothing supports it."""
LOST = 0.2
"""Share of a parent's own key terms below which it is lost."""
COPIED = 0.9
"""Share of the three-word runs that one of two parents may hold."""
LONG, SHORT, FEW = 3.0, 0.25, 400
"""Words over those of the parents: more is long, above 400 words; fewer is short."""
GRAVE = ("empty", "lost", "copied", "language", "duplicate", "contaminated")
"""Findings that speak against the record whatever it says."""
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[\w,;:)] )[A-ZÀ-ÖØ-Þ][\w’'-]{2,}")


@dataclass(frozen=True)
class Produced:
    """What was found of one produced record."""

    grounding: float
    """Share of the response's key terms that stand in the parents' instructions and given responses."""
    supported: float
    """The same with the fresh answers, which the stored responses may lack."""
    unsupported: tuple[str, ...]
    """Sentences with a number or a name that no parent and no fresh answer holds, or with few of their words."""
    covered: tuple[float, ...]
    """For each parent, the share of its instruction's key terms, of those that are its own, that the record holds."""
    copied: tuple[float, ...]
    """For each parent, the share of the record's three-word runs that stand in it."""
    words: int
    ratio: float
    """Words of the response over those of the parents' responses or fresh answers together."""
    found: tuple[str, ...]
    """The names of the findings."""


def inspect_produced(instruction: str, response: str, parents: Sequence[Source]) -> Produced:
    """Compare a produced record with the one or two records it was made from."""
    given = [f"{p.instruction}\n{p.response}" for p in parents]
    known = "\n".join([*given, *(p.answer for p in parents)])
    size = len(words(response))
    before = sum(max(len(words(p.response)), len(words(p.answer))) for p in parents)
    text = f"{instruction}\n{response}"
    told = Produced(
        round(share_found(key_terms(response), "\n".join(given)), 4),
        round(share_found(key_terms(response), known), 4),
        tuple(unsupported(response, known)),
        tuple(round(share_found(_own(place, parents), text), 4) for place in range(len(parents))),
        tuple(round(share_copied(text, whole), 4) for whole in given),
        size,
        round(size / max(before, 1), 4),
        (),
    )
    return Produced(**{**vars(told), "found": tuple(_found(told, text, parents, before))})


def _own(place: int, parents: Sequence[Source]) -> frozenset[str]:
    """Return the key terms of a parent's instruction that no other parent has, or all where there are none."""
    terms = key_terms(parents[place].instruction)
    others = (f"{p.instruction}\n{p.response}" for n, p in enumerate(parents) if n != place)
    return terms - frozenset().union(*map(key_terms, others)) or terms


def _found(told: Produced, text: str, parents: Sequence[Source], before: int) -> list[str]:
    two = len(parents) == 2
    scripts = {script(f"{p.instruction}\n{p.response}") for p in parents} - {""}
    seen = {
        "empty": told.words == 0,
        "ungrounded": told.supported < GROUNDED,
        "unsupported": bool(told.unsupported),
        "lost": two and min(told.covered) < LOST,
        "copied": two and max(told.copied) >= COPIED and min(told.copied) < LOST,
        "long": told.words > max(FEW, LONG * before),
        "short": before > 20 and told.words < SHORT * before,
        "language": bool(scripts) and script(text) not in {"", *scripts},
    }
    return [name for name, so in seen.items() if so]


def unsupported(response: str, known: str) -> list[str]:
    """Return the sentences of a response that a text does not bear out, judged by words alone.

    Such a sentence may well be true: it is what a person should look at first.
    """
    numbers, spoken = set(_NUMBER.findall(known)), {word.casefold() for word in re.findall(r"[\w’'-]+", known)}
    return [s for s in sentences(response) if not _supported(s, known, numbers, spoken)]


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text that hold a word."""
    return [part.strip() for part in _SENTENCE.split(text) if words(part)]


def _supported(sentence: str, known: str, numbers: set[str], spoken: set[str]) -> bool:
    said = re.sub(r"^\s*(?:\d{1,2}[.)]|step \d+:?)\s*", "", sentence, flags=re.IGNORECASE)
    if any(number not in numbers for number in _NUMBER.findall(said)):
        return False
    if any(name.casefold().removesuffix("'s").removesuffix("’s") not in spoken for name in _NAME.findall(said)):
        return False
    terms = key_terms(said)
    return len(terms) < 3 or share_found(terms, known) >= CLAIM
