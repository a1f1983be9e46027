"""Parts are fixed at load, edits overlay in order, and only what was declared is read."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from regold.errors import InputError, RunBusy
from regold.formats.rows import Row
from regold.record import Edit, Fate, Message, NoteType, Status
from regold.store import StepPlace, Store, read_manifest
from regold.store.fates import close_run, ended

JUDGE = StepPlace(1, "judge", "a" * 64, {"judge.score": NoteType.NUMBER, "judge.vector": NoteType.VECTOR})
REVIEW = StepPlace(2, "review", "b" * 64, {"review.seen": NoteType.FLAG})


def rows(n: int) -> list[Row]:
    return [
        Row(str(i), (Message("user", f"q{i}"), Message("assistant", f"a{i}")), (), {"n": i}, "f.jsonl", i + 1, "alpaca")
        for i in range(n)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path, "00-load-0")
    assert store.write_load(rows(5), size=2) == 5
    for part in store.parts():
        store.write_edits(JUDGE, part, [])
        store.write_edits(REVIEW, part, [])
    return store


def test_parts_are_of_the_size_asked_and_keep_the_order(store: Store) -> None:
    assert [store.loaded(p).num_rows for p in store.parts()] == [2, 2, 1]
    assert store.ids() == list("01234")


def test_edits_overlay_in_the_order_of_the_steps(store: Store) -> None:
    repaired = (Message("user", "q1"), Message("assistant", "better"))
    first = Edit(Status.SUSPECT, "why", notes={"judge.score": 0.25, "judge.vector": [1.0, 2.0]})
    store.write_edits(JUDGE, 0, [(1, "1", first)])
    store.write_edits(REVIEW, 0, [(1, "1", Edit(Status.REPAIRED, messages=repaired, weight=0.5))])
    before, after = store.records(0, [JUDGE], ["judge.score"])[1], store.records(0, [JUDGE, REVIEW], [])[1]
    assert (before.status, before.response, before.notes) == (Status.SUSPECT, "a1", {"judge.score": 0.25})
    assert (after.status, after.response, after.weight, dict(after.notes)) == (Status.REPAIRED, "better", 0.5, {})
    table = store.table([JUDGE, REVIEW])
    assert table.ids([Status.REPAIRED]) == ["1"]
    assert np.allclose(table.vectors("judge.vector", [0, 1]), [[0, 0], [1, 2]])
    assert [r.response for r in table.lookup(["1", "4"])] == ["better", "a4"]


@pytest.mark.parametrize("name", ["truth", "source", "noise", "review.seen", "nonsense"])
def test_a_fit_reads_neither_the_truth_nor_a_later_note(store: Store, name: str) -> None:
    with pytest.raises(KeyError):
        store.table([JUDGE]).column(name)


def test_no_column_of_a_part_tells_the_reserved_truth(tmp_path: Path) -> None:
    store = Store(tmp_path, "00-load-0")
    known = [replace(row, truth="secret", noise="symmetric") for row in rows(2)]
    store.write_load(known, size=2)
    assert store.columns(["truth", "noise", "id"], 0, []) == {
        "truth": [None] * 2,
        "noise": [None] * 2,
        "id": ["0", "1"],
    }


def test_missing_values_sort_last_and_ties_by_id(store: Store) -> None:
    scores = {0: None, 1: 0.5}
    store.write_edits(JUDGE, 0, [(r, str(r), Edit(notes={"judge.score": s})) for r, s in scores.items()])
    store.write_edits(JUDGE, 1, [(r, str(r + 2), Edit(notes={"judge.score": 0.5 - r})) for r in (0, 1)])
    assert store.table([JUDGE]).ids(order_by=("judge.score", "id")) == ["3", "1", "2", "0", "4"]


def test_the_same_edits_give_the_same_bytes_in_any_order(store: Store) -> None:
    edits = [(r, str(r), Edit(Status.CLEAN, "ok", notes={"judge.score": 0.1})) for r in (0, 1)]
    store.write_edits(JUDGE, 0, edits)
    one = (store.folder(JUDGE) / "edits-00000.parquet").read_bytes()
    store.write_edits(JUDGE, 0, edits[::-1])
    assert (store.folder(JUDGE) / "edits-00000.parquet").read_bytes() == one


@pytest.mark.parametrize("artifact", [{"1": ["2", "3"]}, [1, 2.5], {"a": np.arange(6.0).reshape(2, 3)}])
def test_an_artifact_comes_back_as_it_was(store: Store, artifact: object) -> None:
    assert not store.has_artifact(JUDGE)
    store.write_artifact(JUDGE, artifact)
    back = store.artifact(JUDGE)
    if isinstance(artifact, dict) and "a" in artifact:
        assert np.array_equal(back["a"], artifact["a"])
    else:
        assert back == artifact


def test_every_record_ends_with_one_fate_and_a_reason(store: Store) -> None:
    statuses = [Status.CLEAN, Status.SUSPECT, Status.REPAIRED, Status.FAILED, Status.MERGED]
    edits = [Edit(s, f"as {s}", into="0" if s == Status.MERGED else None) for s in statuses]
    for part in store.parts():
        store.write_edits(JUDGE, part, [(i % 2, str(i), e) for i, e in enumerate(edits) if i // 2 == part])
    leftover = {Status.SUSPECT: Fate.BORDERLINE, Status.LOW: Fate.DROPPED}
    found = list(ended(store, [JUDGE, REVIEW], leftover))
    assert [e.fate for e in found] == [Fate.KEPT, Fate.BORDERLINE, Fate.REPAIRED, Fate.FAILED, Fate.MERGED]
    assert all(e.reason for e in found)
    assert found[4].into == "0"
    counts = close_run(store, [JUDGE, REVIEW], leftover, rejected=3)
    assert sum(counts.values()) == 5
    assert json.loads(store.root.joinpath("ledger.json").read_text())["read"] == 8


def test_a_second_process_is_kept_out(store: Store) -> None:
    with store.held(), pytest.raises(RunBusy, match="works in this run directory"), store.held():
        pass
    with store.held():
        pass


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run directory"):
        read_manifest(tmp_path)
