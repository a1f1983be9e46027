"""Questions from local files and from rows as the hub has them; what is missing is said, with how to get it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import regold.evaluate.shapes as shapes
import regold.evaluate.sources as sources
from regold.errors import InputError
from regold.evaluate.sources import SOURCES, MissingData, questions
from tests.evaluate.fixtures import FILES, write_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", SOURCES)
def test_every_benchmark_is_read_from_local_files(folder: Path, name: str) -> None:
    docs = questions(SOURCES[name], str(folder))
    assert docs
    assert len({doc["id"] for doc in docs}) == len(docs)
    assert all(doc["question"] and isinstance(doc["category"], str) for doc in docs)
    assert len(sources.load(name, str(folder))["test"]) == len(docs)


def test_worked_examples_come_from_the_same_category(folder: Path) -> None:
    docs = questions(SOURCES["mmlu"], str(folder), shots=3)
    assert all(len(doc["shots"]) == 3 for doc in docs)
    assert all(shot["category"] == doc["category"] for doc in docs for shot in doc["shots"])
    held = questions(SOURCES["bbh"], str(folder), shots=3)
    asked = {doc["question"] for doc in held}
    assert len(held) == 15 - 9
    assert not asked & {shot["question"] for doc in held for shot in doc["shots"]}


def test_a_limit_spreads_over_the_file_and_keeps_ids(folder: Path) -> None:
    docs = questions(SOURCES["mmlu"], str(folder), limit=4)
    assert [doc["id"] for doc in docs] == ["astronomy", "astronomy#2", "astronomy#3", "astronomy#4"]
    assert len(questions(SOURCES["mmlu"], str(folder), limit=99)) == 8


def test_a_test_split_is_kept_to(folder: Path) -> None:
    assert [doc["id"] for doc in questions(SOURCES["pubmedqa"], str(folder))] == ["0", "2", "4"]
    assert [doc["id"] for doc in questions(SOURCES["mbpp"], str(folder))] == ["11", "12"]


def test_gold_passages_are_cut_by_bytes_and_rows_without_one_left_out(folder: Path) -> None:
    finnish, swahili = questions(SOURCES["tydiqa"], str(folder))
    assert (finnish["category"], finnish["answer"]) == ("finnish", "1869")
    assert (swahili["context"], swahili["answer"]) == ("Mji ni Dodoma.", "Dodoma")


def test_a_flat_folder_and_plain_files_will_do(tmp_path: Path) -> None:
    (tmp_path / "gsm8k_test.jsonl").write_text(json.dumps(FILES["gsm8k/test"][0]) + "\n")
    (doc,) = questions(SOURCES["gsm8k"], str(tmp_path))
    assert doc["worked"] == "0 + 1 = 1"
    assert doc["answer"] == "1"


def test_what_is_not_there_is_said_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"no eval/simpleqa.jsonl\[.gz\] under .* basicv8vc/SimpleQA.*hub"):
        questions(SOURCES["simpleqa"], str(tmp_path))


def test_a_hub_that_cannot_be_reached_is_missing_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("datasets.load_dataset", offline)
    monkeypatch.setattr("datasets.get_dataset_config_names", offline)
    for name in ("mmlu", "bbh"):
        with pytest.raises(MissingData, match=r"ConnectionError: no route to host.*--data"):
            questions(SOURCES[name], None)


def test_a_row_of_another_kind_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "eval").mkdir()
    file = tmp_path / "eval" / "aime25.jsonl"
    file.write_text('{"problem": "p", "answer": 1}\n{"prompt": "x"}\n')
    with pytest.raises(InputError, match=r"aime25.jsonl:2: not a question"):
        questions(SOURCES["aime25"], str(tmp_path))
    file.write_text('{"problem": \n')
    with pytest.raises(InputError, match=r"aime25.jsonl:1: "):
        questions(SOURCES["aime25"], str(tmp_path))


def test_rows_as_the_hub_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "cais/mmlu": [{"subject": "law", "question": "q", "choices": ["a", "b"], "answer": 1}],
        "allenai/ai2_arc": [
            {"id": "x", "question": "q", "choices": {"text": ["a", "b"], "label": ["1", "2"]}, "answerKey": "2"}
        ],
        "lmassaron/FinancialPhraseBank": [{"sentence": "Up.", "label": 2, "sentiment": "positive"}],
        "qiaojin/PubMedQA": [
            {"pubid": 1, "question": "q", "context": {"contexts": ["c"]}, "final_decision": "maybe"},
        ],
        "truthfulqa/truthful_qa": [
            {
                "category": "Myths",
                "question": "q",
                "best_answer": "t",
                "correct_answers": ["t", "u"],
                "incorrect_answers": ["f"],
            }
        ],
        "SaylorTwift/bbh": [{"input": "not True is", "target": "False"}],
    }
    monkeypatch.setattr("datasets.load_dataset", lambda name, config, split: rows[name])
    monkeypatch.setattr("datasets.get_dataset_config_names", lambda name: ["boolean_expressions"])
    found = {name: questions(SOURCES[name], None)[0] for name in ("mmlu", "arc", "fpb", "pubmedqa", "bbh")}
    assert {name: doc["answer"] for name, doc in found.items()} == {
        "mmlu": "B",
        "arc": "B",
        "fpb": "C",
        "pubmedqa": "C",
        "bbh": "False",
    }
    assert found["bbh"]["category"] == "boolean_expressions"
    truth = questions(SOURCES["truthfulqa"], None)[0]
    assert (truth["true"], truth["false"], truth["candidates"]) == (["t", "u"], ["f"], ["t", "u", "f"])


def test_an_answer_that_is_no_option_is_refused() -> None:
    with pytest.raises(ValueError, match="none of 2 options"):
        shapes.mmlu({"subject": "law", "question": "q", "options": ["a", "b"], "answer": "C"})
