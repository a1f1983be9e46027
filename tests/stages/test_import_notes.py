from __future__ import annotations

from pathlib import Path

import pytest

from regold.errors import InputError, RecipeError
from regold.fingerprint import file_digest
from regold.recipe import load_recipe, with_import
from regold.stages.import_notes import ImportNotes
from tests.stages.conftest import Play, make

RECORDS = [make("a", "1", "x"), make("b", "2", "y"), make("c", "3", "z")]


def test_numbers_join_by_id_and_the_rest_is_counted(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("id,llama\nc,4.5\na,1\nq,3\nb,\n")
    play = Play(RECORDS).run(ImportNotes(scores, {"llama": "rate.value"}))
    assert [play[i].notes.get("rate.value") for i in "abc"] == [1.0, None, 4.5]
    assert play.edits["b"].reason == "rate.value missing"
    assert play.artifact["counts"] == {
        "scored": 3,
        "rows": 4,
        "without": 0,
        "unknown": 1,
        "repeated": 0,
        "contradicted": 0,
        "empty": 1,
        "bad": 0,
    }
    first, second = play.artifact["told"]
    assert first.startswith("3 records scored out of 4 rows; 1 rows of unknown records")
    assert "q" in second


def test_rows_join_by_order(tmp_path: Path) -> None:
    scores = tmp_path / "scores.jsonl"
    scores.write_text('{"s": 1, "t": 10}\n{"s": "2"}\n{"s": "high", "t": 30}\n')
    play = Play(RECORDS).run(ImportNotes(scores, {"s": "rate.value", "t": "rate.correct"}, by="row"))
    assert [play[i].notes.get("rate.value") for i in "abc"] == [1.0, 2.0, None]
    assert [play[i].notes.get("rate.correct") for i in "abc"] == [10.0, None, 30.0]
    assert play.artifact["faults"] == ["line 3: the column s holds 'high', no number"]
    scores.write_text('{"s": 1}\n')
    with pytest.raises(InputError, match="1 rows for 3 records"):
        Play(RECORDS).run(ImportNotes(scores, {"s": "rate.value"}, by="row"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no score file"):
        _ = ImportNotes(tmp_path / "none.csv", {"s": "rate.value"}).files


def test_contents_and_not_the_path_enter_the_fingerprint(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("id,s\na,1\n")
    digests = {file_digest(ImportNotes(tmp_path / n, {"s": "x.y"}).files["file"]) for n in ("one.csv", "two.csv")}
    assert len(digests) == 1


def test_an_import_takes_the_place_of_the_rater(tmp_path: Path) -> None:
    stage = ImportNotes(tmp_path / "s.csv", {"s": "rate.value"})
    steps = [type(s).__name__ for s in with_import(load_recipe("rate"), stage).stages]
    assert "RateRecords" not in steps
    assert steps.index("ImportNotes") == 1
    assert type(with_import(load_recipe("robustft"), stage).stages[0]).__name__ == "ImportNotes"
    resolved = with_import(load_recipe("robustft"), stage).resolved()["step"][0]
    assert resolved["columns"] == {"s": "rate.value"}


def test_notes_of_several_raters_take_the_place_of_the_step_they_are_named_for(tmp_path: Path) -> None:
    stage = ImportNotes(tmp_path / "s.csv", {"a": "rate.llama", "b": "rate.mistral"})
    scores = ["correct.scores=['rate.llama', 'rate.mistral']"]
    names = [type(s).__name__ for s in load_recipe("rate", scores, stage).stages]
    assert "RateRecords" not in names
    assert names.index("ImportNotes") == 1


def test_settings_may_name_the_notes_that_are_imported(tmp_path: Path) -> None:
    stage = ImportNotes(tmp_path / "s.csv", {"a": "rate.llama"})
    sets = ["correct.scores=['rate.llama']", "partition.correct="]
    assert "import" in [s.name for s in load_recipe("entp-front", sets, stage).stages]
    with pytest.raises(RecipeError, match=r"rate\.llama"):
        load_recipe("entp-front", sets)
