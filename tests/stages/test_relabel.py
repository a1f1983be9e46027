from __future__ import annotations

import pytest

from regold.engines.base import Completion
from regold.record import Message, Record, Status
from regold.stages.embed import EmbedQueries
from regold.stages.relabel import RelabelWithNeighbours
from tests.stages.conftest import Play, last, make

RIVERS = [
    make("r1", "river of Orla in spring", "Elna", status=Status.CLEAN),
    make("r2", "river of Orla in deep winter", "Elna", status=Status.CLEAN),
    make("r3", "founder of Tand", "Ulf", status=Status.CLEAN),
    make("r4", "river of Orla in summer", "Wrong", status=Status.SUSPECT),
    make("r5", "river of Orla", "Poison", status=Status.SUSPECT),
    make("r6", "river of Orla  in summer", "Elna", status=Status.CLEAN),
]


def test_the_nearest_clean_pairs_come_first_as_turns_nearest_last() -> None:
    play = Play(RIVERS, lambda _: "Elna").run(EmbedQueries(), RelabelWithNeighbours(k=2))
    notes = play["r5"].notes
    assert notes["relabel.neighbours"] == ["r6", "r1"] or notes["relabel.neighbours"] == ["r1", "r6"]
    similarities = notes["relabel.similarities"]
    assert similarities == sorted(similarities)  # type: ignore[arg-type]
    request = next(r for r in play.engine.requests if last(r).startswith("river of Orla") and "summer" not in last(r))
    assert [m.role for m in request.messages] == ["user", "assistant"] * 2 + ["user"]
    assert {m.content for m in request.messages if m.role == "assistant"} == {"Elna"}
    assert notes["relabel.answer"] == "Elna"
    assert notes["relabel.mean_nll"] == pytest.approx(0.7)
    assert play["r5"].status == Status.SUSPECT


def test_the_nearest_shot_stands_next_to_the_question() -> None:
    clean = [
        make("far", "a", "1", status=Status.CLEAN, notes={"embed.vector": [0.6, 0.8]}),
        make("near", "b", "2", status=Status.CLEAN, notes={"embed.vector": [0.8, 0.6]}),
        make("off", "c", "3", status=Status.CLEAN, notes={"embed.vector": [-1.0, 0.0]}),
    ]
    suspect = make("s", "d", "4", status=Status.SUSPECT, notes={"embed.vector": [1.0, 0.0]})
    play = Play([*clean, suspect], lambda _: "5").run(RelabelWithNeighbours(k=2))
    assert play["s"].notes["relabel.neighbours"] == ["far", "near"]
    assert play["s"].notes["relabel.similarities"] == pytest.approx([0.6, 0.8])
    assert [m.content for m in play.engine.requests[0].messages] == ["a", "1", "b", "2", "d"]


def test_suspect_responses_are_never_shown_and_duplicates_never_neighbours() -> None:
    play = Play(RIVERS, lambda _: "Elna").run(EmbedQueries(), RelabelWithNeighbours(k=9))
    shown = [m.content for r in play.engine.requests for m in r.messages]
    assert not {"Wrong", "Poison"} & set(shown)
    assert "r6" not in play["r4"].notes["relabel.neighbours"]  # type: ignore[operator]
    assert len(play["r5"].notes["relabel.neighbours"]) == 4  # type: ignore[arg-type]


def test_without_clean_records_there_is_no_context() -> None:
    suspects = [r for r in RIVERS if r.status == Status.SUSPECT]
    play = Play(suspects, lambda _: "Elna").run(EmbedQueries(), RelabelWithNeighbours())
    assert all(len(r.messages) == 1 for r in play.engine.requests)
    assert play["r4"].notes["relabel.neighbours"] == []
    assert play["r4"].notes["relabel.answer"] == "Elna"


def test_system_turns_stay_in_front_of_the_shots() -> None:
    turns = (Message("system", "Be brief."), Message("user", "river of Orla now"), Message("assistant", "?"))
    play = Play([*RIVERS[:2], Record("s", turns, status=Status.SUSPECT)], lambda _: "Elna")
    play.run(EmbedQueries(), RelabelWithNeighbours(k=2))
    (request,) = play.engine.requests
    assert [m.role for m in request.messages] == ["system", "user", "assistant", "user", "assistant", "user"]


def test_order_of_work_does_not_matter() -> None:
    runs = [Play(RIVERS, last).run(EmbedQueries(), RelabelWithNeighbours(), order=n) for n in range(4)]
    assert all(run.records == runs[0].records for run in runs)


def test_an_answer_cut_off_is_none() -> None:
    play = Play(RIVERS, lambda _: Completion("Elna", finish="length")).run(EmbedQueries(), RelabelWithNeighbours())
    assert play.edits["r5"].notes["relabel.answer"] is None
