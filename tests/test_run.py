"""One run from source to output: one fate and a reason each, faults are marked, and a run goes on where it stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from regold.engines import EngineSpec
from regold.errors import EngineRefused, InputError, RecipeError, TooManyFailures, UsageError
from regold.formats import Source
from regold.outcome import Report
from regold.recipe import Recipe, load_recipe
from regold.record import Edit, NoteType, Record
from regold.run import Job, run
from regold.runner import Models, Step
from regold.stage import Context, Stage
from regold.store import StepPlace, Store
from regold.store.fates import open_run, trail

RECORDS = 60
SHORT = ("DropDuplicates", "AnswerDirectly", "ReasonAndReflect", "JudgeAgreement")


def write_data(path: Path, records: int = RECORDS) -> Path:
    rows = [
        {
            "id": f"r{n}",
            "question": f"What is {n}?",
            "options": ["a", "b", "c", "d"],
            "answer": "ABCD"[n % 4],
            "kept": n,
        }
        for n in range(records)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def silent(step: Step, records: int) -> Callable[[int], None]:
    return lambda done: None


def job(folder: Path, *rules: dict[str, Any], **settings: Any) -> Job:
    script = folder / "rules.json"
    agreeing = {"match": r"What is (0|4|8|12|16|40|44|48|52|56)\?", "on": "prompt", "answer": "The answer is A."}
    script.write_text(json.dumps({"rules": [*rules, agreeing], "log": str(folder / "calls.log")}))
    recipe = folder / "short.toml"
    recipe.write_text('name = "short"\n' + "".join(f'[[step]]\nuse = "{use}"\n' for use in SHORT))
    engine = EngineSpec("scripted", str(script))
    data = folder / "data.jsonl"
    if not data.exists():
        write_data(data)
    tolerate = settings.pop("tolerate", None)
    loaded = load_recipe(str(recipe), tolerate=tolerate)
    models = Models({"student": engine, "judge": engine})
    return Job(Source(data), loaded, models, folder / "run", folder / "gold.jsonl", part_size=7, **settings)


def go(made: Job) -> Report:
    return asyncio.run(run(made, silent))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_ledger_adds_up_and_rows_come_back_in_their_own_shape(tmp_path: Path) -> None:
    report = go(job(tmp_path))
    kept, rest = lines(tmp_path / "gold.jsonl"), lines(tmp_path / "gold.rest.jsonl")
    assert report.records == RECORDS == sum(report.fates.values()) == len(kept) + len(rest)
    assert report.fates["KEPT"] == len(kept) > 0
    assert all(list(row) == ["id", "question", "options", "answer", "kept"] for row in kept)
    assert all(row["_regold"]["reason"] and row["_regold"]["fate"] == "DROPPED" for row in rest)
    ledger = json.loads((tmp_path / "run" / "ledger.json").read_text())
    assert ledger["read"] == ledger["records"] + ledger["rejected"]


def test_a_finished_run_answers_again_without_a_call(tmp_path: Path) -> None:
    first = go(job(tmp_path))
    calls = (tmp_path / "calls.log").read_text()
    again = go(job(tmp_path))
    assert (again.new_calls, again.calls, again.fates) == (0, first.calls, first.fates)
    assert (tmp_path / "calls.log").read_text() == calls


def test_a_record_that_raises_is_marked_and_kept_apart(tmp_path: Path) -> None:
    report = go(job(tmp_path, {"match": r"What is (3|4)\?", "fail": "request"}))
    assert report.fates["FAILED"] == 2
    failed = [row for row in lines(tmp_path / "gold.rest.jsonl") if row["_regold"]["fate"] == "FAILED"]
    assert [row["id"] for row in failed] == ["r3", "r4"]
    assert all("RequestFailed" in row["_regold"]["reason"] for row in failed)
    told = trail(open_run(tmp_path / "run"), "r3")
    assert [s["step"] for s in told["steps"]] == ["duplicates", "base"]


def test_too_many_failures_stop_before_the_next_step_and_can_be_tried_again(tmp_path: Path) -> None:
    broken = job(tmp_path, {"match": r"What is 1?\d\?", "fail": "request"})
    with pytest.raises(TooManyFailures, match="step base: 20 records failed"):
        go(broken)
    steps = [p.name[:2] for p in (tmp_path / "run").iterdir() if p.name[:2].isdigit()]
    assert sorted(steps) == ["00", "01", "02"], "no later step starts"
    with pytest.raises(TooManyFailures):
        go(broken)
    assert go(job(tmp_path, {"match": r"What is 1?\d\?", "fail": "request"}, tolerate=0.9)).fates["FAILED"] == 20


def test_retry_failed_asks_only_for_what_failed(tmp_path: Path) -> None:
    # The same script with the failure used up would have another identity, so it fails a fixed number of times instead.
    rule = {"match": r"What is 3\?", "fail": "request", "times": 1}
    first = go(job(tmp_path, rule))
    assert first.fates["FAILED"] == 1
    plain = go(job(tmp_path, rule))
    assert plain.fates == first.fates, "failed for good"
    calls = len((tmp_path / "calls.log").read_text().splitlines())
    marker = tmp_path / "run"
    again = go(job(tmp_path, rule, retry_failed=True))
    asked = len((tmp_path / "calls.log").read_text().splitlines()) - calls
    assert marker.is_dir()
    assert again.fates["FAILED"] == 1
    assert asked == 1


def test_an_engine_error_stops_at_once_and_the_same_command_resumes(tmp_path: Path) -> None:
    stopping = {"match": r"What is 20\?", "fail": "refused", "times": 1}
    with pytest.raises(EngineRefused):
        go(job(tmp_path, stopping))
    assert not (tmp_path / "gold.jsonl").exists()
    paid = len((tmp_path / "calls.log").read_text().splitlines())
    with pytest.raises(EngineRefused):
        go(job(tmp_path, stopping))
    assert len((tmp_path / "calls.log").read_text().splitlines()) - paid < paid


def test_a_role_without_a_model_is_refused_before_any_call(tmp_path: Path) -> None:
    made = job(tmp_path)
    bare = Job(made.source, made.recipe, Models({}), made.into)
    with pytest.raises(RecipeError, match="asks a student"):
        go(bare)


def test_only_bad_lines_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"instruction": "a", "output": "b"\n')
    with pytest.raises(InputError, match=r"data\.jsonl"):
        go(job(tmp_path))


def test_a_run_directory_keeps_to_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = job(tmp_path)
    before = go(made)
    ledger = (tmp_path / "run" / "ledger.json").read_bytes()
    (tmp_path / "b").mkdir()
    other = write_data(tmp_path / "b" / "data.jsonl", 3)
    monkeypatch.chdir(other.parent)  # where the name alone is the same
    for path in (other, Path("data.jsonl")):
        with pytest.raises(UsageError, match=rf"is the run of {tmp_path}/data\.jsonl: give another --into"):
            go(replace(made, source=Source(path)))
    assert (tmp_path / "run" / "ledger.json").read_bytes() == ledger
    moved = made.source.path.rename(tmp_path / "moved.jsonl")
    assert go(replace(made, source=Source(moved))).new_calls == 0
    moved.write_text(moved.read_text() + '{"id": "new", "question": "Which?", "options": ["a", "b"], "answer": "A"}\n')
    assert go(replace(made, source=Source(moved))).records == before.records + 1


def test_skipped_lines_are_counted_and_kept(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.jsonl")
    data.write_text(data.read_text() + '{"id": "torn", "question": "wh\n')
    made = job(tmp_path)
    source = Source(data, on_bad_line="skip")
    report = go(Job(source, made.recipe, made.models, made.into, made.out))
    assert (report.records, report.rejected) == (RECORDS, 1)
    assert report.rejects is not None
    assert lines(Path(report.rejects))[0]["line"] == RECORDS + 1


def test_the_truth_never_reaches_a_prompt(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    rows = [{"id": str(n), "instruction": f"Name {n}", "output": "x", "_regold_truth": "SECRETTRUTH"} for n in range(9)]
    data.write_text("".join(json.dumps(r) + "\n" for r in rows))
    go(job(tmp_path))
    work = [p for p in (tmp_path / "run").rglob("*") if p.is_file() and not p.parent.name.startswith("00-load")]
    assert work
    assert not any(b"SECRETTRUTH" in p.read_bytes() for p in work)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz", ".jsonl.zst"])
def test_the_output_takes_the_container_its_name_asks_for(tmp_path: Path, suffix: str) -> None:
    made = job(tmp_path)
    report = go(Job(made.source, made.recipe, made.models, made.into, tmp_path / f"gold{suffix}"))
    assert Path(report.out).stat().st_size
    assert report.rest == str(tmp_path / f"gold.rest{suffix}")


def test_too_many_failures_in_the_last_step_stop_every_time(tmp_path: Path) -> None:
    made = job(tmp_path, {"match": r"What is 1?\d\?", "fail": "request"})
    recipe = tmp_path / "one.toml"
    recipe.write_text('name = "one"\n[[step]]\nuse = "AnswerDirectly"\n')
    last = Job(made.source, load_recipe(str(recipe)), made.models, tmp_path / "one", made.out)
    for _ in range(2):
        with pytest.raises(TooManyFailures):
            go(last)
    assert not (tmp_path / "gold.jsonl").exists()


def test_a_retry_cut_short_keeps_no_record_that_was_never_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"match": r"What is 3\?", "fail": "request", "times": 1}
    go(job(tmp_path, rule))
    real, forgotten = Store.forget, []

    def dying(store: Store, step: StepPlace, parts: Sequence[int] | None = None) -> None:
        real(store, step, parts)
        forgotten.append(step.name)
        if len(forgotten) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "forget", dying)
    with pytest.raises(KeyboardInterrupt):
        go(job(tmp_path, rule, retry_failed=True))
    monkeypatch.undo()
    assert forgotten == ["judge"], "what lies below goes first"
    assert go(job(tmp_path, rule)).fates["FAILED"] == 1


def test_a_note_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Mistyped(Stage):
        name = "mistyped"

        @property
        def writes(self) -> Mapping[str, NoteType]:
            return {"mistyped.count": NoteType.INTEGER}

        async def __call__(self, record: Record, ctx: Context) -> Edit:
            return Edit(notes={"mistyped.count": "many"})

    made = job(tmp_path)
    with pytest.raises(RecipeError, match="mistyped wrote a note of another type"):
        go(Job(made.source, Recipe("mine", (Mistyped(),)), Models({}), tmp_path / "other"))


def test_only_files_that_are_read_decide_the_fingerprint(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    write_data(folder / "train.jsonl")
    before = Source(folder).digest()
    (folder / "README.md").write_text("about")
    (folder / "runs").mkdir()
    assert Source(folder).digest() == before
    write_data(folder / "train.jsonl", 5)
    assert Source(folder).digest() != before


def test_another_model_answers_as_a_view_and_its_identity_decides_the_step(tmp_path: Path) -> None:
    given = job(tmp_path)
    recipe = load_recipe(str(tmp_path / "short.toml"), ("reason.role=second",))
    with pytest.raises(RecipeError, match=r"asks a second.*give one with --second"):
        asyncio.run(run(replace(given, recipe=recipe), silent))
    steps, fates = [], []
    for letter in "AB":
        script = tmp_path / f"{letter}.json"
        script.write_text(json.dumps({"rules": [{"answer": f"The answer is {letter}."}]}))
        models = Models({**given.models.roles, "second": EngineSpec("scripted", str(script))})
        report = asyncio.run(run(replace(given, recipe=recipe, models=models), silent))
        steps.append([step.folder for step in open_run(given.root).steps])
        fates.append(report.fates["KEPT"])
    assert steps[0][:2] == steps[1][:2]
    assert not set(steps[0][2:]) & set(steps[1])
    # every fourth response is A; the base view is right about ten of those, which only a second view saying A confirms
    assert fates[0] >= 10 > fates[1]
