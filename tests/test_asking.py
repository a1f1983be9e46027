from __future__ import annotations

from regold.asking import BEGINNING, asked, asked_again, conversation, in_context
from regold.engines.base import Completion, Request
from regold.record import Message, Record
from regold.store import Table
from tests.stages.conftest import PLAIN, Play, make


def _ctx(*records: Record):  # type: ignore[no-untyped-def]
    return Play(records, prompts=PLAIN).context(Table([], lambda _: []))


def test_a_conversation_of_one_turn_is_its_text_and_of_several_names_the_roles() -> None:
    assert conversation((Message("user", "Who?"),)) == "Who?"
    turns = (
        Message("system", "Be kind."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Who?"),
    )
    assert conversation(turns) == "[system]\nBe kind.\n\n[user]\nHi\n\n[assistant]\nHello\n\n[user]\nWho?"
    assert conversation(()) == ""


def test_asking_leaves_the_extras_of_the_wrapped_turn() -> None:
    record = Record("q", (Message("user", "Who?", {"name": "Ann"}), Message("assistant", "Me")))
    (turn,) = asked(_ctx(record), "reason", record)
    assert turn == Message("user", "Who?\nThink.", {"name": "Ann"})


def test_shots_are_question_and_response_only() -> None:
    shot = Record(
        "s",
        (
            Message("system", "Obey."),
            Message("user", "Old"),
            Message("assistant", "x"),
            Message("user", "Near?"),
            Message("assistant", "Yes"),
        ),
    )
    messages = in_context(_ctx(), "context", make("q", "Far?", "No"), [shot])
    assert [(m.role, m.content) for m in messages] == [("user", "Near?"), ("assistant", "Yes"), ("user", "Far?")]


def test_a_cut_reply_does_not_fill_the_window_of_its_repair_turn() -> None:
    request = Request((Message("user", "Merge."),))
    whole, cut = (asked_again(request, Completion("x" * 900, finish=end), "Again.") for end in ("stop", "length"))
    assert [m.content for m in whole.messages] == ["Merge.", "x" * 900, "Again."]
    assert [m.content for m in cut.messages] == ["Merge.", "x" * BEGINNING + " ...", "Again."]
