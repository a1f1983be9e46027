"""A trial on a pool begins anew whatever lies in its folder, and tells which faults of the text it left in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from regold.engines import EngineSpec, open_encoder
from regold.engines.scripted import Rule, Script, ScriptedEngine
from regold.formats import Source
from regold.lab import pool_trial as trials
from regold.lab.arms import Arm, recipe_of
from regold.lab.pool import TEXT_FAULTS, write_pool
from regold.lab.pool_ground import PoolField, PoolGround
from regold.lab.pool_trial import Trained, pool_trial
from regold.run import Job, run


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PoolField:
    """A field whose models answer by a script, and whose trainings all come to the same."""

    async def scored(at: PoolField, rows: list[Trained], model: Path) -> dict[str, Any]:
        return {"right": "1", "facts": [1.0], "neglected": "0", "new": None, "seconds": {}}

    monkeypatch.setattr(trials, "_score", scored)
    engine = ScriptedEngine(Script((Rule("", answer="capital; river"),)))
    found = PoolField(PoolGround(tmp_path, 0, 80, 20, 5), engine, engine, open_encoder(EngineSpec("lexical")))
    write_pool(found.data, found.entries())
    return found


def test_what_a_stopped_trial_left_is_not_inherited(field: PoolField, tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    stopped = Job(Source(field.data), recipe_of(Arm("tags", "select-tags"), 20, 0), field.specs(), folder / "run")
    left = asyncio.run(run(stopped, lambda step, records: lambda done: None, field.models()))
    assert left.calls > 0
    assert list((folder / "run" / "calls").rglob("*.jsonl"))
    found = asyncio.run(pool_trial(field, Arm("random", "select-random"), folder))
    assert (found["calls"], found["prompt_tokens"], found["trained"]) == (0, 0, 20)
    assert not folder.exists()


def test_the_share_of_text_faults_left_is_that_of_the_responses_kept_as_they_are(field: PoolField) -> None:
    entries = field.entries()
    assert any(entry.fault in TEXT_FAULTS for entry in entries)
    for recipe, left in (("sft", 1.0), ("oracle-clean", 0.0), ("vanilla", None)):
        found = asyncio.run(pool_trial(field, Arm("x", recipe), field.ground.folder / "trial"))
        assert found["text_faults_left"] == left
