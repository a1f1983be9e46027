"""The closed world in which every truth is known: eighty invented countries, sums in words, market news."""

import hashlib
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from regold.lab import puzzles
from regold.lab.names import ENDINGS, GOODS, invent
from regold.lab.wordings import (
    ATTRIBUTES,
    BACKWARD,
    BACKWARD_X,
    DESCRIBED,
    DESCRIBED_X,
    FORWARD,
    FORWARD_ANY,
    FORWARD_ANY_X,
    FORWARD_X,
    UNIQUE,
)

Values = dict[tuple[str, str], str]

SETS = ("atlas-open", "atlas-open-x", "atlas-mc", "atlas-mc-x", "ledger", "wire")
LETTERS = "ABCD"
COUNTRIES, DOMAIN = 80, 32
UNSEEN, RARE, RARE_WEIGHT = 0.13, 0.17, 0.1
KINDS, SHARES = ("forward", "backward", "two-hop"), (0.5, 0.2, 0.3)


@dataclass(frozen=True)
class Item:
    """One question with its true answer.

    `answer` and `rivals` (wrong answers of the same kind) are letters where there are `options`; `steps` is a worked
    solution in words; `hops` are the facts it needs.
    """

    question: str
    options: tuple[str, ...]
    answer: str
    topic: str
    rivals: tuple[str, ...]
    kind: str
    steps: str = ""
    hops: tuple[tuple[str, str], ...] = ()

    @property
    def query(self) -> str:
        """Return the question with its options listed, as format readers write it."""
        return "\n".join(
            [self.question, *(f"{letter}. {text}" for letter, text in zip(LETTERS, self.options, strict=False))]
        )

    @property
    def reasoned(self) -> str:
        """Return the worked solution with its answer statement."""
        return f"{self.steps} The answer is {self.answer}."


class World:
    """Atlas, Ledger and Wire, all drawn from one seed."""

    def __init__(self, seed: int = 0, unseen: float = UNSEEN) -> None:
        """Invent the countries and decide which facts pre-training never (weight 0) and rarely shows."""
        rng = Random(f"world:{seed}")
        used: set[str] = set()
        names = {kind: [invent(rng, kind, used) for _ in range(COUNTRIES)] for kind in ENDINGS}
        self.countries = tuple(names["country"])
        self.values: Values = {}
        for number, country in enumerate(self.countries):
            for attribute in UNIQUE:
                self.values[country, attribute] = names[attribute][number]
            self.values[country, "export"] = rng.choice(GOODS)
        self.weights = _exposure(rng, list(self.values), unseen)
        self.pools = pools(self.values)
        self.names = (*self.countries, *dict.fromkeys(self.values.values()))

    def items(self, set_name: str, n: int, seed: int = 0, split: str = "train") -> list[Item]:
        """Draw `n` distinct items about a seeded part of the world; the questions of its train and test never meet.

        Raises ValueError for an unknown set or split, and where the set holds fewer than `n` questions.
        """
        if set_name not in SETS or split not in ("train", "test"):
            raise ValueError(
                f"no set {set_name!r} with split {split!r}: sets are {', '.join(SETS)}, splits train and test"
            )
        rng = Random(f"{set_name}:{seed}:{split}")
        domain = Random(f"domain:{seed}").sample(self.countries, DOMAIN)
        found: dict[str, Item] = {}
        for _ in range(20 * n):
            item, key = self._draw(set_name, rng, rng.choice(domain))
            if _side(seed, key) == split:
                found.setdefault(item.question, item)
            if len(found) == n:
                return list(found.values())
        raise ValueError(f"set {set_name!r} holds only about {len(found)} {split} questions, {n} asked")

    def draw(self, set_name: str, rng: Random, country: str | None = None) -> Item:
        """Draw one item as pre-training meets it: facts by their exposure, never an unseen one."""
        while True:
            item, _ = self._draw(set_name, rng, country)
            if all(rng.random() < self.weights[hop] for hop in item.hops):
                return item

    def _draw(self, set_name: str, rng: Random, country: str | None = None) -> tuple[Item, str]:
        if not set_name.startswith("atlas"):
            puzzle = getattr(puzzles, set_name)(rng)
            return _from_puzzle(puzzle, set_name), puzzle.question
        item, key = ask(self, rng, country or rng.choice(self.countries), strange=set_name.endswith("-x"))
        return (with_options(item, rng) if "-mc" in set_name else item), key


class Facts(Protocol):
    """What a question is asked about: a world, or a handful of facts made up for one episode."""

    countries: tuple[str, ...]
    values: Values
    pools: dict[str, tuple[str, ...]]


def ask(world: Facts, rng: Random, country: str, strange: bool = False) -> tuple[Item, str]:
    """Ask something about a country; returns the item and a key that is the same for every wording of the question."""
    kind = rng.choices(KINDS, SHARES)[0]
    if kind == "backward":
        attribute = rng.choice(UNIQUE)
        return backward(world, rng, country, attribute, strange=strange), f"backward:{country}:{attribute}"
    attribute = rng.choice(ATTRIBUTES)
    via = rng.choice([a for a in UNIQUE if a != attribute]) if kind == "two-hop" else None
    return forward(world, rng, country, attribute, via, strange=strange), f"{kind}:{country}:{attribute}:{via}"


def forward(
    world: Facts, rng: Random, country: str, attribute: str, via: str | None = None, *, strange: bool = False
) -> Item:
    """Ask for a country's attribute; the country is named, or described by its attribute `via` (two hops)."""
    frames = FORWARD_X[attribute] + FORWARD_ANY_X if strange else FORWARD[attribute] + FORWARD_ANY
    value = world.values[country, attribute]
    subject, hops = country, [(country, attribute)]
    steps = f"{attribute} of {country}: {value}."
    if via:
        middle = world.values[country, via]
        subject = rng.choice(DESCRIBED_X if strange else DESCRIBED).format(a=via, v=middle)
        steps, hops = f"{middle}: {via} of {country}. {steps}", [(country, via), *hops]
    question = rng.choice(frames).format(a=attribute, c=subject)
    rivals = tuple(other for other in world.pools[attribute] if other != value)
    question, kind = question[0].upper() + question[1:], "two-hop" if via else "forward"
    return Item(question, (), value, country, rivals, kind, steps, tuple(hops))


def backward(world: Facts, rng: Random, country: str, attribute: str, *, strange: bool = False) -> Item:
    """Ask which country has a value."""
    value = world.values[country, attribute]
    question = rng.choice(BACKWARD_X if strange else BACKWARD).format(a=attribute, v=value)
    rivals = tuple(other for other in world.countries if other != country)
    steps = f"{value}: {attribute} of {country}."
    return Item(question, (), country, country, rivals, "backward", steps, ((country, attribute),))


def with_options(item: Item, rng: Random) -> Item:
    """Give an open item four options; its answer becomes a letter."""
    options = [item.answer, *rng.sample(item.rivals, 3)]
    rng.shuffle(options)
    letter = LETTERS[options.index(item.answer)]
    others = tuple(other for other in LETTERS if other != letter)
    steps = f"{item.steps} {item.answer} is {letter}."
    return replace(item, options=tuple(options), answer=letter, rivals=others, steps=steps)


def _from_puzzle(puzzle: puzzles.Puzzle, kind: str) -> Item:
    return Item(puzzle.question, (), puzzle.answer, puzzle.topic, puzzle.rivals, kind, puzzle.steps)


def _side(seed: int, key: str) -> str:
    return "train" if hashlib.sha256(f"{seed}:{key}".encode()).digest()[0] & 1 else "test"


def pools(values: Values) -> dict[str, tuple[str, ...]]:
    """Return the values that each attribute takes, without repeats."""
    return {a: tuple(dict.fromkeys(v for (_, other), v in values.items() if other == a)) for a in ATTRIBUTES}


def _exposure(rng: Random, facts: list[tuple[str, str]], share: float) -> dict[tuple[str, str], float]:
    shuffled = rng.sample(facts, len(facts))
    unseen, rare = round(share * len(facts)), round(RARE * len(facts))
    levels = [0.0] * unseen + [RARE_WEIGHT] * rare + [1.0] * (len(facts) - unseen - rare)
    return dict(zip(shuffled, levels, strict=True))
