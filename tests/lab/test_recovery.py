"""Facts before and after a fusion, counted on records whose truth is known."""

from __future__ import annotations

from regold.lab.pool import Entry, pool_world
from regold.lab.recovery import Made, recovery
from regold.lab.several import Fact, tell

WORLD = pool_world(0)
COUNTRY = next(c for c in WORLD.countries if WORLD.weights[c, "river"] == 0)
OTHERS = [a for a in ("capital", "river", "currency", "language") if WORLD.weights[COUNTRY, a] > 0]
CAPITAL, CURRENCY = ((COUNTRY, attribute) for attribute in OTHERS[:2])
RIVER: Fact = (COUNTRY, "river")


def _entry(response: str, *facts: Fact) -> Entry:
    return Entry("e", "?", facts, tell(facts, WORLD.values), response)


def test_facts_are_counted_before_and_after() -> None:
    wrong = {**WORLD.values, CURRENCY: "Nothing"}
    first = _entry(f"{WORLD.values[CAPITAL]}, Nothing.", CAPITAL, CURRENCY)
    second = _entry("", RIVER)
    fused = Made((first, second), tell([CURRENCY, RIVER], {**WORLD.values, RIVER: "Guess"}))
    found = recovery([fused, Made((_entry(tell([CURRENCY], wrong), CURRENCY),), "None.")], WORLD)
    assert found == {
        "records": 2,
        "asked": 4,
        "right_before": 1,
        "right_after": 1,
        "lost": 3,
        "recovered": 1,
        "unknown": 1,
        "unknown_recovered": 0,
        "kept": 0,
        "told_before": 3,
        "true_before": 1,
        "told_after": 3,
        "true_after": 1,
    }


def test_nothing_made_counts_nothing() -> None:
    assert recovery([], WORLD) == {}
