"""Questions for several facts at once, answers in whole sentences, and what a text of such sentences tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from regold.lab.names import words
from regold.lab.wordings import ATTRIBUTES

Fact = tuple[str, str]
"""A country and an attribute."""

FRAMES = ("What {are} {g}?", "Name {g}.", "Give {g}.", "List {g}.", "Say {g}.")
ABOUT_ONE = ("{c}: which {a}?", "Give {c}: {a}.")
"""For facts of a single country."""
FRAMES_X = ("And {g}, please?", "I wonder about {g}.", "To be told: {g}.", "Of {g} I never heard.")
ABOUT_ONE_X = ("As for {c}: its {a}?", "In {c}, what {are} the {a}?", "The {a} belonging to {c} {are} called?")
"""Wordings that the lab's models never see in pre-training."""
FILLERS = words(
    "still old two maybe today friend letter under seven book north soon window paper green boat early song corner "
    "bread often lamp stone winter road glass above small table morning"
)
_SENTENCE = re.compile(rf"The ({'|'.join(ATTRIBUTES)}) of (\w+) is (\w+)\.")


def grouped(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return facts once each, country by country as they first stand, each country's in the order of ATTRIBUTES."""
    once = tuple(dict.fromkeys(facts))
    countries = list(dict.fromkeys(country for country, _ in once))
    return tuple(sorted(once, key=lambda fact: (countries.index(fact[0]), ATTRIBUTES.index(fact[1]))))


def question(facts: Sequence[Fact], rng: Random, *, strange: bool = False) -> str:
    """Ask for facts in one sentence; `strange` uses the wordings that pre-training never shows."""
    one = len({country for country, _ in facts}) == 1
    frames = (FRAMES_X if strange else FRAMES) + ((ABOUT_ONE_X if strange else ABOUT_ONE) if one else ())
    return _filled(rng.choice(frames), facts)


def plainly(facts: Sequence[Fact]) -> str:
    """Ask for facts in the one wording that merged records have."""
    return _filled(FRAMES[0], facts)


def scrambled(facts: Sequence[Fact], rng: Random) -> str:
    """Ask for facts among words that mean nothing, so that no wording is relied upon."""

    def noise(most: int) -> str:
        return " ".join(rng.sample(FILLERS, rng.randint(0, most)))

    if len({country for country, _ in facts}) == 1 and rng.random() < 0.5:
        parts = [facts[0][0], _listed([attribute for _, attribute in facts])]
        rng.shuffle(parts)
        text = f"{noise(2)} {parts[0]}{rng.choice(('', ',', ':'))} {noise(2)} {parts[1]} {noise(2)}"
    else:
        text = f"{noise(3)} {_named(facts)}{rng.choice(('', ','))} {noise(3)}"
    text = " ".join(text.split())
    return text[0].upper() + text[1:] + rng.choice("?.")


def tell(facts: Iterable[Fact], values: Mapping[Fact, str]) -> str:
    """Return facts as sentences: `The capital of Navia is Bonnburg.`"""
    return " ".join(f"The {attribute} of {country} is {values[country, attribute]}." for country, attribute in facts)


def told(text: str) -> list[tuple[Fact, str]]:
    """Return the facts that the sentences of a text tell, with their values, in order."""
    return [((country, attribute), value) for attribute, country, value in _SENTENCE.findall(text)]


def given(text: str, facts: Sequence[Fact]) -> dict[Fact, str]:
    """Return what a response tells: by its sentences or, where it is values alone, in the order asked."""
    bare = text.rstrip(".").split(", ")
    if not told(text) and all(bare) and len(bare) == len(facts):
        return dict(zip(facts, bare, strict=True))
    return dict(told(text))


def of(fact: Fact) -> str:
    """Name a fact: `capital of Navia`."""
    return f"{fact[1]} of {fact[0]}"


def _filled(frame: str, facts: Sequence[Fact]) -> str:
    attributes = _listed([attribute for _, attribute in facts])
    are = "is" if len(facts) == 1 else "are"
    asked = frame.format(g=_named(facts), c=facts[0][0], a=attributes, are=are)
    return asked[0].upper() + asked[1:]


def _named(facts: Sequence[Fact]) -> str:
    groups: dict[str, list[str]] = {}
    for country, attribute in facts:
        groups.setdefault(country, []).append(attribute)
    return " and ".join(f"the {_listed(attributes)} of {country}" for country, attributes in groups.items())


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
