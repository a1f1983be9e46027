from __future__ import annotations

from pathlib import Path

import pytest

from regold.errors import RecipeError
from regold.recipe import load_recipe
from regold.record import Status
from regold.stages.check_text import CheckText
from tests.stages.conftest import Play, make


def test_findings_mark_the_record_with_their_evidence() -> None:
    records = [
        make("empty", "Who?", ""),
        make("tag", "Name a city.\n\n<noinput>", "Paris"),
        make("fine", "Name a city.", "Paris"),
        make("low", "Summarize the following text.", "Bees.", status=Status.LOW),
        make("gone", "Who?", "", status=Status.DROPPED),
    ]
    play = Play(records).run(CheckText(), order=2)
    statuses = [play[r.id].status for r in records]
    assert statuses == [Status.DROPPED, Status.SUSPECT, Status.NEW, Status.SUSPECT, Status.DROPPED]
    assert play.edits["tag"].reason == "placeholder-input in the input: '<noinput>'"
    assert play["tag"].notes["check.spans"] == ["placeholder-input input 0 9"]
    assert play["low"].notes["check.found"] == ["missing-input"]
    assert "gone" not in play.edits


def test_the_gravest_finding_is_named_first() -> None:
    play = Play([make("a", "Draw a picture of a cat.", "<nooutput>")]).run(CheckText())
    assert play.edits["a"].reason == "placeholder-response in the response: '<nooutput>' (also media-asked)"
    assert play["a"].status == Status.DROPPED


def test_strictness_and_names_choose_the_checks() -> None:
    record = make("a", "Tell me.", "Write to bob@posteo.de (as said.")
    assert Play([record]).run(CheckText())["a"].status == Status.NEW
    assert Play([record]).run(CheckText(strictness="strict"))["a"].notes["check.found"] == [
        "unclosed-bracket",
        "mail-address",
    ]
    assert Play([record]).run(CheckText(("mail-address",)))["a"].status == Status.SUSPECT


def test_a_recipe_names_them_and_a_typo_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('[[step]]\nuse = "CheckText"\nchecks = ["blank", "cut-off"]\n')
    assert load_recipe(str(recipe)).stages[0] == CheckText(("blank", "cut-off"))
    with pytest.raises(RecipeError, match="blonk"):
        load_recipe(str(recipe), ['check.checks=["blonk"]'])
