"""The pool with planted faults: what is wrong is known, and training and held-out questions never ask the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from regold.formats import read_rows
from regold.lab.pool import FAULTS, held_out, neglected, pool, pool_world, spoiled, write_pool
from regold.lab.several import FRAMES_X, grouped, plainly, question, scrambled, tell, told

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
        else:
            assert any((e.question, e.response) == (entry.question, entry.response) for e in entries[: int(entry.id)])
    assert set(seen) == {"", *FAULTS}
    assert 0.25 < seen[""] / 600 < 0.45


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
    facts = grouped([("Navia", "capital"), ("Belland", "river"), ("Navia", "founder"), ("Navia", "capital")])
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
