"""A pool of questions for several facts with planted low-quality records, where what is wrong with each is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from regold.formats import NOISE, TRUTH, write
from regold.lab.several import Fact, question, scrambled, tell
from regold.lab.wordings import ATTRIBUTES
from regold.lab.world import Values, World

UNSEEN = 0.08
"""Share of the facts that the pre-training of `lab-fuse` never shows."""
DOMAIN = 24
"""Countries that a pool is about."""
FAULTS: Mapping[str, float] = {"terse": 0.25, "incomplete": 0.35, "wrong": 0.15, "off-topic": 0.15, "duplicate": 0.10}
"""What low-quality records suffer from, and how often; `lab-fuse` has met these in its training."""
TEXT_FAULTS: Mapping[str, float] = {"placeholder": 0.04, "leaked": 0.04, "looped": 0.04}
"""Faults of the text alone, for the checks to find: their shares of the low-quality records, the rest by FAULTS."""
LEAKED = ("### Response: {}", "Output: {}", "[INST {}")
"""Marks of a prompt before a right response: the checks find them at each strictness, from normal on, at strict."""
SIZES: Mapping[int, float] = {1: 0.2, 2: 0.45, 3: 0.35}
"""How many facts a question asks for."""
NEGLECTED = 1 / 3
"""Share of the countries that few and mostly bad records are about: the pool's rare clusters."""
LOW, LOW_NEGLECTED = 0.6, 0.95
"""Share of low-quality records about a country, and about a neglected one."""
RARITY = 0.4
"""How often a neglected country comes up, for each time that another does."""


@dataclass(frozen=True)
class Entry:
    """One record of the pool: what it asks, the full right answer, the response given, and what is wrong with it."""

    id: str
    question: str
    facts: tuple[Fact, ...]
    truth: str
    response: str
    fault: str = ""
    """A name from FAULTS or TEXT_FAULTS, or empty for a good record."""
    neglected: bool = False

    @property
    def country(self) -> str:
        """Return the country that it asks about."""
        return self.facts[0][0]


def pool_world(seed: int = 0) -> World:
    """Return the world as `lab-fuse` has met it."""
    return World(seed, UNSEEN)


def pool(world: World, n: int, seed: int = 0) -> list[Entry]:
    """Draw a seeded pool of n records; a duplicate repeats an earlier low-quality record word for word."""
    rng = Random(f"pool:{seed}")
    bad, shares = neglected(world, seed), _shares()
    found: list[Entry] = []
    while len(found) < n:
        country = _country(world, seed, rng)
        facts = _facts(rng, country, seed, "train")
        low = rng.random() < (LOW_NEGLECTED if country in bad else LOW)
        fault = rng.choices(list(shares), list(shares.values()))[0] if low else ""
        earlier = [e for e in found if e.fault not in ("", "duplicate") and e.neglected == (country in bad)]
        if fault == "duplicate" and earlier:
            found.append(replace(rng.choice(earlier), id=str(len(found)), fault=fault))
            continue
        fault = "terse" if fault == "duplicate" or (fault == "incomplete" and len(facts) == 1) else fault
        truth = tell(facts, world.values)
        if fault in TEXT_FAULTS:
            given = misprinted(truth, fault, rng)
        else:
            given = spoiled(facts, world.values, fault, rng, world.pools) if fault else truth
        asked = _worded(facts, rng)
        found.append(Entry(str(len(found)), asked, facts, truth, given, fault, country in bad))
    return found


def held_out(world: World, n: int, seed: int = 0) -> list[Entry]:
    """Draw n questions about the pool's countries, all alike often, for combinations of facts that no record asks."""
    rng, bad = Random(f"held-out:{seed}"), neglected(world, seed)
    found: dict[str, Entry] = {}
    while len(found) < n:
        country = rng.choice(domain(world, seed))
        facts = _facts(rng, country, seed, "test")
        asked, truth = _worded(facts, rng), tell(facts, world.values)
        found.setdefault(asked, Entry(str(len(found)), asked, facts, truth, truth, "", country in bad))
    return list(found.values())


def domain(world: World, seed: int) -> list[str]:
    """Return the countries that a seed's pool is about, drawn from those of which pre-training leaves something out."""
    lacking = [c for c in world.countries if any(world.weights[c, attribute] == 0 for attribute in ATTRIBUTES)]
    return Random(f"domain:{seed}").sample(lacking, min(DOMAIN, len(lacking)))


def neglected(world: World, seed: int) -> frozenset[str]:
    """Return the countries that few and mostly bad records are about."""
    countries = domain(world, seed)
    return frozenset(countries[: round(NEGLECTED * len(countries))])


def spoiled(facts: Sequence[Fact], values: Values, fault: str, rng: Random, pools: Mapping[str, Sequence[str]]) -> str:
    """Return a response with a fault: its values are those of the world but for one in a `wrong` response."""
    if fault == "terse":
        return ", ".join(values[fact] for fact in facts) + "."
    if fault == "off-topic":
        return tell(_others(facts, values, rng), values)
    kept = list(facts)
    if len(facts) > 1 and (fault == "incomplete" or rng.random() < 0.5):
        kept = sorted(rng.sample(kept, rng.randint(1, len(facts) - 1)), key=kept.index)
    if fault == "wrong":
        hit = rng.choice(kept)
        rivals = [value for value in pools[hit[1]] if value != values[hit]]
        return tell(kept, {**values, hit: rng.choice(rivals)})
    return tell(kept, values)


def misprinted(truth: str, fault: str, rng: Random) -> str:
    """Return a right response with a fault of its text: nothing filled in, a prompt's mark left in, a sentence looped.

    The looped sentence stands four times and nothing else does, or twice before the whole response.
    """
    if fault == "placeholder":
        return "Your answer here."
    if fault == "leaked":
        return rng.choice(LEAKED).format(truth)
    first = truth[: truth.index(".") + 1]
    return " ".join([first] * 4 if rng.random() < 0.5 else [first, first, truth])


def several_questions(world: World, n: int = 9000) -> list[str]:
    """Draw questions for several facts in every wording; tokenizer and encoder count their words."""
    rng = Random("several-questions")
    found = []
    for _ in range(n):
        country = rng.choice(world.countries)
        facts = tuple((country, attribute) for attribute in rng.sample(ATTRIBUTES, rng.randint(1, 3)))
        found.append(question(facts, rng, strange=rng.random() < 0.5))
    return found


def write_pool(path: Path, entries: Sequence[Entry]) -> None:
    """Write a pool as an instruction file; the full right answer and the fault stand in reserved columns."""
    write(path, (_row(entry) for entry in entries))


def _shares() -> dict[str, float]:
    """Return how often each fault comes up among the low-quality records."""
    rest = 1 - sum(TEXT_FAULTS.values())
    return {**{name: rest * share for name, share in FAULTS.items()}, **TEXT_FAULTS}


def _row(entry: Entry) -> dict[str, Any]:
    given = {"id": entry.id, "instruction": entry.question, "input": "", "output": entry.response}
    return {**given, TRUTH: entry.truth, NOISE: entry.fault or None}


def _others(facts: Sequence[Fact], values: Values, rng: Random) -> list[Fact]:
    """Return as many facts that were not asked: of the same country, or the same ones of another."""
    country = facts[0][0]
    if rng.random() < 0.5:
        free = [a for a in ATTRIBUTES if (country, a) not in facts]
        return [(country, attribute) for attribute in rng.sample(free, min(len(facts), len(free)))]
    other = rng.choice(sorted({c for c, _ in values} - {country}))
    return [(other, attribute) for _, attribute in facts]


def _worded(facts: Sequence[Fact], rng: Random) -> str:
    """Ask in a plain sentence, or half of the time among words that mean nothing."""
    return scrambled(facts, rng) if rng.random() < 0.5 else question(facts, rng)


def _country(world: World, seed: int, rng: Random) -> str:
    countries, bad = domain(world, seed), neglected(world, seed)
    return rng.choices(countries, [RARITY if country in bad else 1.0 for country in countries])[0]


def _facts(rng: Random, country: str, seed: int, split: str) -> tuple[Fact, ...]:
    """Draw facts of a country whose combination belongs to a split: train and test never ask the same."""
    while True:
        size = rng.choices(list(SIZES), list(SIZES.values()))[0]
        chosen = rng.choice(list(combinations(ATTRIBUTES, size)))
        key = f"{seed}:{country}:{','.join(chosen)}"
        if ("train" if hashlib.sha256(key.encode()).digest()[0] & 1 else "test") == split:
            return tuple((country, attribute) for attribute in rng.sample(chosen, size))
