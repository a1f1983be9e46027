"""A broken recipe is refused before anything is paid, naming the place and the nearest name that exists."""

import json
from pathlib import Path

import pytest

from regold.errors import RecipeError
from regold.recipe import load_recipe, shipped_recipes
from regold.record import Fate, Status
from regold.stages.select import KeepConfident


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_are_sound_and_come_back_from_their_resolved_form(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    held = tmp_path / "manifest.json"
    held.write_text(json.dumps({"recipe": recipe.resolved()}))
    assert load_recipe(str(held)) == recipe
    assert load_recipe(str(tmp_path)) == recipe


def test_settings_reach_the_step() -> None:
    recipe = load_recipe("robustft", ["select.share=0.4", "select.score=relabel.mean_nll", "judge.rule=majority"])
    select = next(s for s in recipe.stages if isinstance(s, KeepConfident))
    assert (select.share, select.score) == (0.4, "relabel.mean_nll")


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("selct.share=0.4", "did you mean 'select'"),
        ("select.shrae=0.4", "did you mean 'share'"),
        ("select.share=1.5", "less than or equal to 1"),
        ("select.share=many", "valid number"),
        ("judge.rule=most", "'all' or 'majority'"),
        ("select.score=review.mean_nl", "did you mean 'review.mean_nll'"),
        ("select", "write it as step.field=value"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        load_recipe("robustft", [setting])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[step]]\nuse = "DropDuplicate"', "did you mean 'DropDuplicates'"),
        ('[[step]]\nuse = "DropDuplicates"\n[[step]]\nuse = "DropDuplicates"', "an earlier step has this name"),
        ('[[step]]\nuse = "JudgeAgreement"', "reads 'base.answer', which no earlier step writes"),
        ('[[steps]]\nuse = "DropDuplicates"', "did you mean 'step'"),
        ("", r"has no \[\[step\]\]"),
        ("[[step]]\nshare = 1", "does not say which stage"),
        ('seed = "one"\n[[step]]\nuse = "DropDuplicates"', "seed = 'one': must be a number"),
        ('[leftover]\nCLEAN = "DROPPED"\n[[step]]\nuse = "DropDuplicates"', "SUSPECT and LOW only"),
        ('[leftover]\nSUSPECT = "GONE"\n[[step]]\nuse = "DropDuplicates"', "GONE"),
        ('prompts = "nowhere"\n[[step]]\nuse = "DropDuplicates"', "no prompt set 'nowhere'"),
        ("= 3", "cannot be read"),
    ],
)
def test_a_broken_file_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=says):
        load_recipe(str(path))


def test_a_missing_recipe_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'robustft'"):
        load_recipe("robustf")


def test_a_prompt_set_that_lacks_a_prompt_is_refused(tmp_path: Path) -> None:
    (tmp_path / "direct.txt").write_text("{{query}}")
    with pytest.raises(RecipeError, match=r"has no reason\.txt"):
        load_recipe("robustft", prompts=str(tmp_path))


def test_leftover_decides_what_becomes_of_suspects(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[leftover]\nSUSPECT = "BORDERLINE"\n[[step]]\nuse = "DropDuplicates"\n')
    assert load_recipe(str(path)).leftover[Status.SUSPECT] == Fate.BORDERLINE
