from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from regold.methods.agreement import same_answer
from regold.methods.answers import Kind, extract, kind_of, read_answer

OPTIONS = ("Paris", "London")
LONG = "London lies on the Thames. It has been the capital for centuries, and the seat of parliament."


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ("42", Kind.NUMBER), ("$1,234.50", Kind.NUMBER), ("42 apples.", Kind.NUMBER), ("12%", Kind.NUMBER),
        ("3/4", Kind.NUMBER),
        ("She has 3 + 4 = 7.\n#### 7", Kind.NUMBER), ("So the answer is 7.", Kind.NUMBER),
        (r"Thus $\boxed{7}$.", Kind.NUMBER),
        ("Maribel", Kind.SHORT), ("New York City", Kind.SHORT), ("yes", Kind.SHORT), ("positive", Kind.SHORT),
        ("10:30", Kind.SHORT),
        ("It lies far away. So the answer is Maribel.", Kind.SHORT), ("The answer is Maribel.", Kind.SHORT),
        (LONG, Kind.FREE), ("", Kind.FREE), ("Roses are red,\nviolets are blue.", Kind.FREE),
        ("The answer is simple. " + LONG, Kind.FREE),
    ],
)  # fmt: skip
def test_the_given_response_tells_the_kind(response: str, kind: Kind) -> None:
    assert kind_of(response) == kind
    assert kind_of(response, OPTIONS) == Kind.CHOICE


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("42", "42"), ("**42**", "42"), ("42.", "42"), ("$42", "$42"), ("42 apples", "42 apples"),
        ("The answer is 42.", "42"),
        ("The answer is 42 apples.", "42 apples"), ("The answer is $1,234.50.", "$1,234.50"), ("Answer: 42", "42"),
        ("#### 42", "42"),
        ("Five and 3.\n#### 1,042", "1,042"), (r"\boxed{42}", "42"), (r"Hence $\boxed{\frac{3}{4}}$.", "3/4"),
        ("A: 17", "17"),
        ("The answer is 5 + 3 = 8.", "8"), ("The answer is 3. No, the answer is 4.", "4"), ("The answer is -5", "-5"),
        ("The answer is approximately 3.14.", "approximately 3.14"), ("The answer is 18 because 9 * 2 is 18.", "18"),
        ("5 apples, then 3 more.\nSo she has 5 + 3 = 8 apples.", "8"), ("She has 8 apples.", "8"), ("<<5+3=8>>8", "8"),
        ("<think>The answer is 3</think>4", "4"), ("The answer is 12%.", "12%"), ("Answer: 3/4", "3/4"),
        ("She buys 3 and 4.", None), ("I do not know.", None), ("", None), ("The answer is unknown.", None),
        ("On day 3 of 7 it rained.", None), ("<think>42", None),
    ],
)  # fmt: skip
def test_a_number_is_read_as_stated_or_not_at_all(text: str, answer: str | None) -> None:
    assert extract(text, Kind.NUMBER) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Maribel", "Maribel"), ("**Maribel**", "Maribel"), ('"Maribel".', "Maribel"),
        ("Maribel: capital of Orla. The answer is Maribel.", "Maribel"),
        ("The answer is St. Louis.", "St. Louis"), ("The answer is Paris. I hope this helps.", "Paris"),
        ("Answer: Paris", "Paris"),
        ("Final answer:\nParis", "Paris"), ("**Final Answer:** *Paris*", "Paris"),
        ("The answer is U.S. dollars.", "U.S. dollars"),
        ("Yes, because the study shows it at length and in detail.", "Yes"), ("No.", "No"), ("The answer is: no", "no"),
        ("The answer is A.\nThe answer is B.", "B"), ("<answer>north east</answer>", "north east"),
        (r"\boxed{\text{east}}", "east"),
        (LONG, None), ("", None),
    ],
)  # fmt: skip
def test_a_short_answer_is_a_statement_or_a_few_words(text: str, answer: str | None) -> None:
    assert extract(text, Kind.SHORT) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (LONG, LONG), (f"Let me think.\nFinal answer: {LONG}", LONG),
        (f"Steps.\n\n**Final answer:**\n{LONG}\n\nMore of it.", f"{LONG}\n\nMore of it."),
        (f"<think>hm</think>\n{LONG}", LONG), (f"Work.\n<answer>{LONG}</answer>", LONG),
        (f"Work.\nAnswer: {LONG}", LONG),
        ("Q: a?\nAnswer: b\nQ: c?\nAnswer: d", "Q: a?\nAnswer: b\nQ: c?\nAnswer: d"), ("", None),
        ("<think>never ends", None),
        ("Final answer:\n```python\nprint(1)\n```", "```python\nprint(1)\n```"),
        ("Final answer: draft\nFinal answer: - one\n- two", "- one\n- two"),
    ],
)  # fmt: skip
def test_a_free_answer_is_the_response_part(text: str, answer: str | None) -> None:
    assert extract(text, Kind.FREE) == answer


@pytest.mark.parametrize("kind", list(Kind))
def test_a_text_cut_off_states_nothing(kind: Kind) -> None:
    assert extract("The answer is B.", kind, OPTIONS, finish="length") is None
    assert read_answer("The answer is B.", "B", OPTIONS, finish="length") is None


def test_with_stated_only_a_statement_counts() -> None:
    assert extract("42", Kind.NUMBER, stated=True) is None
    assert extract("She has 8.", Kind.NUMBER, stated=True) is None
    assert extract("Looks right.", Kind.SHORT, stated=True) is None
    assert extract(LONG, Kind.FREE, stated=True) is None
    assert extract("The answer is 42.", Kind.NUMBER, stated=True) == "42"
    assert extract(f"Final answer: {LONG}", Kind.FREE, stated=True) == LONG


def test_an_open_answer_of_another_kind_is_kept_as_text() -> None:
    assert (
        read_answer("The capital is far away in the hills of Orla.", "Maribel")
        == "The capital is far away in the hills of Orla."
    )
    assert read_answer("Nobody can know that.", "42") == "Nobody can know that."
    assert read_answer("Nobody can know that.", "B", OPTIONS) is None


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.shared_data
def test_real_solutions_are_judged_as_their_labels_say(shared_data: Path) -> None:
    rows = _rows(shared_data, "gsm8k/model_solutions_labelled")
    same = [
        same_answer(read_answer(r["ground_truth"], r["ground_truth"]), read_answer(r["solution"], r["ground_truth"]))
        is True
        for r in rows
    ]
    assert sum(s == r["is_correct"] for s, r in zip(same, rows, strict=True)) == len(rows) == 2724


@pytest.mark.shared_data
def test_real_worked_answers_end_in_their_number(shared_data: Path) -> None:
    answers = [row["answer"] for row in _rows(shared_data, "gsm8k/train")]
    assert {kind_of(a) for a in answers} == {Kind.NUMBER}
    assert all(extract(a, Kind.NUMBER) == a.rpartition("#### ")[2] for a in answers)


@pytest.mark.shared_data
def test_real_chains_of_thought_are_read_right(shared_data: Path) -> None:
    rows = _rows(shared_data, "reasoning/bbh_cot_labelled")
    wrong = [r for r in rows if _right(r) is not None and _right(r) != r["is_correct"]]
    undecided = [r for r in rows if _right(r) is None]
    assert len(wrong) <= 0.002 * len(rows)
    assert len(undecided) <= 0.05 * len(rows)


def _right(row: dict[str, Any]) -> bool | None:
    return same_answer(read_answer(row["target"], row["target"]), read_answer(row["response"], row["target"]))


@pytest.mark.shared_data
def test_real_boxed_answers_are_found(shared_data: Path) -> None:
    rows = _rows(shared_data, "eval/math500")
    kinds = [Kind.NUMBER if kind_of(r["answer"]) == Kind.NUMBER else Kind.SHORT for r in rows]
    found = [same_answer(extract(r["solution"], k), r["answer"]) for r, k in zip(rows, kinds, strict=True)]
    assert sum(f is True for f in found) >= 495
