"""Every stage runs on every executor, and the bytes are the same: which is what keeps stages pure."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from regold.engines import EngineSpec
from regold.errors import EngineRefused
from regold.formats import Source
from regold.recipe import load_recipe
from regold.run import Job, run
from regold.runner import Models
from regold.stages import STAGES

RECORDS = 90
SELECTION = str(Path(__file__).with_name("selection.toml"))
RECIPES = ("robustft", "entp", "rate", "self-label", "self-select", "audit", SELECTION)
"""Together they use every stage that needs no file of the user's."""
APART = {"ImportNotes"}
"""Stages that need a file of the user's; their own tests run them."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.jsonl"
    options = ["x", "y"]
    rows = [
        {"id": f"q{n}", "question": f"Who sells {n // 2}?", "options": options, "answer": "AB"[n % 2]}
        for n in range(RECORDS)
    ]
    rows.append({**rows[0], "id": "copy"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def carry_out(data: Path, folder: Path, recipe: str, executor: str, part_size: int = 16, **rules: object) -> Path:
    script = folder / "rules.json"
    script.write_text(json.dumps(rules))
    engine = EngineSpec("scripted", str(script))
    models = Models({"student": engine, "judge": engine, "rater": engine, "scorer": engine}, EngineSpec("lexical"))
    made = Job(
        Source(data), load_recipe(recipe), models, folder / executor, folder / f"{executor}.jsonl", part_size, executor
    )
    asyncio.run(run(made, lambda step, records: lambda done: None))
    return folder / executor


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "lock" and "calls" not in p.parts)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(files)}


def test_these_recipes_use_every_stage() -> None:
    used = {type(stage).__name__ for name in RECIPES for stage in load_recipe(name).stages}
    assert used == set(STAGES) - APART


@pytest.mark.parametrize("recipe", RECIPES)
def test_local_and_ray_give_the_same_bytes(recipe: str, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    os.environ.pop("RAY_ADDRESS", None)
    here = contents(carry_out(data, tmp_path, recipe, "local"))
    there = contents(carry_out(data, tmp_path, recipe, "ray"))
    assert here == there
    assert (tmp_path / "local.jsonl").read_bytes() == (tmp_path / "ray.jsonl").read_bytes()


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_size_of_parts_changes_no_fate(recipe: str, data: Path, tmp_path: Path) -> None:
    small = carry_out(data, tmp_path, recipe, "local", part_size=7)
    (tmp_path / "other").mkdir()
    large = carry_out(data, tmp_path / "other", recipe, "local", part_size=1000)
    assert (small / "fates.parquet").read_bytes() == (large / "fates.parquet").read_bytes()


def test_an_error_comes_back_from_a_worker_as_it_was_raised(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    refused = [{"match": r"Who sells 7\?", "fail": "refused"}]
    with pytest.raises(EngineRefused, match="the script says so"):
        carry_out(data, tmp_path, "robustft", "ray", rules=refused)
