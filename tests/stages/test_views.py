from __future__ import annotations

import pytest

from regold.engines.base import Completion, Request
from regold.record import Message, Record
from regold.stages.base_view import AnswerDirectly
from regold.stages.reasoned_view import ReasonAndReflect
from tests.stages.conftest import Play, last, make

CITY = make("q1", "Which is a city?", "A", ("ant", "Bonn"))


def test_the_base_view_asks_the_question_and_never_shows_the_given_response() -> None:
    secret = make("q1", "Who rules?", "Zebulon")
    play = Play([secret], lambda _: "Maribel").run(AnswerDirectly())
    (request,) = play.engine.requests
    assert "Who rules?" in last(request)
    assert all("Zebulon" not in m.content for m in request.messages)
    assert (request.temperature, request.logprobs) == (0.0, True)
    assert play["q1"].notes == {"base.text": "Maribel", "base.answer": "Maribel", "base.mean_nll": pytest.approx(0.7)}
    assert play.edits["q1"].status is None


def test_a_base_view_that_is_cut_off_is_no_answer() -> None:
    play = Play([CITY], lambda _: Completion("The answer is B", finish="length")).run(AnswerDirectly(logprobs=False))
    assert play.edits["q1"].notes == {"base.text": "The answer is B", "base.answer": None, "base.mean_nll": None}


def test_system_and_earlier_turns_stay_as_given() -> None:
    turns = (
        Message("system", "Be kind."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Who?"),
        Message("assistant", "Me"),
    )
    play = Play([Record("q", turns)], lambda _: "You").run(AnswerDirectly())
    (request,) = play.engine.requests
    assert request.messages[:3] == turns[:3]
    assert request.messages[3].role == "user"
    assert request.messages[3].content.startswith("Who?\n")
    assert len(request.messages) == 4


def test_a_tool_turn_after_the_question_stays_behind_it() -> None:
    turns = (
        Message("user", "Time?"),
        Message("assistant", "", {"tool_calls": [1]}),
        Message("tool", "noon"),
        Message("assistant", "Noon"),
    )
    play = Play([Record("q", turns)], lambda _: "Noon").run(AnswerDirectly())
    (request,) = play.engine.requests
    assert request.messages[1:] == turns[1:3]


def test_a_query_without_a_user_turn_is_asked_all_the_same() -> None:
    play = Play([Record("q", (Message("assistant", "Hello"),))], lambda _: "Hello").run(
        AnswerDirectly(), ReasonAndReflect()
    )
    assert [m.role for m in play.engine.requests[0].messages] == ["user"]


def test_reason_then_reflect_and_the_last_word_counts() -> None:
    play = Play([CITY], lambda r: "Ants. The answer is A." if len(r.messages) == 1 else "No: Bonn. The answer is B.")
    notes = play.run(ReasonAndReflect())["q1"].notes
    first, second = play.engine.requests
    assert [m.role for m in second.messages] == ["user", "assistant", "user"]
    assert second.messages[0] == first.messages[0]
    assert second.messages[2].content == play.prompts.text("reflect")
    assert notes["reason.answer"] == "B"
    assert notes["reason.text"] == "No: Bonn. The answer is B."
    assert notes["reason.turns"] == 2
    assert notes["reason.transcript"] == ["Ants. The answer is A.", "No: Bonn. The answer is B."]


@pytest.mark.parametrize(("changes", "turns"), [(0, 2), (1, 3), (2, 4), (9, 8)])
def test_it_stops_once_two_turns_agree(changes: int, turns: int) -> None:
    def answer(request: Request) -> str:
        turn = len(request.messages) // 2
        return f"The answer is {'AB'[min(turn, changes) % 2]}."

    play = Play([CITY], answer).run(ReasonAndReflect(rounds=4))
    assert play["q1"].notes["reason.turns"] == turns == len(play.engine.requests)
    assert len(play.engine.requests[-1].messages) == 2 * turns - 1


def test_a_reflection_that_names_no_answer_leaves_the_one_before() -> None:
    play = Play(
        [make("q1", "Who?", "Zed")], lambda r: "The answer is Maribel." if len(r.messages) == 1 else "Looks right."
    )
    assert play.run(ReasonAndReflect())["q1"].notes["reason.answer"] == "Maribel"


def test_a_reflection_that_is_cut_off_leaves_no_answer() -> None:
    cut = Completion("Let me see: the answer is B", finish="length")
    play = Play([CITY], lambda r: "The answer is A." if len(r.messages) == 1 else cut).run(ReasonAndReflect())
    assert play.edits["q1"].notes["reason.answer"] is None
