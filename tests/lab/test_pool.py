"""The pool with planted faults: what is wrong is known, and training and held-out questions never ask the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from regold.formats import read_rows
from regold.lab.arms import load_arms, recipe_of
from regold.lab.pool import FAULTS, TEXT_FAULTS, held_out, neglected, pool, pool_world, spoiled, write_pool
from regold.lab.several import FRAMES_X, grouped, plainly, question, scrambled, tell, told
from regold.methods.checks import FAMILIES, Exchange, Strictness, choose, examine
from regold.record import Message

WORLD = pool_world(0)


def test_a_pool_is_the_same_for_its_seed() -> None:
    assert pool(WORLD, 50, 1) == pool(WORLD, 50, 1)
    assert pool(WORLD, 50, 1) != pool(WORLD, 50, 2)
    assert pool(WORLD, 80, 1)[:50] == pool(WORLD, 50, 1)


def test_each_fault_is_what_it_says() -> None:
    seen: Counter[str] = Counter()
    entries = pool(WORLD, 600)
    for entry in entries:
        seen[entry.fault] += 1
        true, given = dict(told(entry.truth)), dict(told(entry.response))
        assert tuple(true) == entry.facts
        assert all(WORLD.values[fact] == value for fact, value in true.items())
        right = {fact for fact in given if true.get(fact) == given[fact]}
        if entry.fault == "":
            assert entry.response == entry.truth
        elif entry.fault == "terse":
            assert not given
            assert entry.response == ", ".join(true.values()) + "."
        elif entry.fault == "incomplete":
            assert right == set(given) < set(true)
            assert right
        elif entry.fault == "wrong":
            assert len(given) - len(right) == 1
            assert set(given) <= set(true)
        elif entry.fault == "off-topic":
            assert not set(given) & set(true)
            assert given
        elif entry.fault in TEXT_FAULTS:
            assert right == set(given)
        else:
            assert any((e.question, e.response) == (entry.question, entry.response) for e in entries[: int(entry.id)])
    assert set(seen) == {"", *FAULTS, *TEXT_FAULTS}
    assert 0.25 < seen[""] / 600 < 0.45
    low = 600 - seen[""] - seen["duplicate"]
    assert sum(seen[name] for name in TEXT_FAULTS) / low == pytest.approx(sum(TEXT_FAULTS.values()), abs=0.04)


def test_the_checks_find_the_faults_of_the_text_and_nothing_else() -> None:
    found: Counter[tuple[str, Strictness]] = Counter()
    planted: Counter[str] = Counter()
    for entry in pool(WORLD, 600):
        if entry.fault == "duplicate":
            continue
        planted[entry.fault] += 1
        exchange = Exchange.of((Message("user", entry.question), Message("assistant", entry.response)))
        for strictness in Strictness:
            found[entry.fault, strictness] += bool(examine(exchange, choose((), strictness)))
    assert {fault for fault, strictness in found if found[fault, strictness]} == set(TEXT_FAULTS)
    lenient, normal, strict = (sum(found[f, s] for f in TEXT_FAULTS) for s in Strictness)
    assert lenient < normal < strict
    assert strict > 0.85 * sum(planted[fault] for fault in TEXT_FAULTS)


@pytest.mark.parametrize(("family", "fault"), [("blank", "placeholder"), ("leak", "leaked"), ("loops", "looped")])
def test_a_family_left_out_of_the_arms_misses_its_fault(family: str, fault: str) -> None:
    arm = load_arms().arms[f"checks without {family}"]
    stage = next(s for s in recipe_of(arm, 9, 0).stages if s.name == "check")
    left = choose(stage.checks)  # type: ignore[attr-defined]
    assert {name for name, checks in FAMILIES.items() if not set(checks) & set(left)} <= {family}
    assert stage.checks == tuple(name for name in FAMILIES if name != family)  # type: ignore[attr-defined]
    entries = [e for e in pool(WORLD, 600) if e.fault == fault]
    for entry in entries:
        exchange = Exchange.of((Message("user", entry.question), Message("assistant", entry.response)))
        assert not examine(exchange, left)


def test_neglected_countries_have_few_and_mostly_bad_records() -> None:
    entries, bad = pool(WORLD, 600, 3), neglected(WORLD, 3)
    few = [e for e in entries if e.country in bad]
    assert all(e.neglected == (e.country in bad) for e in entries)
    assert len(few) < len(entries) / 4
    assert sum(not e.fault for e in few) / len(few) < 0.15


def test_held_out_questions_ask_for_other_combinations() -> None:
    entries, asked = pool(WORLD, 600, 4), held_out(WORLD, 300, 4)
    assert len({e.question for e in asked}) == 300
    assert not {(e.country, *sorted(e.facts)) for e in entries} & {(e.country, *sorted(e.facts)) for e in asked}
    assert {e.country for e in asked} >= {e.country for e in entries}


def test_the_file_keeps_truth_and_fault_where_no_stage_reads(tmp_path: Path) -> None:
    entries = pool(WORLD, 30)
    write_pool(tmp_path / "pool.jsonl", entries)
    rows = list(read_rows(tmp_path / "pool.jsonl"))
    assert [(r.id, r.truth, r.noise or "") for r in rows] == [(e.id, e.truth, e.fault) for e in entries]
    assert [r.messages[-1].content for r in rows] == [e.response for e in entries]


def test_facts_are_grouped_by_country_and_asked_in_one_sentence() -> None:
    facts = grouped([("Navia", "founder"), ("Belland", "river"), ("Navia", "capital"), ("Navia", "founder")])
    assert facts == (("Navia", "capital"), ("Navia", "founder"), ("Belland", "river"))
    assert plainly(facts) == "What are the capital and founder of Navia and the river of Belland?"
    assert plainly(facts[:1]) == "What is the capital of Navia?"
    assert told(tell(facts, dict.fromkeys(facts, "X"))) == [(fact, "X") for fact in facts]


def test_strange_wordings_are_never_shown_in_pre_training() -> None:
    rng, country = Random(0), WORLD.countries[0]
    facts = ((country, "capital"), (country, "river"))
    shown = {question(facts, rng) for _ in range(300)} | {scrambled(facts, rng) for _ in range(300)}
    strange = {question(facts, rng, strange=True) for _ in range(300)}
    assert len(strange) > len(FRAMES_X)
    assert not shown & strange


@pytest.mark.parametrize("fault", ["terse", "incomplete", "wrong", "off-topic"])
def test_a_spoiled_response_is_never_the_right_one(fault: str) -> None:
    rng = Random(1)
    facts = tuple((WORLD.countries[3], a) for a in ("capital", "river", "export"))
    for _ in range(50):
        assert spoiled(facts, WORLD.values, fault, rng, WORLD.pools) != tell(facts, WORLD.values)
