"""Every format is understood as its users mean it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from regold.errors import InputError
from regold.formats import NOISE, TRUTH, Reject, Row, read


def rows(tmp_path: Path, *values: Any, **how: Any) -> list[Row | Reject]:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(v) + "\n" for v in values), encoding="utf-8")
    return list(read(path, **how))


def only(tmp_path: Path, value: Any, **how: Any) -> Row:
    [row] = rows(tmp_path, value, **how)
    assert isinstance(row, Row)
    return row


def said(row: Row) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in row.messages]


def reason(tmp_path: Path, value: Any, **how: Any) -> str:
    [row] = rows(tmp_path, value, on_bad_line="skip", **how)
    assert isinstance(row, Reject)
    return row.reason


def test_alpaca_joins_instruction_and_input(tmp_path: Path) -> None:
    row = only(tmp_path, {"instruction": "Add.", "input": "1 2", "output": "3", "topic": "sums"})
    assert row.format == "alpaca"
    assert said(row) == [("user", "Add.\n\n1 2"), ("assistant", "3")]
    assert row.source["topic"] == "sums"


def test_alpaca_with_system_and_history(tmp_path: Path) -> None:
    value = {"instruction": "c", "input": "", "response": "d", "system": "s", "history": [["a", "b"]]}
    assert said(only(tmp_path, value)) == [
        ("system", "s"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
        ("assistant", "d"),
    ]


def test_sharegpt_ends_at_the_last_answer(tmp_path: Path) -> None:
    turns = [("system", "s"), ("human", "a"), ("gpt", "b"), ("human", "thanks")]
    row = only(tmp_path, {"conversations": [{"from": f, "value": v} for f, v in turns]})
    assert row.format == "sharegpt"
    assert said(row) == [("system", "s"), ("user", "a"), ("assistant", "b")]


def test_a_call_is_context_and_the_answer_after_it_the_response(tmp_path: Path) -> None:
    turns = [("human", "a"), ("function_call", "{}"), ("observation", "7"), ("gpt", "It is 7.")]
    row = only(tmp_path, {"conversations": [{"from": f, "value": v} for f, v in turns], "tools": "[]"})
    assert said(row)[1:] == [("assistant", "{}"), ("tool", "7"), ("assistant", "It is 7.")]
    assert row.messages[1].extra == {"from": "function_call"}


def test_messages_keep_tool_calls_reasoning_and_think_blocks(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "7", "tool_call_id": "1"},
        {"role": "assistant", "content": "<think>x</think>7", "reasoning_content": "because"},
    ]
    row = only(tmp_path, {"messages": turns})
    assert row.format == "messages"
    assert row.messages[1].extra == {"tool_calls": [call]}
    assert row.messages[3].content == "<think>x</think>7"
    assert row.messages[3].extra == {"reasoning_content": "because"}


def test_text_parts_are_one_text_and_images_are_refused(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    turns = [{"role": "user", "content": parts}, {"role": "assistant", "content": "c"}]
    assert said(only(tmp_path, {"messages": turns}))[0] == ("user", "ab")
    turns[0] = {"role": "user", "content": [{"type": "image_url", "image_url": {}}]}
    assert "messages[0].content holds image_url" in reason(tmp_path, {"messages": turns})


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [("a", "b"), ([{"role": "user", "content": "a"}], [{"role": "assistant", "content": "b"}])],
)
def test_prompt_and_completion_as_text_or_messages(tmp_path: Path, prompt: Any, completion: Any) -> None:
    row = only(tmp_path, {"prompt": prompt, "completion": completion})
    assert row.format == "prompt-completion"
    assert said(row) == [("user", "a"), ("assistant", "b")]


def test_question_and_answer_without_options_are_open(tmp_path: Path) -> None:
    row = only(tmp_path, {"question": "a", "answer": 42})
    assert (row.format, said(row)[1], row.options) == ("prompt-completion", ("assistant", "42"), ())


@pytest.mark.parametrize("answer", ["B", "b", "(B)", "B.", "**B**", 1, "1", "two"])
def test_choice_answers_are_letters_in_any_style(tmp_path: Path, answer: Any) -> None:
    row = only(tmp_path, {"question": "q?", "options": ["one", "two"], "answer": answer})
    assert row.format == "multiple-choice"
    assert said(row) == [("user", "q?\nA. one\nB. two"), ("assistant", "B")]
    assert row.options == ("one", "two")


def test_choice_labels_of_the_data_count_before_indices(tmp_path: Path) -> None:
    choices = {"text": ["w", "x", "y"], "label": ["1", "2", "3"]}
    assert said(only(tmp_path, {"question": "q", "choices": choices, "answerKey": "1"}))[1][1] == "A"
    assert said(only(tmp_path, {"question": "q", "options": {"A": "x", "B": "y"}, "answer": "B"}))[1][1] == "B"
    assert said(only(tmp_path, {"question": "q", "options": ["1", "2", "3"], "answer": "2"}))[1][1] == "B"


def test_choice_index_out_of_range_is_refused_and_odd_text_is_a_response(tmp_path: Path) -> None:
    assert "4 is no 0-based index of 2" in reason(tmp_path, {"question": "q", "options": ["x", "y"], "answer": 4})
    assert said(only(tmp_path, {"question": "q", "options": ["x", "y"], "answer": "no idea"}))[1][1] == "no idea"


@pytest.mark.parametrize("chosen", [{"from": "gpt", "value": "good"}, "good", [{"from": "gpt", "value": "good"}]])
def test_the_chosen_answer_of_a_preference_row_is_the_response(tmp_path: Path, chosen: Any) -> None:
    value = {"conversations": [{"from": "human", "value": "a"}], "chosen": chosen, "rejected": "bad"}
    row = only(tmp_path, value)
    assert said(row) == [("user", "a"), ("assistant", "good")]
    assert row.source["rejected"] == "bad"


def test_turns_all_makes_a_record_of_each_answer(tmp_path: Path) -> None:
    turns = [("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "d"), ("human", "e")]
    value = {"id": "x", "conversations": [{"from": f, "value": v} for f, v in turns], TRUTH: "D"}
    first, second = rows(tmp_path, value, turns="all")
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.id, first.turn, said(first), first.truth) == ("x#0", 0, [("user", "a"), ("assistant", "b")], None)
    assert (second.id, second.turn, len(second.messages), second.truth) == ("x#1", 1, 4, "D")


def test_reserved_columns_are_seen_by_nobody_but_truth_and_noise(tmp_path: Path) -> None:
    row = only(tmp_path, {"prompt": "a", "completion": "b", TRUTH: "c", NOISE: "swap"})
    assert (row.truth, row.noise) == ("c", "swap")
    assert set(row.source) == {"prompt", "completion"}


def test_columns_name_response_query_truth_and_id(tmp_path: Path) -> None:
    value = {"key": 7, "ask": "a", "good": "b", "bad": "c"}
    columns = {"id": "key", "query": "ask", "response": "bad", "truth": "good"}
    row = only(tmp_path, value, columns=columns)
    assert (row.id, said(row), row.truth) == ("7", [("user", "a"), ("assistant", "c")], "b")
    choice = {"question": "q", "options": ["x", "y"], "answer": 0, "noisy30": 1}
    row = only(tmp_path, choice, columns={"response": "noisy30", "truth": "answer"})
    assert (said(row)[1][1], row.truth) == ("B", "A")
    assert row.source == choice


def test_ids_are_own_or_positions(tmp_path: Path) -> None:
    values = [{"prompt": "a", "completion": "b"}, {"id": "k", "prompt": "a", "completion": "b"}]
    assert [r.id for r in rows(tmp_path, *values, *values[:1]) if isinstance(r, Row)] == ["0", "k", "2"]


@pytest.mark.parametrize(("first", "second"), [("k", "k"), (5, "5"), (None, "0"), ("1", None)])
def test_duplicate_ids_are_refused(tmp_path: Path, first: Any, second: Any) -> None:
    base = {"prompt": "a", "completion": "b"}
    one, two = rows(tmp_path, base | {"id": first}, base | {"id": second}, on_bad_line="skip")
    assert isinstance(one, Row)
    assert isinstance(two, Reject)
    assert "duplicate id" in two.reason
    assert first in (None, "1") or str(first) in two.reason
    with pytest.raises(InputError, match=r"data\.jsonl:2: duplicate id"):
        rows(tmp_path, base | {"id": first}, base | {"id": second})


def test_an_empty_response_is_no_bad_line(tmp_path: Path) -> None:
    assert only(tmp_path, {"instruction": "a", "output": ""}).messages[-1].content == ""
    assert only(tmp_path, {"instruction": "a", "output": None}).messages[-1].content == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"instruction": "a"}, "no response: there is no column output"),
        ({"instruction": None, "output": "b"}, "instruction is null"),
        ({"instruction": ["a"], "output": "b"}, "instruction is a list, expected text"),
        ({"instruction": "a", "output": {"x": 1}}, "output is an object, expected text"),
        ({"instruction": "a", "output": "b", "history": [["x"]]}, "history[0] is not a pair"),
        ({"conversations": []}, "conversations is empty"),
        ({"conversations": None}, "conversations is empty"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "no response"),
        ({"messages": [None, {"role": "user", "content": "a"}]}, "messages[0] is null"),
        ({"messages": [{"role": "narrator", "content": "a"}]}, "unknown role 'narrator'"),
        ({"messages": [{"role": ["user"], "content": "a"}]}, "unknown role"),
        ({"messages": [{"role": "user"}]}, "messages[0] has no content"),
        ({"messages": [{"content": "a"}]}, "neither a role nor a from"),
        ({"messages": "[torn"}, "messages: not JSON"),
        ({"question": "a", "options": [None, "b"], "answer": "A"}, "options holds a null"),
        ({"question": "a", "options": 3, "answer": "A"}, "options is a number"),
        ({"question": "a", "options": ["b"] * 27, "answer": "A"}, "at most 26"),
        ({"id": ["x"], "prompt": "a", "completion": "b"}, "the id is a list"),
    ],
)
def test_bad_rows_say_why(tmp_path: Path, value: Any, words: str) -> None:
    assert words in reason(tmp_path, value)
    with pytest.raises(InputError, match=r"data\.jsonl:1: "):
        rows(tmp_path, value)


def test_unknown_columns_format_and_settings_are_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"columns instuction, reply; did you mean instruction\? Expected one of"):
        rows(tmp_path, {"instuction": "a", "reply": "b"})
    with pytest.raises(InputError, match="did you mean alpaca"):
        rows(tmp_path, {"instruction": "a", "output": "b"}, format="alpacca")
    with pytest.raises(InputError, match="no response column 'noisy3'; did you mean noisy30"):
        rows(tmp_path, {"prompt": "a", "noisy30": "b"}, columns={"response": "noisy3"})
    with pytest.raises(InputError, match="turns is 'first'"):
        rows(tmp_path, {"prompt": "a", "completion": "b"}, turns="first")


def test_rejected_lines_keep_their_place_and_beginning(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": "torn\n\n{"prompt": "c", "completion": "d"}\n')
    one, torn, two = list(read(path, on_bad_line="skip"))
    assert isinstance(torn, Reject)
    assert (torn.line, torn.raw) == (2, '{"prompt": "torn')
    assert isinstance(one, Row)
    assert isinstance(two, Row)
    assert (one.id, two.id, two.line) == ("0", "2", 4)
