"""Exported folders load where they are meant to."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regold.errors import InputError
from regold.formats import TARGETS, Card, ExportRow, Row, export, read, write

CALL = '{"name": "add", "arguments": {"a": 1}}'
TOOLS = json.dumps([{"name": "add", "description": "adds", "parameters": {"type": "object"}}])
TURNS = [("system", "s"), ("human", "a"), ("function_call", CALL), ("observation", "2"), ("gpt", "It is 2.")]
ROW = {"conversations": [{"from": f, "value": v} for f, v in TURNS], "tools": TOOLS, "topic": "x"}


def rows(tmp_path: Path, *values: dict[str, Any], weight: float | None = None) -> Iterator[ExportRow]:
    write(tmp_path / "source.jsonl", values)
    for row in read(tmp_path / "source.jsonl"):
        assert isinstance(row, Row)
        yield ExportRow(row.source, row.messages, weight)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_hf_folder_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    card = Card('A "title": yes', "From *there*.", license="cc-by-4.0", language=("en",))
    values = [{"instruction": "a", "input": "", "output": str(i)} for i in range(3)]
    done = export("hf", tmp_path / "out", rows(tmp_path, *values, weight=0.5), card)
    assert done.records == 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert list(data) == ["train"]
    assert data["train"].to_list() == [value | {"loss_weight": 0.5} for value in values]
    again = [dict(row.source) for row in read(tmp_path / "out") if isinstance(row, Row)]
    assert again == data["train"].to_list()


def test_the_card_has_front_matter(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    export("hf", tmp_path / "out", rows(tmp_path, ROW), Card('A "title": yes', "From *there*.", "mit", ("en",)))
    front, body = (tmp_path / "out" / "README.md").read_text().split("---\n")[1:]
    assert yaml.safe_load(front) == {
        "license": "mit",
        "language": ["en"],
        "tags": ["regold"],
        "size_categories": ["n<1K"],
        "pretty_name": 'A "title": yes',
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
    }
    assert body == '\n# A "title": yes\n\nFrom *there*.\n\n1 records in one split, `train`.\n'


@pytest.mark.parametrize("target", ["trl", "openai", "axolotl"])
def test_messages_are_as_chat_templates_read_them(tmp_path: Path, target: str) -> None:
    done = export(target, tmp_path / "out", rows(tmp_path, ROW))
    [row] = lines(done.files[0])
    call = {"id": "call00200", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    assert row["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "2", "tool_call_id": "call00200"},
        {"role": "assistant", "content": "It is 2."},
    ]
    assert row["tools"] == [{"type": "function", "function": json.loads(TOOLS)[0]}]


def test_weights_reach_trainers_but_no_fine_tuning_service(tmp_path: Path) -> None:
    weights = {
        target: "loss_weight" in lines(export(target, tmp_path / target, rows(tmp_path, ROW, weight=0.5)).files[0])[0]
        for target in ("trl", "axolotl", "llamafactory", "openai")
    }
    assert weights == {"trl": True, "axolotl": True, "llamafactory": True, "openai": False}


TALK = {"messages": [{"role": r, "content": c} for r, c in zip(["user", "assistant"] * 2, "abcd", strict=True)]}


def test_loss_on_the_last_turn_alone_is_said_in_each_trainers_words(tmp_path: Path) -> None:
    made = {
        target: lines(export(target, tmp_path / target, rows(tmp_path, TALK), every_turn=False).files[0])[0]
        for target in ("trl", "axolotl", "openai")
    }
    turns = TALK["messages"]
    assert made["trl"] == {"prompt": turns[:3], "completion": turns[3:]}
    assert made["axolotl"]["messages"] == [turns[0], turns[1] | {"train": False}, *turns[2:]]
    assert made["openai"]["messages"] == [turns[0], turns[1] | {"weight": 0}, *turns[2:]]


def test_trainers_that_read_no_weights_get_no_record_of_weight_0_and_say_so(tmp_path: Path) -> None:
    given = [ExportRow(TALK, next(rows(tmp_path, TALK)).messages, weight) for weight in (0.0, 0.5, 1.0)]
    for target in TARGETS:
        done = export(target, tmp_path / target, given)
        assert done.records == (3 if target == "hf" else 2)
        assert [w.split()[0] for w in done.warnings] == {"hf": [], "openai": ["OpenAI", "1", target]}.get(
            target, ["1", target]
        )


_OPENAI_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "weight"},
    "tool": {"role", "content", "tool_call_id"},
}


def test_openai_gets_what_its_documentation_asks_for(tmp_path: Path) -> None:
    thought = {"role": "assistant", "content": "b", "reasoning_content": "why"}
    talk = {"messages": [TALK["messages"][0], thought, *TALK["messages"][2:]]}
    for name, source, every in (("calls", ROW, True), ("talk", talk, False), ("all", talk, True)):
        done = export("openai", tmp_path / name, list(rows(tmp_path, source)) * 10, every_turn=every)
        assert done.warnings == ()
        for row in lines(done.files[0]):
            _check_openai(row)


def _check_openai(row: dict) -> None:
    assert set(row) <= {"messages", "tools", "parallel_tool_calls"}
    turns, called = row["messages"], []
    assert turns[-1]["role"] == "assistant"
    assert any(turn["role"] == "assistant" and turn.get("weight", 1) == 1 for turn in turns)
    for turn in turns:
        assert set(turn) <= _OPENAI_KEYS[turn["role"]]
        assert turn.get("weight", 1) in (0, 1)
        assert isinstance(turn["content"], str) or turn["tool_calls"]
        for call in turn.get("tool_calls", ()):
            assert call["type"] == "function"
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            called.append(call["id"])
        if turn["role"] == "tool":
            assert turn["tool_call_id"] in called
    assert all(tool["type"] == "function" and tool["function"]["name"] for tool in row.get("tools", ()))


def test_llamafactory_gets_its_entry_and_a_warning_for_what_it_skips(tmp_path: Path) -> None:
    starts_wrong = {"conversations": [{"from": "gpt", "value": "hi"}]}
    done = export("llamafactory", tmp_path / "out", rows(tmp_path, ROW, starts_wrong))
    entry = json.loads((tmp_path / "out" / "dataset_info.json").read_text())["regold"]
    assert (entry["file_name"], entry["formatting"]) == ("regold.jsonl", "sharegpt")
    assert entry["columns"] == {"messages": "conversations", "system": "system", "tools": "tools"}
    first, _ = lines(tmp_path / "out" / "regold.jsonl")
    assert first == {"conversations": ROW["conversations"][1:], "system": "s", "tools": TOOLS}
    assert done.warnings == (
        "LLaMA-Factory will skip 1 records whose turns do not alternate between asking and answering",
    )


def test_llamafactory_calls_from_messages(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "2", "tool_call_id": "1"},
        {"role": "assistant", "content": "It is 2."},
    ]
    done = export("llamafactory", tmp_path / "out", rows(tmp_path, {"messages": turns}))
    said = lines(done.files[0])[0]["conversations"]
    assert [t["from"] for t in said] == ["human", "function_call", "observation", "gpt"]
    assert json.loads(said[1]["value"]) == [json.loads(CALL)]
    assert not done.warnings


def test_targets_and_folders_are_checked_before_writing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean axolotl"):
        export("axolotle", tmp_path / "out", [])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("")
    for target in TARGETS:
        with pytest.raises(InputError, match="not empty"):
            export(target, tmp_path / "out", [])
