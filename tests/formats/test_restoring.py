"""What is read goes back where it came from, changed only where a message changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regold.errors import InputError
from regold.formats import FORMATS, Reject, Row, read, rejoin, restore, split_id, with_truth, write
from regold.record import Message, Messages

TURNS = [("human", "a"), ("function_call", "{}"), ("observation", "7"), ("gpt", "b"), ("human", "c"), ("gpt", "d")]
CHAT = {"id": "x", "conversations": [{"from": f, "value": v, "w": 1} for f, v in TURNS], "tools": "[]", "system": "s"}


def parse(tmp_path: Path, value: Any, **how: Any) -> list[Row]:
    path = tmp_path / "data.jsonl"
    write(path, [value])
    return [row for row in read(path, **how) if isinstance(row, Row)]


def one(tmp_path: Path, value: Any, **how: Any) -> Row:
    [row] = parse(tmp_path, value, **how)
    return row


def with_text(messages: Messages, place: int, text: str) -> Messages:
    changed = list(messages)
    changed[place] = replace(changed[place], content=text)
    return tuple(changed)


def back(row: Row, messages: Messages, **how: Any) -> dict[str, Any]:
    return restore(row.source, row.format, messages, row.options, turn=row.turn, **how)


def test_a_new_response_changes_nothing_else(tmp_path: Path) -> None:
    trailing = CHAT | {"conversations": [*CHAT["conversations"], {"from": "human", "value": "thanks"}]}
    row = one(tmp_path, trailing)
    expected = json.loads(json.dumps(trailing))
    expected["conversations"][5]["value"] = "D"
    assert back(row, with_text(row.messages, -1, "D")) == expected
    assert dict(row.source) == trailing


def test_a_new_question_keeps_the_input_it_ends_in(tmp_path: Path) -> None:
    row = one(tmp_path, {"instruction": "Add.", "input": "1 2", "output": "3"})
    assert back(row, with_text(row.messages, 0, "Sum up.\n\n1 2")) == row.source | {"instruction": "Sum up."}
    other = back(row, with_text(row.messages, 0, "Sum 1 and 2."))
    assert other == {"instruction": "Sum 1 and 2.", "input": "", "output": "3"}


@pytest.mark.parametrize(
    ("answer", "new"),
    [("A", "B"), ("a", "b"), ("(A)", "(B)"), ("A.", "B."), (0, 1), ("0", "1"), ("one", "two"), (None, "B"), ("?", "B")],
)
def test_an_answer_is_written_back_in_its_own_style(tmp_path: Path, answer: Any, new: Any) -> None:
    row = one(tmp_path, {"question": "q", "options": ["one", "two"], "answer": answer})
    assert back(row, row.messages) == row.source
    assert back(row, with_text(row.messages, -1, "B")) == row.source | {"answer": new}


def test_an_option_worded_like_another_letter_is_written_as_a_letter(tmp_path: Path) -> None:
    row = one(tmp_path, {"question": "q", "options": ["0", "A"], "answer": "0"})
    again = one(tmp_path, back(row, with_text(row.messages, -1, "B")))
    assert again.messages[-1].content == again.source["answer"] == "B"


def test_labels_of_the_data_are_written_back(tmp_path: Path) -> None:
    row = one(tmp_path, {"question": "q", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "1"})
    assert back(row, with_text(row.messages, -1, "B"))["answerKey"] == "2"


def test_choice_question_and_options_change_apart(tmp_path: Path) -> None:
    row = one(tmp_path, {"question": "q", "options": ["x", "y"], "answer": "A"})
    assert back(row, with_text(row.messages, 0, "Q!\nA. x\nB. y")) == row.source | {"question": "Q!"}
    more = restore(row.source, row.format, with_text(row.messages, 0, "q\nA. x\nB. y\nC. z"), ("x", "y", "z"))
    assert more == row.source | {"options": ["x", "y", "z"]}


def test_options_in_columns_of_their_own_are_multiple_choice(tmp_path: Path) -> None:
    value = {"id": "1", "question": "q", "A": "x", "B": 2, "C": "z", "D": "", "answer": "C", "subject": "law"}
    row = one(tmp_path, value)
    assert (row.format, row.options) == ("multiple-choice", ("x", "2", "z"))
    assert [m.content for m in row.messages] == ["q\nA. x\nB. 2\nC. z", "C"]
    assert back(row, row.messages) == value
    assert back(row, with_text(row.messages, -1, "B")) == value | {"answer": "B"}
    fewer = restore(row.source, row.format, row.messages, ("x", "3"))
    assert fewer == value | {"B": 3, "C": "", "D": ""}
    more = restore(row.source, row.format, row.messages, tuple("vwxyz"))
    assert more == value | {"A": "v", "B": "w", "C": "x", "D": "y", "E": "z"}


def test_columns_a_and_b_without_an_answer_are_no_options(tmp_path: Path) -> None:
    assert one(tmp_path, {"prompt": "q", "A": "x", "B": "y", "chosen": "x"}).format == "prompt-completion"
    assert one(tmp_path, {"Question": "q", "A": "x", "B": "y", "Answer": "B"}).format == "multiple-choice"


def test_numbers_stay_numbers_and_json_texts_json_texts(tmp_path: Path) -> None:
    row = one(tmp_path, {"question": "q", "answer": 4})
    assert back(row, with_text(row.messages, -1, "5"))["answer"] == 5
    assert [back(row, with_text(row.messages, -1, t))["answer"] for t in ("five", "5.0e0")] == ["five", "5.0e0"]
    packed = json.dumps([{"role": "user", "content": "a"}, {"role": "assistant", "content": "ü"}])
    row = one(tmp_path, {"messages": packed})
    assert back(row, row.messages) == row.source
    assert json.loads(back(row, with_text(row.messages, -1, "c"))["messages"])[1]["content"] == "c"


def test_text_parts_and_extras_go_back(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "b"}]
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": parts, "reasoning_content": "r"}]
    row = one(tmp_path, {"messages": turns})
    assert back(row, with_text(row.messages, 1, "c"))["messages"][1]["content"] == [{"type": "text", "text": "c"}]
    plain = (row.messages[0], Message("assistant", "c"))
    assert "reasoning_content" not in back(row, plain)["messages"][1]


def test_the_chosen_answer_is_replaced_and_the_rejected_one_kept(tmp_path: Path) -> None:
    value = {"conversations": TURNS[:0], "chosen": {"from": "gpt", "value": "good"}, "rejected": "bad"}
    value["conversations"] = [{"from": "human", "value": "a"}]
    row = one(tmp_path, value)
    expected = value | {"chosen": {"from": "gpt", "value": "better"}}
    assert back(row, with_text(row.messages, -1, "better")) == expected


def test_turns_come_back_into_one_conversation(tmp_path: Path) -> None:
    first, second = parse(tmp_path, CHAT, turns="all")
    assert [split_id(r.id) for r in (first, second)] == [("x", 0), ("x", 1)]
    texts = {0: with_text(first.messages, -1, "B"), 1: with_text(with_text(second.messages, -1, "D"), 1, "ignored")}
    row = rejoin(CHAT, "sharegpt", texts)
    assert [t["value"] for t in row["conversations"]] == ["a", "{}", "7", "B", "c", "D"]
    assert rejoin(CHAT, "sharegpt", {}) == CHAT
    assert rejoin(CHAT, "sharegpt", {0: first.messages, 1: second.messages}) == CHAT
    only = back(first, with_text(first.messages, -1, "B"))
    assert [t["value"] for t in only["conversations"]] == ["a", "{}", "7", "B", "c", "d"]
    with pytest.raises(ValueError, match="turn 1 has 1 messages"):
        rejoin(CHAT, "sharegpt", {1: second.messages[:1]})


FUSED = (Message("system", "S"), Message("user", "both"), Message("assistant", "all"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CHAT, {"conversations": [{"from": "human", "value": "both"}, {"from": "gpt", "value": "all"}], "system": "S"}),
        (
            {"instruction": "a", "input": "i", "output": "b", "system": "s", "history": [["x", "y"]]},
            {"instruction": "both", "input": "", "output": "all", "system": "S", "history": []},
        ),
        ({"instruction": "a", "output": "b"}, {"instruction": "S\n\nboth", "output": "all"}),
        ({"prompt": "a", "completion": "b"}, {"prompt": "S\n\nboth", "completion": "all"}),
        (
            {"prompt": [{"role": "user", "content": "a"}], "completion": "b"},
            {
                "prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "both"}],
                "completion": "all",
            },
        ),
    ],
)
def test_a_fused_record_is_written_anew_in_the_rows_own_shape(
    tmp_path: Path, value: dict[str, Any], expected: dict[str, Any]
) -> None:
    row = one(tmp_path, value)
    fused = back(row, FUSED)
    assert fused == value | expected
    again = one(tmp_path, fused)
    assert again.messages[-1].content == "all"
    assert again.messages[-2].content.endswith("both")


def test_truth_is_written_for_corrupted_files_and_read_back(tmp_path: Path) -> None:
    row = one(tmp_path, {"prompt": "a", "completion": "b"})
    wrong = replace(row, messages=with_text(row.messages, -1, "c"), truth="b", noise="swap")
    again = one(tmp_path, with_truth(wrong))
    assert (again.messages, again.truth, again.noise) == (wrong.messages, "b", "swap")
    assert again.source == {"prompt": "a", "completion": "c"}


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean messages"):
        restore({}, "mesages", ())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FILLED = TEXT.filter(bool)
SCALAR = st.one_of(TEXT, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    SCALAR, lambda x: st.one_of(st.lists(x, max_size=3), st.dictionaries(TEXT, x, max_size=3)), max_leaves=8
)
PAIR = st.lists(TEXT, min_size=2, max_size=2)
EXTRA = st.dictionaries(st.sampled_from(["topic", "n", "é", "tools"]), JSON, max_size=2)


def turns(role: str, content: str, names: tuple[str, str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    turn = st.builds(lambda f, v, e: {role: f, content: v} | e, st.sampled_from(names), TEXT, st.just({}))
    answer = st.builds(lambda v: [{role: names[1], content: v}], TEXT)
    return st.builds(
        lambda before, last, after: before + last + after, st.lists(turn), answer, st.lists(turn, max_size=2)
    )


ROWS = {
    "alpaca": st.fixed_dictionaries(
        {"instruction": TEXT, "output": SCALAR},
        optional={
            "input": TEXT,
            "system": TEXT,
            "history": st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=2),
        },
    ),
    "sharegpt": st.fixed_dictionaries(
        {"conversations": turns("from", "value", ("human", "gpt"))}, optional={"system": TEXT}
    ),
    "messages": st.fixed_dictionaries({"messages": turns("role", "content", ("user", "assistant"))}),
    "prompt-completion": st.fixed_dictionaries({"prompt": TEXT, "completion": SCALAR}),
    "multiple-choice": st.builds(
        lambda question, options, place, style: {
            "question": question,
            "options": options,
            "answer": ["ABCD"[place % len(options)], place % len(options), options[place % len(options)]][style],
        },
        TEXT,
        st.lists(FILLED, min_size=2, max_size=4, unique=True),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_round_trips_lose_nothing(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rows")

    @settings(max_examples=60, deadline=None)
    @given(ROWS[name], EXTRA, FILLED)
    def check(value: dict[str, Any], extra: dict[str, Any], text: str) -> None:
        value = extra | value
        row = one(folder, value, format=name)
        assert back(row, row.messages) == value
        new = "B" if row.options else text
        again = one(folder, back(row, with_text(row.messages, -1, new)), format=name)
        assert [m.content for m in again.messages] == [m.content for m in with_text(row.messages, -1, new)]
        for turn in parse(folder, value, format=name, turns="all"):
            assert back(turn, turn.messages) == value

    check()


def test_any_object_is_read_or_refused_never_a_crash(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rows")
    names = ["id", "instruction", "input", "output", "history", "system", "conversations", "messages", "chosen"]
    names += ["prompt", "completion", "question", "options", "choices", "answer", "label", "_regold_truth"]
    turn = st.dictionaries(st.sampled_from(["role", "content", "from", "value", "tool_calls"]), JSON)
    said = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "tool"]), "content": JSON})
    value = st.one_of(JSON, st.lists(turn, max_size=2), st.lists(said, max_size=3), turn)

    @settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(st.sampled_from(names), value), st.sampled_from([None, *FORMATS]))
    def check(row: dict[str, Any], name: str | None) -> None:
        path = folder / "data.jsonl"
        write(path, [row])
        try:
            found = list(read(path, format=name, turns="all", on_bad_line="skip"))
        except InputError:
            return
        for record in found:
            if isinstance(record, Reject):
                assert record.reason
            else:
                assert back(record, record.messages) == record.source
                back(record, with_text(record.messages, -1, "new"))
                back(record, FUSED)

    check()
