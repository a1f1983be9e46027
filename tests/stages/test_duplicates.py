from __future__ import annotations

from dataclasses import replace

from regold.record import Message, Record, Status
from regold.stages.duplicates import DropDuplicates
from tests.stages.conftest import Play, make


def test_the_first_by_load_order_stays() -> None:
    records = [make("c", "Who?", "Me"), make("a", "Who? ", " Me\n"), make("b", "Who?", "You"), make("d", "Who?", "Me")]
    play = Play(records).run(DropDuplicates(), order=3)
    assert play.artifact == {"a": "c", "d": "c"}
    assert [play[i].status for i in "cabd"] == [Status.NEW, Status.DROPPED, Status.NEW, Status.DROPPED]
    assert play.edits["d"].reason == "exact duplicate of c"


def test_options_system_turns_and_extras_tell_records_apart() -> None:
    one = make("a", "Who?", "Me")
    with_system = replace(one, id="b", messages=(Message("system", "S"), *one.messages))
    with_options = replace(one, id="c", options=("x", "y"))
    with_extra = replace(one, id="d", messages=(one.messages[0], Message("assistant", "Me", {"tool_calls": [1]})))
    play = Play([one, with_system, with_options, with_extra]).run(DropDuplicates())
    assert {r.status for r in play.records.values()} == {Status.NEW}


def test_only_new_records_count() -> None:
    dropped = make("a", "Who?", "Me", status=Status.DROPPED)
    play = Play([dropped, make("b", "Who?", "Me")]).run(DropDuplicates())
    assert play["b"].status == Status.NEW


def test_conversations_that_begin_alike_are_no_duplicates() -> None:
    begin = (Message("user", "Hi"), Message("assistant", "Hello!"))
    turns = {"x": "4", "y": "Paris", "z": "4"}
    records = [
        Record(f"{id_}#{turn}", (*begin, Message("user", "Q"), Message("assistant", end))[: 2 * turn + 2])
        for id_, end in turns.items()
        for turn in (0, 1)
    ]
    assert Play(records).run(DropDuplicates()).artifact == {"z#1": "x#1"}


def test_a_mark_in_an_id_makes_no_conversation() -> None:
    records = [make(f"issue#{n}", "Who?", "Me") for n in range(3)]
    assert Play(records).run(DropDuplicates()).artifact == {"issue#1": "issue#0", "issue#2": "issue#0"}


def test_turns_do_not_run_into_each_other() -> None:
    one = Record("a", (Message("user", "x y"), Message("assistant", "z")))
    two = Record("b", (Message("user", "x"), Message("assistant", "y z")))
    assert Play([one, two]).run(DropDuplicates())["b"].status == Status.NEW
