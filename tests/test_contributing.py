"""The stage in CONTRIBUTING.md works as it stands, in thirty lines or fewer."""

import asyncio
import re
import sys
import types
from pathlib import Path

import pytest

from regold.formats import Source
from regold.recipe import Recipe
from regold.record import Message, Record, Status
from regold.run import Job, run
from regold.runner import Models
from regold.stage import Stage
from regold.store.fates import open_run, trail

ROOT = Path(__file__).parents[1]
CODE = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[0]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> type[Stage]:
    module = types.ModuleType("contributed")
    monkeypatch.setitem(sys.modules, "contributed", module)
    exec(CODE, module.__dict__)
    found: type[Stage] = module.SuspectShort
    return found


def test_the_example_is_short() -> None:
    assert len([line for line in CODE.splitlines() if line.strip()]) <= 30
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 60


def test_the_example_runs_and_leaves_its_trail(stage: type[Stage], tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"instruction": "q", "output": "yes"}\n{"instruction": "q", "output": "a long enough one"}\n')
    recipe = Recipe("mine", (stage(),))
    report = asyncio.run(run(Job(Source(data), recipe, Models({}), tmp_path / "run"), lambda step, n: lambda k: None))
    assert {k: v for k, v in report.fates.items() if v} == {"KEPT": 1, "DROPPED": 1}
    told = trail(open_run(tmp_path / "run"), "0")
    assert told["steps"][0]["reason"] == "1 words"
    assert told["steps"][0]["notes"] == {"short.words": 1}


def test_the_example_proposes_what_it_says(stage: type[Stage]) -> None:
    record = Record("1", (Message("user", "q"), Message("assistant", "two words")))
    edit = asyncio.run(stage()(record, None))  # type: ignore[arg-type]
    assert edit.status == Status.SUSPECT
