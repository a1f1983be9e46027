"""Near duplicates, contradictions and contamination as stages."""

from __future__ import annotations

from pathlib import Path

from regold.record import Status
from regold.stages.close_to_evaluation import MarkCloseToEvaluation
from regold.stages.contradictions import MarkContradictions
from regold.stages.decontaminate import Decontaminate
from regold.stages.embed import EmbedRecords
from regold.stages.near_duplicates import DropNearDuplicates
from regold.stages.same_meaning import MarkSameMeaning
from tests.stages.conftest import Play, make

LONG = "The town lies on the river and it has a mill, a church, a school and a market where people come from afar "


def test_the_first_of_near_duplicates_stays() -> None:
    records = [make("b", LONG * 3, "yes"), make("a", LONG * 3, "no"), make("c", "Who?", "Me")]
    play = Play(records).run(DropNearDuplicates(), order=1)
    assert play.artifact == {"a": "b"}
    assert play.edits["a"].reason == "near duplicate of b"
    assert [play[i].status for i in "bac"] == [Status.NEW, Status.DROPPED, Status.NEW]


def test_all_sides_of_a_contradiction_are_marked() -> None:
    records = [make("a", "Who?", "Bob"), make("b", "who", "Ann"), make("c", "Who?", "bob."), make("d", "When?", "Now")]
    play = Play(records).run(MarkContradictions(), order=1)
    assert [play[i].status for i in "abcd"] == [Status.SUSPECT] * 3 + [Status.NEW]
    assert play["a"].notes["contradictions.with"] == ["b"]
    assert play.edits["b"].reason == "the same question is answered otherwise in a, c"


def test_evaluation_texts_are_dropped(tmp_path: Path) -> None:
    held_out = tmp_path / "eval.jsonl"
    held_out.write_text('{"prompt": "How many legs has the old grey spider in the corner?", "completion": "8"}\n')
    stage = Decontaminate((held_out,), words=6)
    taken = make("a", "Tell me: how many legs has the old grey spider?", "8")
    play = Play([taken, make("b", "How many legs has it?", "8")]).run(stage)
    assert [play[i].status for i in "ab"] == [Status.DROPPED, Status.NEW]
    assert "eval.jsonl 0" in play.edits["a"].reason
    assert stage.files == {"against0": held_out}


def test_records_of_one_meaning_and_questions_of_an_evaluation_set_are_marked(tmp_path: Path) -> None:
    records = [
        make("a", "Where does the river rise?", "In the hills"),
        make("b", "Where does the long river rise?", "In the hills"),
        make("c", "Who built the mill?", "Old Ann"),
    ]
    play = Play(records).run(EmbedRecords(), MarkSameMeaning(0.8), order=1)
    assert [play[i].status for i in "abc"] == [Status.NEW, Status.SUSPECT, Status.NEW]
    assert "close in meaning to a" in play.edits["b"].reason
    held_out = tmp_path / "eval.jsonl"
    held_out.write_text('{"prompt": "Who built the old mill?", "completion": "Ann"}\n')
    stage = MarkCloseToEvaluation((held_out,), 0.8)
    play = Play(records).run(stage, order=1)
    assert [play[i].status for i in "abc"] == [Status.NEW, Status.NEW, Status.SUSPECT]
    assert stage.files == {"against0": held_out}
