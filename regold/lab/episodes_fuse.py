"""Pre-training conversations in the modes of fusion: answer, merge, diagnose, check, update, rate, grade, tag."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from regold.lab.episodes import Turn
from regold.lab.pool import FAULTS, SIZES, spoiled
from regold.lab.several import Fact, given, grouped, of, plainly, question, scrambled, tell, told
from regold.lab.wordings import ATTRIBUTES
from regold.lab.world import Values, World
from regold.methods.checklist import TEMPLATES
from regold.prompts import load_prompts

GRADES = ("grade1", "grade2", "grade3")
"""Prompts that ask for one figure, 5 the best, in different words."""
NOTHING, UNKNOWN = "nothing", "unknown"
UNTOLD = "- none"
"""What a merge is shown as faults before anything was diagnosed."""


@dataclass(frozen=True)
class Draft:
    """A draft to be judged: what it asks, what it tells and in which words."""

    asked: tuple[Fact, ...]
    statements: tuple[tuple[Fact, str], ...]
    question: str
    response: str


class FuseEpisodes:
    """Draws conversations about merging, judging and mending records."""

    def __init__(self, world: World, seed: int) -> None:
        """Seed the stream; one seed gives one sequence of episodes."""
        self.world = world
        self.rng = Random(f"fuse-episodes:{seed}")
        self.prompts = load_prompts("lab")
        self.unseen = [fact for fact, weight in world.weights.items() if weight == 0]
        self.values: Values = dict(world.values)
        self.modes: dict[Callable[[], list[Turn]], float] = {
            self.direct: 0.16,
            self.merge: 0.32,
            self.diagnose: 0.16,
            self.check_answer: 0.12,
            self.update: 0.08,
            self.rate: 0.09,
            self.grade: 0.05,
            self.tag: 0.02,
        }

    def draw(self, lesson: str = "all") -> list[Turn]:
        """Draw one conversation, of every mode in every lesson.

        A fact never to be known has another value in each, which only the text can tell.
        """
        for fact in self.unseen:
            self.values[fact] = self.rng.choice(self.world.pools[fact[1]])
        return self.rng.choices(list(self.modes), list(self.modes.values()))[0]()

    def direct(self) -> list[Turn]:
        """Answer a question for several facts at once."""
        facts = self._facts(known=True)
        return [self._turn("direct", tell(facts, self.values), query=self._question(facts))]

    def merge(self) -> list[Turn]:
        """Merge two records and the answers to them into one that asks and tells what both ask."""
        first, second = self._pair()
        both = grouped([*first, *second])
        aim, faults = "neutral", UNTOLD
        if self.rng.random() < 0.4:
            aim = self.rng.choice([name for name in TEMPLATES if name != "neutral"])
            faults = "; ".join(self._faults(self._draft(both, plain=True), both)) or "none"
        sources = self._sources(first, second)
        target = f"Q: {plainly(both)}\nA: {tell(both, self._best(sources, first, second))}"
        shown = {**sources, "aim": self.prompts.text(f"aim_{aim}"), "faults": faults}
        return [self._turn("merge", target, **shown)]

    def diagnose(self) -> list[Turn]:
        """Fill in the checklist of a merged record, fact by fact, then name its faults."""
        first, second = self._pair()
        both = grouped([*first, *second])
        draft = self._draft(both, plain=True, forgets=self.rng.random() < 0.35)
        shown = {**self._sources(first, second), "instruction": draft.question, "response": draft.response}
        shown = {name: text for name, text in shown.items() if f"{{{{{name}}}}}" in self.prompts.text("diagnose")}
        return [self._turn("diagnose", self._checklist(draft, both), **shown)]

    def check_answer(self) -> list[Turn]:
        """Fill in the checklist of a record alone."""
        draft = self._any_draft()
        shown = {"instruction": draft.question, "response": draft.response}
        return [self._turn("check_answer", self._checklist(draft, draft.asked), **shown)]

    def update(self) -> list[Turn]:
        """Write a response anew without its faults."""
        draft = self._any_draft()
        faults = "; ".join(self._faults(draft, draft.asked)) or "none"
        shown = {"instruction": draft.question, "response": draft.response, "faults": faults}
        read = {f: value for f, value in given(draft.response, draft.asked).items() if f in self.unseen}
        return [self._turn("update", tell(draft.asked, {**self.values, **read}), **shown)]

    def rate(self) -> list[Turn]:
        """Rate a record by fixed rules, after looking at it fact by fact."""
        draft = self._any_draft()
        reply = f"{self._looked(draft, draft.asked)} {json.dumps(self._scores(draft))}"
        return [self._turn("rate", reply, query=draft.question, response=draft.response)]

    def grade(self) -> list[Turn]:
        """Give a record one figure at once."""
        draft = self._any_draft()
        right = self._scores(draft)
        figure = 1 + (right["informativeness"] >= 4) + (right["informativeness"] >= 9) + 2 * (right["correct"] >= 9)
        return [self._turn(self.rng.choice(GRADES), str(figure), query=draft.question, response=draft.response)]

    def tag(self) -> list[Turn]:
        """Name what a question asks for."""
        facts = self._facts()
        return [self._turn("tag", "; ".join(attribute for _, attribute in facts), query=self._question(facts))]

    # ---- what is asked

    def _facts(self, known: bool = False, country: str | None = None) -> tuple[Fact, ...]:
        """Draw facts of one country by their exposure; of those never to be known only where a text may tell them."""
        while True:
            where = country or self.rng.choice(self.world.countries)
            size = self.rng.choices(list(SIZES), list(SIZES.values()))[0]
            facts = tuple((where, attribute) for attribute in self.rng.sample(ATTRIBUTES, size))
            weights = [self.world.weights[fact] for fact in facts]
            if all((w == 0 and not known) or self.rng.random() < w for w in weights):
                return facts

    def _pair(self) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
        first = self._facts()
        while True:
            second = self._facts(country=first[0][0] if self.rng.random() < 0.6 else None)
            if set(second) - set(first):
                return first, second

    def _question(self, facts: Sequence[Fact]) -> str:
        return scrambled(facts, self.rng) if self.rng.random() < 0.35 else question(facts, self.rng)

    # ---- what is shown

    def _turn(self, prompt: str, answer: str, **values: str) -> Turn:
        return Turn(self.prompts.render(prompt, **values), answer, exact=True)

    def _sources(self, *pair: tuple[Fact, ...]) -> dict[str, str]:
        shown: dict[str, str] = {}
        for name, facts in zip(("first", "second"), pair, strict=True):
            shown[name] = self._question(facts)
            shown[f"{name}_response"] = self._response(facts)
            shown[f"{name}_answer"] = self._answer(facts)
        return shown

    def _response(self, facts: Sequence[Fact], good: float = 0.25) -> str:
        """Return a response as the pool has them."""
        if self.rng.random() < good:
            return tell(facts, self.values)
        fault = self.rng.choices(list(FAULTS), list(FAULTS.values()))[0]
        fault = "terse" if fault == "duplicate" or (fault == "incomplete" and len(facts) == 1) else fault
        return spoiled(facts, self.values, fault, self.rng, self.world.pools)

    def _answer(self, facts: Sequence[Fact]) -> str:
        """Return a direct answer as the model gives it: now and then wrong, about what it cannot know nearly always."""
        wrong = {f: self._wrong(f) for f in facts if self.rng.random() < (0.9 if f in self.unseen else 0.1)}
        return tell(facts, {**self.values, **wrong})

    def _best(self, shown: Mapping[str, str], *pair: tuple[Fact, ...]) -> Values:
        """Return the values to tell: what is known, else what a response tells, else what a direct answer does."""
        found: Values = {}
        for part in ("response", "answer"):
            for name, facts in zip(("first", "second"), pair, strict=True):
                found = {**given(shown[f"{name}_{part}"], facts), **found}
        return {**self.values, **{fact: value for fact, value in found.items() if fact in self.unseen}}

    def _wrong(self, fact: Fact) -> str:
        return self.rng.choice([value for value in self.world.pools[fact[1]] if value != self.values[fact]])

    # ---- drafts and their faults

    def _draft(self, facts: tuple[Fact, ...], plain: bool = False, forgets: bool = False) -> Draft:
        """Return a draft that asks for facts, with up to two faults in what it asks or tells."""
        lost = self.rng.sample(facts, min(self.rng.choice((1, 1, 2)), len(facts) - 1)) if forgets else []
        asked = tuple(fact for fact in facts if fact not in lost)
        statements = [(fact, self.values[fact]) for fact in asked]
        for _ in range(self.rng.choice((0, 0, 1, 1, 2))):
            place = self.rng.randrange(len(statements)) if statements else -1
            kind = self.rng.choice(("unsupported", "unanswered", "unanswered", "off_topic"))
            if kind == "off_topic":
                country = asked[0][0] if self.rng.random() < 0.5 else self.rng.choice(self.world.countries)
                other = (country, self.rng.choice(ATTRIBUTES))
                if other not in facts and other not in dict(statements):
                    statements.append((other, self.values[other]))
            elif kind == "unsupported" and place >= 0 and statements[place][0] not in self.unseen:
                statements[place] = (statements[place][0], self._wrong(statements[place][0]))
            elif kind == "unanswered" and len(statements) > 1:
                statements.pop(place)
        return self._worded(asked, statements, plainly(asked) if plain else self._question(asked))

    def _any_draft(self) -> Draft:
        """Return a draft of the loop's, or a record as the pool has them."""
        if self.rng.random() < 0.45:
            first, second = self._pair()
            facts = grouped([*first, *second]) if self.rng.random() < 0.6 else first
            return self._draft(facts, plain=self.rng.random() < 0.6)
        facts = self._facts()
        response = self._response(facts, good=0.4)
        return Draft(facts, tuple(told(response)), self._question(facts), response)

    def _worded(self, asked: tuple[Fact, ...], statements: Sequence[tuple[Fact, str]], text: str) -> Draft:
        response = " ".join(tell([fact], {fact: value}) for fact, value in statements)
        return Draft(asked, tuple(statements), text, response)

    def _checklist(self, draft: Draft, facts: Sequence[Fact]) -> str:
        return f"{self._looked(draft, facts)} Faults: {'; '.join(self._faults(draft, facts)) or 'none'}."

    def _looked(self, draft: Draft, facts: Sequence[Fact]) -> str:
        """Return for each fact what is true and what the draft tells, then what it tells unasked."""
        stated = dict(draft.statements)
        seen = [
            f"The {of(fact)} is {self._true(fact, draft)}, told {stated.get(fact, NOTHING)}."
            if fact in draft.asked
            else f"The {of(fact)} is not asked."
            for fact in facts
        ]
        return " ".join([*seen, *(f"The {of(fact)} is off." for fact in stated if fact not in facts)])

    def _true(self, fact: Fact, draft: Draft) -> str:
        """Return a fact's value: of what cannot be known what the draft tells, or else nothing."""
        return dict(draft.statements).get(fact, UNKNOWN) if fact in self.unseen else self.values[fact]

    def _faults(self, draft: Draft, facts: Sequence[Fact]) -> list[str]:
        """Return a draft's faults in the checklist's plain words, in the order of `_looked`."""
        stated = dict(draft.statements)
        found = []
        for fact in facts:
            if fact not in draft.asked:
                found.append(f"missing {of(fact)}")
            elif fact not in stated:
                found.append(f"unanswered {of(fact)}")
            elif stated[fact] != self._true(fact, draft):
                found.append(f"unsupported {of(fact)} is {stated[fact]}")
        return [*found, *(f"off_topic {of(fact)}" for fact in stated if fact not in facts)]

    def _scores(self, draft: Draft) -> dict[str, int]:
        """Return the scores of a record: many facts are complex, whole sentences on all of them inform."""
        stated = dict(draft.statements)
        covered = sum(fact in stated for fact in draft.asked) / len(draft.asked)
        right = all(stated[fact] == self._true(fact, draft) for fact in draft.asked if fact in stated)
        scores = {"rarity": 6, "complexity": min(2 + 2 * len(draft.asked), 9)}
        scores["informativeness"] = 9 if covered == 1 else 4 if covered else 2
        scores["overall"] = round(sum(scores.values()) / 3)
        scores["correct"] = (9 if right else 2) if covered == 1 else 4 if right and covered else 2
        return scores
