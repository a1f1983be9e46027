from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest

from regold.engines.base import Completion, Request
from regold.record import Record, Status
from regold.stages.review import ReviewCandidates
from tests.stages.conftest import PLAIN, Play, last, make


def _with(record: Record, **notes: Any) -> Record:
    return replace(record, notes={**record.notes, **{k.replace("__", "."): v for k, v in notes.items()}})


def _suspect(record: Record) -> dict[str, Any]:
    return {"status": record.status, "notes": record.notes}


def _votes_for(answer: str) -> Any:
    """Return a reviewer that prefers one answer, wherever it stands; 0 where it does not stand."""

    def reply(request: Request) -> str:
        found = re.search(rf"<candidate (\d) (\w+)>\n{re.escape(answer)}\n", request.messages[0].content)
        mark = re.search(r"<task (\w+)>", request.messages[0].content)
        return json.dumps({"why": "so", "mark": mark and mark[1], "verdict": found[1] if found else "0"})

    return reply


def test_answers_that_agree_win_without_a_call(suspect: Record) -> None:
    play = Play([_with(suspect, reason__answer="B")]).run(ReviewCandidates())
    assert play.engine.requests == []
    assert play.engine.scored == []
    assert play["q1"].response == "B"
    assert play.edits["q1"].status == Status.REPAIRED
    assert play.edits["q1"].notes == {
        "review.verdict": "same",
        "review.answer": "B",
        "review.mean_nll": 0.1,
        "review.changed": True,
    }


def test_the_context_answer_keeps_its_own_nll(suspect: Record) -> None:
    play = Play([suspect], _votes_for("B")).run(ReviewCandidates())
    assert play["q1"].notes["review.verdict"] == "context"
    assert play["q1"].notes["review.mean_nll"] == 0.1
    assert play.engine.scored == []


def test_the_reasoned_answer_is_scored_in_context(suspect: Record) -> None:
    shot = make("n1", "Which is near?", "A", ("Bonn", "bee"), status=Status.CLEAN)
    play = Play([shot, _with(suspect, relabel__neighbours=["n1"])], _votes_for("C")).run(ReviewCandidates())
    assert play["q1"].response == "C"
    assert play["q1"].notes["review.verdict"] == "reasoned"
    assert play["q1"].notes["review.mean_nll"] == 2.5
    ((prompt, response),) = play.engine.scored
    assert response == "C"
    assert [m.role for m in prompt] == ["user", "assistant", "user"]
    assert prompt[1].content == "A"


def test_a_label_in_another_style_is_scored_as_it_will_be_trained_on(suspect: Record) -> None:
    given = replace(suspect, messages=suspect.answered("(A) ant"))
    play = Play([given], _votes_for("B")).run(ReviewCandidates())
    assert play["q1"].response == "(B) Bonn"
    assert play.engine.scored[0][1] == "(B) Bonn"
    assert play["q1"].notes["review.mean_nll"] == 2.5


def test_a_confirmed_response_stays_word_for_word(suspect: Record) -> None:
    given = replace(suspect, messages=suspect.answered("**b)** Bonn!"))
    edit = Play([given], _votes_for("B")).run(ReviewCandidates()).edits["q1"]
    assert edit.messages is None
    assert edit.notes["review.changed"] is False
    assert edit.reason.endswith("the given response is confirmed")


@pytest.mark.parametrize(
    ("reply", "verdict", "calls"),
    [
        ({"verdict": "0"}, "neither", 1),
        ({"verdict": "3"}, "unread", 2),
        ("I prefer the first.", "unread", 2),
        ({"verdict": "1", "finish": "length"}, "unread", 2),
    ],
)
def test_abstentions_leave_the_record_suspect(suspect: Record, reply: Any, verdict: str, calls: int) -> None:
    def answer(request: Request) -> Any:
        mark = re.search(r"<task (\w+)>", request.messages[0].content)
        if not isinstance(reply, dict):
            return reply
        said = json.dumps({"mark": mark and mark[1], "verdict": reply["verdict"]})
        return Completion(said, finish=reply.get("finish", "stop"))

    play = Play([suspect], answer).run(ReviewCandidates())
    assert len(play.engine.requests) == calls
    assert play["q1"].status == Status.SUSPECT
    assert play["q1"].response == "A"
    assert play.edits["q1"].notes == {"review.verdict": verdict}
    assert play.edits["q1"].reason


def test_a_lone_candidate_must_pass_the_review(suspect: Record) -> None:
    lone = _with(suspect, relabel__answer=None, relabel__text="Hm, hard")
    assert Play([lone], _votes_for("C")).run(ReviewCandidates())["q1"].response == "C"
    refused = Play([lone], _votes_for("(no answer)")).run(ReviewCandidates())
    assert refused["q1"].status == Status.SUSPECT
    assert refused["q1"].notes["review.verdict"] == "neither"
    assert "Hm, hard" not in last(refused.engine.requests[0])


def test_no_candidate_no_call(suspect: Record) -> None:
    play = Play([_with(suspect, relabel__answer=None, reason__answer=None)]).run(ReviewCandidates())
    assert play.engine.requests == []
    assert play["q1"].notes["review.verdict"] == "empty"


def test_order_is_random_by_question_but_the_same_each_time(suspect: Record) -> None:
    records = [replace(make(f"q{n}", f"Which of {n}?", "A", suspect.options), **_suspect(suspect)) for n in range(200)]
    runs = [Play(records, _votes_for("B")).run(ReviewCandidates(), order=n) for n in range(2)]
    first = [
        {r.messages[0].content.index("\nB\n") < r.messages[0].content.index("\nC\n") for r in run.engine.requests}
        for run in runs
    ]
    assert first == [{True, False}, {True, False}]
    assert runs[0].records == runs[1].records
    ahead = sum(m.index("\nB\n") < m.index("\nC\n") for m in (last(r) for r in runs[0].engine.requests))
    assert 70 < ahead < 130
    assert all(r.response == "B" for r in runs[0].records.values())


def test_a_record_that_moved_is_asked_in_the_same_order(suspect: Record) -> None:
    moved = [replace(suspect, id=f"q{n}") for n in range(20)]
    play = Play(moved, _votes_for("B")).run(ReviewCandidates())
    assert len({last(r) for r in play.engine.requests}) == 1


def test_both_rationales_are_shown_and_the_given_response_is_not(suspect: Record) -> None:
    given = replace(suspect, messages=suspect.answered("A because of zebras"))
    play = Play(
        [_with(given, relabel__text="Bonn it is. The answer is B.", reason__text="Cork, surely.\nC")], _votes_for("B")
    )
    shown = last(play.run(ReviewCandidates()).engine.requests[0])
    assert "Bonn it is." in shown
    assert "Cork, surely." in shown
    assert "zebras" not in shown


def test_an_explained_response_is_replaced_whole(suspect: Record) -> None:
    given = replace(suspect, messages=suspect.answered("Ants live in cities, so the answer is A."))
    play = Play([_with(given, reason__text="Cork is a city. The answer is C.")], _votes_for("C")).run(
        ReviewCandidates()
    )
    assert play["q1"].response == "Cork is a city. The answer is C."
    assert play["q1"].notes["review.answer"] == "C"


def test_free_text_trains_on_the_answer_part() -> None:
    long, better = (
        "Rome is in Spain. It is an old city there on a river.",
        "Rome is in Italy. It lies on the Tiber and is very old.",
    )
    notes = {
        "relabel.text": "A city in Italy, that is what it is.",
        "relabel.answer": "A city in Italy, that is what it is.",
        "relabel.mean_nll": 0.2,
    }
    notes |= {"relabel.neighbours": [], "reason.text": f"Think.\nFinal answer: {better}", "reason.answer": better}
    play = Play([make("q1", "Where is Rome?", long, status=Status.SUSPECT, notes=notes)], _votes_for(better)).run(
        ReviewCandidates()
    )
    assert play["q1"].response == better
    assert play.engine.scored[0][1] == better


def test_plain_prompts_are_answered_in_words(suspect: Record) -> None:
    def answer(request: Request) -> str:
        return f"Bonn is B. The answer is {'1' if '1: B' in last(request) else '2'}."

    play = Play([suspect], answer, PLAIN).run(ReviewCandidates())
    assert play["q1"].response == "B"
    assert play.engine.requests[0].schema is None


def test_votes_in_place_of_scores(suspect: Record) -> None:
    review = _votes_for("C")

    def answer(request: Request) -> str:
        return review(request) if request.temperature == 0 else "CCCBB"[request.sample]

    stage = ReviewCandidates(confidence="votes", votes=5)
    play = Play([suspect], answer).run(stage)
    assert play["q1"].notes["review.mean_nll"] == pytest.approx(-math.log(3.5 / 6))
    assert play.engine.scored == []
    assert sorted(r.sample for r in play.engine.requests if r.temperature) == [0, 1, 2, 3, 4]
    assert "score" not in {str(n) for n in stage.needs["student"]}


@pytest.mark.parametrize(("choose", "response"), [("context", "B"), ("reasoned", "C")])
def test_without_a_reviewer_one_view_is_taken(suspect: Record, choose: Any, response: str) -> None:
    play = Play([suspect]).run(ReviewCandidates(choose=choose))
    assert play.engine.requests == []
    assert play["q1"].response == response
    assert play["q1"].notes["review.verdict"] == choose
    none = _with(suspect, relabel__answer=None, reason__answer=None)
    assert Play([none]).run(ReviewCandidates(choose=choose))["q1"].notes["review.verdict"] == "empty"


def test_without_a_reviewer_the_reasoned_view_need_not_exist() -> None:
    stage = ReviewCandidates(choose="context")
    assert not any(note.startswith("reason.") for note in stage.reads)
    assert stage.prompts == ("context",)
