"""What fusing and mending make of planted faults: which facts the parents told right, and which the product does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from regold.lab.pool import Entry
from regold.lab.several import Fact, given
from regold.lab.world import World


@dataclass(frozen=True)
class Made:
    """A fused or mended response with the records that it was made of."""

    parents: tuple[Entry, ...]
    response: str


def recovery(made: Iterable[Made], world: World) -> dict[str, int]:
    """Count the facts that the parents ask for, by whether they are told right before and after.

    `asked` = `right_before` + `lost`; of these `kept` and `recovered` are right after. `unknown` are lost facts that
    pre-training never told, so that only a guess recovers them. `told_*` and `true_*` count the facts told, asked
    or not. A fact that any parent tells right is right before.
    """
    found: Counter[str] = Counter()
    for one in made:
        found.update(_counted(one, world))
    return dict(found)


def _counted(one: Made, world: World) -> Counter[str]:
    asked = list(dict.fromkeys(fact for parent in one.parents for fact in parent.facts))
    before = [item for parent in one.parents for item in given(parent.response, parent.facts).items()]
    after = list(given(one.response, asked).items())
    was, now = ({fact for fact, value in told if world.values.get(fact) == value} for told in (before, after))
    lost = [fact for fact in asked if fact not in was]
    return Counter(
        records=1,
        asked=len(asked),
        right_before=len(asked) - len(lost),
        right_after=sum(fact in now for fact in asked),
        lost=len(lost),
        recovered=sum(fact in now for fact in lost),
        unknown=sum(world.weights[fact] == 0 for fact in lost),
        unknown_recovered=sum(world.weights[fact] == 0 and fact in now for fact in lost),
        kept=sum(fact in now for fact in asked if fact in was),
        told_before=len(before),
        true_before=_true(before, world.values),
        told_after=len(after),
        true_after=_true(after, world.values),
    )


def _true(told: Iterable[tuple[Fact, str]], values: Mapping[Fact, str]) -> int:
    return sum(values.get(fact) == value for fact, value in told)
