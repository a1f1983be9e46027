"""What a run came to: a conversation is trained on, exported and written with every repaired turn in place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from regold import recipe
from regold.errors import InputError
from regold.formats import Source
from regold.output import check_outputs, export_run, training_rows
from regold.record import Edit, Record, Status
from regold.run import Job
from regold.stage import Context, Stage
from regold.stages import STAGES
from tests.test_run import go, job, lines


def chat(*texts: str) -> dict[str, Any]:
    return {"messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]}


@dataclass(frozen=True)
class Mend(Stage):
    """Repair each response that says 5."""

    name: ClassVar[str] = "mend"

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        if record.response != "5":
            return Edit(Status.CLEAN)
        return Edit(Status.REPAIRED, "mended", record.answered("4"))


def chats(folder: Path, rows: list[dict[str, Any]], *stages: str) -> Job:
    data = folder / "chats.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    steps = folder / "chats.toml"
    steps.write_text("".join(f'[[step]]\nuse = "{use}"\n' for use in stages))
    made = job(folder)
    return Job(Source(data, turns="all"), recipe.load_recipe(str(steps)), made.models, made.into, made.out)


@pytest.fixture
def mending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "find_stages", lambda: {**STAGES, "Mend": Mend})


@pytest.mark.usefixtures("mending")
def test_every_repaired_turn_is_written_exported_and_trained_on(tmp_path: Path) -> None:
    whole = chat("2 + 2?", "4", "3 + 3?", "6", "1 + 3?", "4")
    go(chats(tmp_path, [chat("2 + 2?", "5", "3 + 3?", "6", "1 + 3?", "5"), chat("1 + 1?", "2")], "Mend"))
    held = lines(tmp_path / "gold.jsonl")
    assert held == [whole, chat("1 + 1?", "2")]
    for target in ("trl", "openai"):
        export_run(tmp_path / "run", target, tmp_path / target)
        assert [row["messages"] for row in lines(tmp_path / target / "train.jsonl")] == [r["messages"] for r in held]
    trained = training_rows(tmp_path / "run")
    assert trained == training_rows(tmp_path / "gold.jsonl")


def test_a_conversation_is_not_lost_for_beginning_like_another(tmp_path: Path) -> None:
    rows = [chat("Hi", "Hello!", "2 + 2?", "4"), chat("Hi", "Hello!", "Capital?", "Paris"), chat("Hi", "Hello!")]
    go(chats(tmp_path, [*rows, rows[0]], "DropDuplicates"))
    assert lines(tmp_path / "gold.jsonl") == rows
    assert [row["_regold"]["id"] for row in lines(tmp_path / "gold.rest.jsonl")] == ["3"]


@pytest.mark.parametrize(
    ("out", "source", "says"),
    [
        ("data.jsonl", "data.jsonl", "the file that is read"),
        ("./sub/../data.jsonl", "data.jsonl", "the file that is read"),
        ("linked.jsonl", "data.jsonl", "the file that is read"),
        ("data.jsonl", "data.rest.jsonl", "the file that is read"),
        ("data.csv", "data.rejected.jsonl", "the file that is read"),
        ("folder/gold.jsonl", "folder", "lies in the folder that is read"),
        ("gold.txt", "data.jsonl", "cannot write this kind of file"),
        ("gold", "data.jsonl", "cannot write this kind of file"),
        ("held.jsonl", "data.jsonl", "this is a folder"),
    ],
)
def test_outputs_that_would_touch_the_source_or_cannot_be_written_are_refused(
    tmp_path: Path, out: str, source: str, says: str
) -> None:
    for folder in ("folder", "sub", "held.jsonl"):
        (tmp_path / folder).mkdir()
    for name in ("data.jsonl", "data.rest.jsonl", "data.rejected.jsonl", "folder/a.jsonl"):
        (tmp_path / name).write_text("{}\n")
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "data.jsonl")
    with pytest.raises(InputError, match=says):
        check_outputs(tmp_path / out, tmp_path / source)


def test_outputs_may_lie_beside_the_source(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text("{}\n")
    check_outputs(tmp_path / "gold.jsonl.gz", tmp_path / "data.jsonl")


def test_a_file_of_the_users_that_is_named_like_the_rejects_stays(tmp_path: Path) -> None:
    mine = tmp_path / "gold.rejected.jsonl"
    mine.write_text("mine")
    go(job(tmp_path))
    assert mine.read_text() == "mine"


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    stale = tmp_path / "gold.rejected.jsonl"
    stale.write_text(json.dumps({"file": "old.jsonl", "line": 3, "reason": "torn", "raw": "{"}) + "\n")
    go(job(tmp_path))
    assert not stale.exists()
