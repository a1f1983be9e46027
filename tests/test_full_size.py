"""The settings for full-size models are sound, and the page's commands name options that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.recipe import shipped_recipes
from regold.train import TrainSettings
from regold.train.settings import presets, train_table

PAGE = Path(__file__).parents[1] / "docs" / "full-size.md"
SETTINGS = sorted((PAGE.parent / "full-size").glob("*.toml"))


@pytest.mark.parametrize("path", SETTINGS, ids=lambda p: p.stem)
def test_settings_are_valid_and_see_sixteen_records_a_step(path: Path) -> None:
    assert CliRunner().invoke(app, ["validate", str(path)]).exit_code == 0
    settings = TrainSettings(**train_table(str(path)))
    assert settings.batch_size * settings.accumulate == 16
    assert f"full-size/{path.name}" in PAGE.read_text()


def test_all_settings_that_the_page_names_recompute_activations() -> None:
    named = {name for name in re.findall(r"--settings (\S+?)[`\s]", PAGE.read_text()) if name in presets()}
    assert {"qlora", "full", "ds2"} <= named
    for name in (*named, *map(str, SETTINGS)):
        assert TrainSettings(**train_table(name)).checkpointing, name
    ds2 = TrainSettings(**train_table("ds2"))
    assert ds2.batch_size * ds2.accumulate == 128


def test_the_commands_of_the_page_name_options_and_recipes_that_exist() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [c for block in blocks for c in block.replace("\\\n", " ").splitlines() if "regold " in c]
    assert len(commands) >= 8
    for command in commands:
        name, words = re.search(r"regold (\w+)(.*)", command.partition(" #")[0]).groups()  # type: ignore[union-attr]
        told = CliRunner().invoke(app, [name, "--help"], terminal_width=200).output
        for option in re.findall(r"(--[\w-]+)", words):
            assert option in told, command
        for recipe in re.findall(r"--recipe (\w+)", words):
            assert recipe in shipped_recipes()
