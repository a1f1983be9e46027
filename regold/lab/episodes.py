"""Pre-training conversations in every mode in which stages later talk to the lab model."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from regold.lab.names import ENDINGS, invent
from regold.lab.wordings import ATTRIBUTES, UNIQUE
from regold.lab.world import (
    LETTERS,
    Facts,
    Item,
    Values,
    World,
    ask,
    backward,
    forward,
    pools,
    with_options,
)
from regold.prompts import load_prompts

SET_SHARES = {"atlas-open": 0.50, "atlas-mc": 0.24, "ledger": 0.12, "wire": 0.05, "echo": 0.09}
"""`echo` asks to repeat a name: the quickest way to learn what options, candidates and checks mean."""

FROM_SIGHT = ("places", "letters", "checks")
"""Lessons that need no knowledge."""


@dataclass(frozen=True)
class Turn:
    """A user turn and the assistant's answer; `learn` says whether the answer is trained on."""

    user: str
    assistant: str
    learn: bool = True
    exact: bool = False
    """Whether the user's words must reach the model as they are."""


Mode = Callable[[Item], list[Turn]]


class Episodes:
    """Draws conversations about a world."""

    def __init__(self, world: World, seed: int) -> None:
        """Seed the stream; one seed gives one sequence of episodes."""
        self.world = world
        self.rng = Random(f"episodes:{seed}")
        self.prompts = load_prompts("lab")
        self.lessons: dict[str, dict[Mode, float]] = {
            "places": {self.place: 1.0},
            "letters": {self.place: 0.2, self.direct: 0.8},
            "checks": {self.place: 0.1, self.direct: 0.25, self.review: 0.25, self.check: 0.4},
            "all": {
                self.direct: 0.24,
                self.reason: 0.14,
                self.reflect: 0.07,
                self.context: 0.22,
                self.made_up: 0.14,
                self.review: 0.08,
                self.check: 0.08,
                self.rate: 0.02,
                self.place: 0.01,
            },
            "neighbours": {
                self.context: 0.40,
                self.reason: 0.28,
                self.reflect: 0.06,
                self.made_up: 0.08,
                self.direct: 0.06,
                self.review: 0.06,
                self.check: 0.05,
                self.rate: 0.01,
            },
        }

    def draw(self, lesson: str = "all") -> list[Turn]:
        """Draw one conversation; what the first three lessons ask stands in the question itself."""
        modes = self.lessons[lesson]
        mode = self.rng.choices(list(modes), list(modes.values()))[0]
        sets = {"echo": 1.0} if lesson in FROM_SIGHT else SET_SHARES
        return mode(self._item(self.rng.choices(list(sets), list(sets.values()))[0]))

    def direct(self, item: Item) -> list[Turn]:
        """Answer at once."""
        return [Turn(self.prompts.render("direct", query=item.query), item.answer)]

    def reason(self, item: Item) -> list[Turn]:
        """Recall step by step, then answer."""
        return [Turn(self.prompts.render("reason", query=item.query), item.reasoned)]

    def reflect(self, item: Item) -> list[Turn]:
        """Work the question again after an attempt that is right half of the time."""
        attempt = item.reasoned if self.rng.random() < 0.5 else self._wrong_attempt(item)
        asked = self.prompts.render("reason", query=item.query)
        return [Turn(asked, attempt, learn=False), Turn(self.prompts.text("reflect"), item.reasoned)]

    def context(self, item: Item) -> list[Turn]:
        """Answer after earlier turns, mostly about the same country."""
        shots = [self._beside(item) for _ in range(self.rng.randint(1, 4))]
        return [self._shot(shot) for shot in (*shots, item)]

    def made_up(self, item: Item) -> list[Turn]:
        """Answer from facts that stand only in earlier turns; what cannot be read there is not trained on."""
        facts = MadeUp(self.world, self.rng)
        finals = [ask(facts, self.rng, self.rng.choice(facts.countries))[0] for _ in range(self.rng.randint(1, 3))]
        told = [self._tell(facts, *hop) for hop in dict.fromkeys(hop for final in finals for hop in final.hops)]
        self.rng.shuffle(told)
        if item.options:
            told, finals = ([with_options(shot, self.rng) for shot in shots] for shots in (told, finals))
        return [*(replace(self._shot(shot), learn=False) for shot in told), *map(self._shot, finals)]

    def place(self, item: Item) -> list[Turn]:
        """Say which letter each of four names has, in any order: many look-ups in one turn."""
        names = self.rng.sample(self.world.names, 4)
        listed = "\n".join(f"{letter}. {name}" for letter, name in zip(LETTERS, names, strict=True))
        said = [f"{name} is {letter}." for letter, name in zip(LETTERS, names, strict=True)]
        return [Turn(listed, " ".join(self.rng.sample(said, 4)))]

    def review(self, item: Item) -> list[Turn]:
        """Choose between two candidates by working the question; 0 where neither is right."""
        candidates = self.rng.sample([item.answer, self._wrong(item), self._wrong(item)], 3)[:2]
        if item.answer not in candidates and self.rng.random() < 0.4:
            candidates[self.rng.randrange(2)] = item.answer
        verdict = candidates.index(item.answer) + 1 if item.answer in candidates else 0
        asked = self.prompts.render("review", query=item.query, first=candidates[0], second=candidates[1])
        return [Turn(asked, f"{item.steps} {item.answer} is {verdict}. The answer is {verdict}.")]

    def check(self, item: Item) -> list[Turn]:
        """Say whether a response is right."""
        right = self.rng.random() < 0.5
        response = item.answer if right else self._wrong(item)
        return [Turn(self.prompts.render("check", query=item.query, response=response), "Yes" if right else "No")]

    def rate(self, item: Item) -> list[Turn]:
        """Rate a record by fixed rules: hard kinds are complex, options inform more, only truth is correct."""
        right = self.rng.random() < 0.5
        response = item.answer if right else self._wrong(item)
        complexity = {"forward": 3, "backward": 4, "two-hop": 7, "ledger": 6, "wire": 5, "echo": 1}[item.kind]
        scores = {
            "rarity": 6 if item.hops else 4,
            "complexity": complexity,
            "informativeness": 7 if item.options else 5,
        }
        scores["overall"] = round(sum(scores.values()) / 3)
        scores["correct"] = 9 if right else 2
        return [Turn(self.prompts.render("rate", query=item.query, response=response), json.dumps(scores))]

    def _item(self, set_name: str, country: str | None = None) -> Item:
        return self._echo() if set_name == "echo" else self.world.draw(set_name, self.rng, country)

    def _echo(self) -> Item:
        names = self.rng.sample(self.world.names, 8)
        item = Item(f"Repeat {names[0]}.", (), names[0], names[0], tuple(names[1:]), "echo", f"{names[0]}.")
        return with_options(item, self.rng) if self.rng.random() < 0.5 else item

    def _shot(self, item: Item) -> Turn:
        return Turn(self.prompts.render("context", query=item.query), item.answer)

    def _beside(self, item: Item) -> Item:
        if not item.hops:
            return self._item(item.kind)
        country = item.topic if self.rng.random() < 0.75 else None
        return self._item("atlas-mc" if item.options else "atlas-open", country)

    def _tell(self, facts: Facts, country: str, attribute: str) -> Item:
        if attribute in UNIQUE and self.rng.random() < 0.4:
            return backward(facts, self.rng, country, attribute)
        return forward(facts, self.rng, country, attribute)

    def _wrong(self, item: Item) -> str:
        other = self.rng.choice(item.rivals)
        if item.options or not item.hops or self.rng.random() < 0.6:
            return other
        same = self.world.values[item.topic, self.rng.choice(ATTRIBUTES)]
        return other if same == item.answer else same

    def _wrong_attempt(self, item: Item) -> str:
        if not item.hops or self.rng.random() < 0.5:
            return self._beside(item).reasoned
        answer = self._wrong(replace(item, options=()))
        return item.reasoned.replace(item.answer, answer) if not item.options else self._beside(item).reasoned


class MadeUp:
    """A few countries whose facts hold in one episode only."""

    def __init__(self, world: World, rng: Random) -> None:
        """Mix invented names with true ones, and shuffle which value belongs to whom."""
        used: set[str] = set()
        real = rng.random() < 0.4
        self.countries = tuple(
            rng.sample(world.countries, 4) if real else [invent(rng, "country", used) for _ in range(4)]
        )
        self.values: Values = {}
        for attribute in ATTRIBUTES:
            values = rng.sample(world.pools[attribute], 4)
            if attribute in ENDINGS and rng.random() < 0.5:
                values = [invent(rng, attribute, used) for _ in range(4)]
            self.values.update({(c, attribute): v for c, v in zip(self.countries, values, strict=True)})
        self.pools = pools(self.values)
