"""Rewriting one to one: under the checklist only what is better stands, by feedback the last version does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from regold.record import Record, Status
from regold.stages.mend import MendRecords
from tests.stages.conftest import Play
from tests.stages.fusing import EMPTY, Model, weak

BAD = {**EMPTY, "sub_questions": [{"question": "Which river?", "answered": False}]}


def _picked(chosen: bool = True) -> Record:
    record = weak("a", "What is the capital of Ardenia? Which river runs through it?", "Bonnevar.")
    return replace(record, notes={"pick.chosen": chosen})


def _run(model: Model, **settings: Any) -> Play:
    return Play([_picked()], model).run(MendRecords(**settings))


def test_a_response_that_gets_better_is_kept() -> None:
    better = "Bonnevar; the river Tisel runs through it."
    play = _run(Model(check=[BAD, EMPTY], update={"response": better}))
    assert (play["a"].status, play["a"].response) == (Status.REPAIRED, better)
    assert play["a"].notes["mend.outcome"] == "mended"


def test_one_that_gets_no_better_keeps_its_fate_under_the_checklist_alone() -> None:
    worse = "The capital is Bonnevar."
    model = {"check": [BAD, BAD, BAD], "update": {"response": worse}}
    assert _run(Model(**model)).records["a"].status == Status.LOW
    refined = _run(Model(**model), how="feedback")
    assert (refined["a"].status, refined["a"].response) == (Status.REPAIRED, worse)


def test_a_record_without_faults_is_left_as_it_is() -> None:
    for how in ("checklist", "feedback"):
        play = _run(Model(check=EMPTY), how=how)
        assert (play["a"].status, play["a"].response) == (Status.LOW, "Bonnevar.")


def test_what_was_not_picked_is_not_asked_about() -> None:
    model = Model()
    play = Play([_picked(chosen=False)], model).run(MendRecords())
    assert model.asked == []
    assert play["a"].status == Status.LOW


def test_a_reply_that_cannot_be_read_ends_the_refining() -> None:
    play = _run(Model(check=BAD, update="no form at all"), how="feedback")
    assert (play["a"].status, play["a"].response) == (Status.LOW, "Bonnevar.")
