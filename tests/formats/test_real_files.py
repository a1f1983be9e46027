"""Real files in the formats people have: every record reads, and goes back unchanged."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from regold.formats import Reject, Row, inspect, read, restore, write

pytestmark = pytest.mark.shared_data

FILES = [
    ("alpaca_libre_status", "alpaca", 5860),
    ("code_alpaca_2k", "alpaca", 2017),
    ("dolly_3k_alpagasus", "alpaca", 2996),
    ("gpteacher_codegen", "alpaca", 4535),
    ("gpteacher_roleplay", "alpaca", 1923),
    ("llamafactory_alpaca_en_demo", "alpaca", 999),
    ("llamafactory_dpo_en_demo", "sharegpt", 300),
    ("llamafactory_glaive_toolcall_en_demo", "sharegpt", 300),
    ("llamafactory_identity", "alpaca", 91),
]


@pytest.mark.parametrize(("name", "format", "count"), FILES)
@pytest.mark.parametrize("suffix", ["jsonl", "json.zst"])
def test_real_files_come_back_equal(
    shared_data: Path, tmp_path: Path, name: str, format: str, count: int, suffix: str
) -> None:
    path = shared_data / "sft-inputs" / f"{name}.jsonl.gz"
    rows = [row for row in read(path) if isinstance(row, Row)]
    assert {row.format for row in rows} == {format}
    out = tmp_path / f"out.{suffix}"
    assert write(out, (restore(r.source, r.format, r.messages, r.options) for r in rows)) == count
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        given = [json.loads(line) for line in stream]
    assert [dict(r.source) for r in read(out) if isinstance(r, Row)] == given


def test_every_turn_of_real_conversations(shared_data: Path) -> None:
    path = shared_data / "sft-inputs" / "llamafactory_glaive_toolcall_en_demo.jsonl.gz"
    rows = [row for row in read(path, turns="all") if isinstance(row, Row)]
    assert len(rows) == 746
    assert all(restore(r.source, r.format, r.messages, turn=r.turn) == r.source for r in rows)
    assert {row.messages[-1].role for row in rows} == {"assistant"}


def test_instructions_without_responses_are_refused_one_by_one(shared_data: Path) -> None:
    path = shared_data / "sft-inputs" / "instructionwild_users.jsonl.gz"
    found = list(read(path, on_bad_line="skip"))
    assert len(found) == 873
    assert all(isinstance(row, Reject) and row.reason.startswith("no response") for row in found)
    assert inspect(path).rejected == 873


@pytest.mark.parametrize("name", ["alpaca_libre", "instructionwild"])
def test_real_malformed_lines_are_refused_with_a_reason(shared_data: Path, tmp_path: Path, name: str) -> None:
    with gzip.open(shared_data / "sft-inputs" / f"{name}_malformed_lines.jsonl.gz", "rt", encoding="utf-8") as stream:
        raws = [json.loads(line)["raw"] for line in stream]
    path = tmp_path / "data.jsonl"
    path.write_bytes("".join(raw.rstrip("\r\n") + "\n" for raw in raws).encode())
    found = list(read(path, on_bad_line="skip"))
    assert len(found) == len(raws)
    assert all(isinstance(row, Reject) and row.reason.startswith("not JSON: ") for row in found)
    assert inspect(path).format is None


@pytest.mark.parametrize(("name", "count"), [("arc_train_noisy", 1778), ("fpb_train_noisy", 1585)])
def test_published_noisy_answers_with_their_truth(shared_data: Path, name: str, count: int) -> None:
    path = shared_data / "label-noise" / f"{name}.jsonl.gz"
    rows = [row for row in read(path, columns={"response": "noisy30", "truth": "answer"}) if isinstance(row, Row)]
    assert len(rows) == count
    wrong = sum(row.messages[-1].content != row.truth for row in rows)
    assert wrong / count == pytest.approx(0.3, abs=0.03)
    assert all(row.truth in "ABCDE"[: len(row.options)] for row in rows if row.truth)
    columns = {"response": "noisy30"}
    assert all(restore(r.source, r.format, r.messages, r.options, columns=columns) == r.source for r in rows)


def test_the_whole_of_alpaca(shared_data: Path) -> None:
    rows = [row for row in read(shared_data / "alpaca" / "alpaca_52k.jsonl.gz") if isinstance(row, Row)]
    assert [row.id for row in rows] == [str(i) for i in range(52002)]
    assert all(restore(r.source, r.format, r.messages) == r.source for r in rows)
