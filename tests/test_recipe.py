"""A broken recipe is refused before anything is paid, naming the place and the nearest name that exists."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from regold.errors import RecipeError
from regold.prompts import load_prompts
from regold.recipe import load_recipe, shipped_recipes
from regold.record import Fate, Status
from regold.stages import STAGES
from regold.stages.duplicates import DropDuplicates
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
        ("step = 3", r"write each step as a \[\[step\]\]"),
        ('leftover = "x"\n[[step]]\nuse = "DropDuplicates"', r"write it as a table \[leftover\]"),
        ('tolerate = nan\n[[step]]\nuse = "DropDuplicates"', "tolerate = nan: must be a share"),
        ('tolerate = -0.1\n[[step]]\nuse = "DropDuplicates"', "tolerate = -0.1: must be a share"),
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


@pytest.mark.parametrize(
    ("prompt", "text", "says"),
    [
        ("direct", "{{qurey}}", "direct.txt: nothing fills {{qurey}}; did you mean {{query}}?"),
        ("direct", "What?", "direct.txt: lacks {{query}}"),
        ("direct", "{{ query }}", "direct.txt: lacks {{query}}"),
        ("reflect", "Check {{query}}.", "reflect.txt: nothing fills {{query}}; known: none"),
        ("review", "{{query}} {{first}}", "review.txt: lacks {{second}}"),
        ("agree", "{{query}} {{first}} {{second}} {{third}}", "agree.txt: nothing fills {{third}}"),
    ],
)
def test_a_prompt_that_cannot_be_filled_is_refused(prompt: str, text: str, says: str, tmp_path: Path) -> None:
    for name, shipped in load_prompts("lab").texts.items():
        (tmp_path / f"{name}.txt").write_text(shipped)
    load_recipe("robustft", prompts=str(tmp_path))
    (tmp_path / f"{prompt}.txt").write_text(text)
    with pytest.raises(RecipeError, match=re.escape(says)):
        load_recipe("robustft", prompts=str(tmp_path))


def test_a_prompt_of_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "direct.txt").write_bytes(b"\xff\xfe{{query}}")
    with pytest.raises(RecipeError, match=r"direct\.txt: is not UTF-8"):
        load_recipe("robustft", prompts=str(tmp_path))


@pytest.mark.parametrize("held", ["not json", "[]", '{"name": "app"}', '{"recipe": "app"}', '{"recipe": [1]}'])
def test_a_manifest_without_a_recipe_is_refused(held: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(held)
    with pytest.raises(RecipeError, match=r"manifest\.json"):
        load_recipe(str(tmp_path))


def test_a_stage_is_written_by_the_name_it_is_found_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Mine(DropDuplicates):
        """Stands for a stage that another package offers under a name of its own."""

    monkeypatch.setattr("regold.recipe.find_stages", lambda: {**STAGES, "DropMine": Mine})
    (tmp_path / "mine.toml").write_text('[[step]]\nuse = "DropMine"\n')
    loaded = load_recipe(str(tmp_path / "mine.toml"))
    (tmp_path / "manifest.json").write_text(json.dumps({"recipe": loaded.resolved()}))
    assert load_recipe(str(tmp_path)) == loaded


def test_leftover_decides_what_becomes_of_suspects(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[leftover]\nSUSPECT = "BORDERLINE"\n[[step]]\nuse = "DropDuplicates"\n')
    assert load_recipe(str(path)).leftover[Status.SUSPECT] == Fate.BORDERLINE


def test_a_recipe_declares_how_it_trains_and_is_evaluated() -> None:
    recipe = load_recipe("self-rag", ["evaluate.neighbours=5", "train.epochs=3"])
    assert (recipe.stages, recipe.evaluate.neighbours, recipe.evaluate.temperature) == ((), 5, 0.5)
    assert recipe.train is not None
    assert recipe.train.epochs == 3
    assert load_recipe("vanilla").train is None


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("train.epoch=3", "did you mean 'epochs'"),
        ("evaluate.neighbours=-1", "greater than or equal to 0"),
        ("experiment.truth=answers", "no step 'experiment'"),
    ],
)
def test_a_wrong_table_is_named(setting: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        load_recipe("sft", [setting])


@pytest.mark.parametrize("name", ["oracle-clean", "oracle-filter", "noiseal"])
def test_what_needs_the_truth_is_no_run(name: str) -> None:
    from regold.run import refuse_experiments

    with pytest.raises(RecipeError, match="bench lab"):
        refuse_experiments(load_recipe(name))


@pytest.mark.parametrize("name", ["vanilla", "self-rag", "other-checkpoint"])
def test_what_only_asks_is_no_run_and_says_what_asks_it(name: str) -> None:
    from regold.run import refuse_experiments

    with pytest.raises(RecipeError, match=f"regold evaluate HELD-OUT --model MODEL --recipe {name}"):
        refuse_experiments(load_recipe(name))
    refuse_experiments(load_recipe("sft"))
