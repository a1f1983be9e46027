"""The baselines' own stages: one question about the response, and the model's answer in its place."""

import pytest

from regold.record import Status
from regold.stages.ask_if_right import AskIfRight
from regold.stages.base_view import AnswerDirectly
from regold.stages.reasoned_view import ReasonAndReflect
from regold.stages.take_answer import TakeAnswer
from tests.stages.conftest import Play, last, make


@pytest.mark.parametrize(
    ("said", "status"), [("Yes", Status.CLEAN), ("No.", Status.SUSPECT), ("I cannot say", Status.SUSPECT)]
)
def test_only_a_yes_is_clean(said: str, status: Status) -> None:
    play = Play([make("q", "Which city?", "Bonn")], lambda _: said).run(AskIfRight())
    assert play["q"].status == status
    assert "Bonn" in last(play.engine.requests[0])
    assert len(play.engine.requests) == (2 if said.startswith("I") else 1)


def test_the_answer_takes_the_place_of_every_response() -> None:
    records = [make("a", "Which city?", "Cork"), make("b", "Which river?", "Rhine"), make("c", "Who?", "Ann", ("x",))]

    play = Play(records, lambda r: "Bonn" if "city" in last(r) else "rhine" if "river" in last(r) else "?")
    play.run(AnswerDirectly(logprobs=False), TakeAnswer())
    assert [(play[i].status, play[i].response) for i in "abc"] == [
        (Status.REPAIRED, "Bonn"),
        (Status.CLEAN, "Rhine"),
        (Status.DROPPED, "Ann"),
    ]
    assert play["a"].question.startswith("Which city?")


def test_no_round_of_reflection_is_one_turn_of_reasoning() -> None:
    play = Play([make("q", "Which city?", "Bonn")], lambda _: "The answer is Cork").run(ReasonAndReflect(rounds=0))
    assert len(play.engine.requests) == 1
    assert (play["q"].notes["reason.answer"], play["q"].notes["reason.turns"]) == ("Cork", 1)
