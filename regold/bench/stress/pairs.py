"""Pairs of answers to one question that say the same in two forms, or do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from regold.bench.stress.lab import SET
from regold.lab.world import World

SENTENCES = (
    "The {a} of {c} is {v}.",
    "It is {v}, which is the {a} of {c}.",
    "{c} has {v} as its {a}, as far as is known.",
    "In {c}, the {a} goes by the name of {v}.",
    "{v} serves as the {a} in all of {c}.",
)
NUMBERS = ("{n}", "{n}.0", "The sum comes to {n} in all.", "{n} pieces", "That makes {n}.")


@dataclass(frozen=True)
class Pair:
    """Two answers to one question, and whether they say the same."""

    kind: str
    query: str
    first: str
    second: str
    same: bool


def pairs(items: int, seed: int) -> list[Pair]:
    """Return pairs of answers that say the same in two forms and, one for each, pairs that do not.

    Whether an answer is right, and whether it stands first, tells nothing of whether the two say the same.
    """
    rng, world = Random(f"forms:{seed}"), World()
    found: list[Pair] = []
    for item in world.items(SET, items, seed, "train"):
        country, attribute = item.hops[-1]
        about = {"a": attribute, "c": country}
        right = world.values[item.hops[-1]]
        wrong = _other(world, attribute, right, rng)
        for values in ([rng.choice((right, wrong))] * 2, rng.sample((right, wrong), 2)):
            one, other = (form.format(v=v, **about) for form, v in zip(rng.sample(SENTENCES, 2), values, strict=True))
            found.append(Pair("sentence", item.query, one, other, values[0] == values[1]))
        listed = [world.values[country, a] for a in ("capital", "river", "currency", "language")]
        changed = [_other(world, "capital", listed[0], rng), *listed[1:]]
        query = f"Name the capital, river, currency and language of {country}."
        for lists in ([rng.choice((listed, changed))] * 2, rng.sample((listed, changed), 2)):
            one, other = (_listed(each, rng) for each in lists)
            found.append(Pair("list in any order", query, one, other, lists[0] == lists[1]))
        number = rng.randint(11, 98)
        for total, same in ((number, True), (number + rng.choice((-10, -1, 1, 10)), False)):
            one, other = rng.sample(NUMBERS, 2)
            found.append(Pair("number", "What is the sum?", one.format(n=number), other.format(n=total), same))
    return found


def _other(world: World, attribute: str, value: str, rng: Random) -> str:
    return rng.choice([v for v in world.pools[attribute] if v != value])


def _listed(values: Sequence[str], rng: Random) -> str:
    some = rng.sample(list(values), len(values))
    return f"They are {', '.join(some[:-1])} and {some[-1]}."
