"""The whole recipe over a small world in which the truth is known."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from random import Random

import pytest

from regold.engines.base import Request
from regold.prompts import load_prompts
from regold.recipe import load_recipe
from regold.record import Record, Status
from regold.stages import STAGES, find_stages
from tests.stages.conftest import PLAIN, Play, last, make

TOWNS = ("Amsel", "Birk", "Conda", "Dorn")
TRUTH = {f"q{n:02d}": Random(n).choice("ABCD") for n in range(60)}


def _data() -> list[Record]:
    random = Random(7)
    wrong = set(random.sample(sorted(TRUTH), 18))
    return [
        make(
            i,
            f"Case {i}: which town of district {int(i[1:]) % 5}?",
            random.choice([c for c in "ABCD" if c != t]) if i in wrong else t,
            TOWNS,
        )
        for i, t in TRUTH.items()
    ]


def _model(request: Request) -> str:
    """Answer a third of the base questions wrong, reason well, review well."""
    id_ = next(
        i
        for i in TRUTH
        if f"Case {i}:" in last(request)
        or f"Case {i}:" in request.messages[-3 if len(request.messages) > 2 else 0].content
    )
    truth = TRUTH[id_]
    if "Which is right?" in last(request):
        place = next((n for n in "12" if f"\n{n}: {truth}\n" in last(request)), "0")
        return f"The answer is {place}."
    reasoned = last(request).endswith(("Think.", "Check that."))
    said = truth if reasoned or Random(id_).random() > 0.3 else "ABCD"[("ABCD".index(truth) + 1) % 4]
    return f"Case by case. The answer is {said}." if reasoned else said


def _run(order: int | None = None) -> Play:
    recipe = load_recipe("robustft", ["judge.ask=false"])
    return Play(_data(), _model, PLAIN).run(*recipe.stages, order=order)


def test_the_recipe_finds_repairs_and_selects() -> None:
    play = _run()
    statuses = {i: r.status for i, r in play.records.items()}
    given = {r.id: r.response for r in _data()}
    clean = [i for i, s in statuses.items() if s == Status.CLEAN]
    repaired = [i for i, s in statuses.items() if s == Status.REPAIRED]
    assert all(play[i].response == TRUTH[i] for i in [*clean, *repaired])
    assert all(play[i].response == given[i] for i in clean)
    assert all(play[i].response != given[i] for i in repaired)
    assert len(repaired) >= 5
    assert set(statuses.values()) == {Status.CLEAN, Status.REPAIRED, Status.DROPPED}


def test_order_of_work_changes_nothing() -> None:
    runs = [_run(order) for order in range(3)]
    assert all(run.records == runs[0].records for run in runs)
    assert all(list(run.records) == list(TRUTH) for run in runs)


def test_each_stage_declares_what_it_uses() -> None:
    for name, stage in STAGES.items():
        if any(f.default is MISSING and f.default_factory is MISSING for f in fields(stage)):  # type: ignore[arg-type]
            continue
        built = stage()
        assert stage.__name__ == name
        assert len(fields(built)) <= 5  # type: ignore[arg-type]
        rooms = {built.name, *(note.partition(".")[0] for note in built.reads)}
        assert {note.partition(".")[0] for note in built.writes} <= rooms
        assert all(prompt in load_prompts("default").texts for prompt in built.prompts)


def test_names_of_stages_are_those_of_recipes() -> None:
    assert [s.name for s in load_recipe("robustft").stages] == [
        "duplicates",
        "base",
        "reason",
        "judge",
        "embed",
        "relabel",
        "review",
        "select",
    ]
    assert set(STAGES) <= set(find_stages())


@pytest.mark.parametrize(
    "bad",
    [
        "judge.rule=most",
        "select.share=1.5",
        "relabel.k=-1",
        "reason.rounds=-1",
        "review.confidence=guess",
        "judge.views=[]",
    ],
)
def test_settings_are_checked_before_a_run(bad: str) -> None:
    from regold.errors import RecipeError

    with pytest.raises(RecipeError):
        load_recipe("robustft", [bad])


def test_the_paid_stages_say_what_they_spend() -> None:
    from regold.stage import Lengths

    lengths = Lengths(50, 80)
    spends = {s.name: s.spends(lengths) for s in load_recipe("robustft").stages}
    assert {name for name, spend in spends.items() if spend} == {"base", "reason", "judge", "relabel", "review"}
    assert sum(s.calls for s in spends["reason"]) == 2
    assert load_recipe("robustft", ["judge.ask=false"]).stages[3].spends(lengths) == ()
    assert replace(lengths, response=3) != lengths
    assert load_recipe("robustft").stages[3].spends(replace(lengths, response=3)) == ()
