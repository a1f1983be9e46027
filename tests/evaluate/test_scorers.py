"""Scorers against hand-made answers, in the many ways in which models put them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

import regold.evaluate.scorers as scorers
from regold.evaluate.said import Said
from regold.methods.answers import read_answer

CAPITALS = {"options": ["Rome", "Paris", "Bern", "Oslo"], "answer": "B"}


@pytest.mark.parametrize(
    "said",
    [
        "B",
        "B.",
        "(B)",
        "**B**",
        "b)",
        "B. Paris",
        "Paris",
        "The answer is B",
        "the answer is (B).",
        "The answer is **B**.",
        "Rome is in Italy, so it is not A. The answer is B because Paris is the capital.",
        r"\boxed{B}",
        "Answer: B",
        "<think>A? No.</think>The correct option is B.",
    ],
)
def test_letters(said: str) -> None:
    assert scorers.choice(CAPITALS, [said]) == {"acc": 1.0, "unread": 0.0}


@pytest.mark.parametrize(
    ("said", "unread"),
    [("A", 0), ("The answer is not B.", 1), ("B or C", 1), ("", 1), ("I cannot tell.", 1), ("The answer is E", 1)],
)
def test_other_letters_and_no_clear_ones_are_wrong(said: str, unread: int) -> None:
    assert scorers.choice(CAPITALS, [said]) == {"acc": 0.0, "unread": unread}


@pytest.mark.parametrize("said", ["B.", "(B)", "**B**", "The answer is B", "b) Paris", "Not A, so the answer is (B)."])
def test_the_check_of_the_data_reads_letters_as_the_scorer_does(said: str) -> None:
    assert read_answer(said, "B", CAPITALS["options"]) == scorers.read_letter(CAPITALS, said) == "B"


@pytest.mark.parametrize("said", ["1,234", "$1,234.00", "The answer is 1,234 dollars.", "1234 km", "**1234**"])
def test_the_check_of_the_data_reads_numbers_as_the_scorer_does(said: str) -> None:
    read = read_answer(said, "1234"), scorers.read_number({"answer": "1234"}, said)
    assert [scorers.number({"answer": "1234"}, [r or ""])["exact_match"] for r in read] == [1.0, 1.0]


def test_what_was_cut_off_states_nothing() -> None:
    assert scorers.choice(CAPITALS, [Said("The answer is B", "length")]) == {"acc": 0.0, "unread": 1.0}
    assert scorers.number({"answer": "5"}, [Said("The answer is 5", "length")])["unread"] == 1
    assert scorers.mathematics({"answer": "5"}, [Said(r"\boxed{5}", "length")])["unread"] == 1


@pytest.mark.parametrize(
    "said",
    [
        "1,234",
        "#### 1234",
        "The answer is $1,234.00.",
        "The answer is 1234 dollars.",
        "So 1,200 + 34 = **1,234**",
        r"Therefore \boxed{1{,}234}",
        "It is 5 at first.\nThe answer is 1234 apples in total.",
    ],
)
def test_numbers(said: str) -> None:
    assert scorers.number({"answer": "1234"}, [said]) == {"exact_match": 1.0, "unread": 0.0}


@pytest.mark.parametrize("said", ["1235", "The answer is 12.34", "", "The answer is many"])
def test_other_numbers(said: str) -> None:
    assert scorers.number({"answer": "1234"}, [said])["exact_match"] == 0


def test_formulas() -> None:
    doc = {"answer": r"\frac{1}{2}"}
    assert scorers.mathematics(doc, [r"Thus $\boxed{\dfrac12}$."]) == {"exact_match": 1.0, "unread": 0.0}
    assert scorers.mathematics(doc, ["The answer is 0.5"])["exact_match"] == 1
    assert scorers.mathematics(doc, [r"\boxed{2}"])["exact_match"] == 0


def bbh(category: str, answer: str, said: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
    return scorers.bbh({"category": category, "answer": answer, "options": list(options)}, [said])


@pytest.mark.parametrize(
    ("category", "answer", "said", "options"),
    [
        ("hyperbaton", "(B)", "The answer is (B).", ("old grey", "grey old")),
        ("hyperbaton", "(B)", "grey old", ("old grey", "grey old")),
        ("navigate", "No", "So we are elsewhere. The answer is No.", ("Yes", "No")),
        ("formal_fallacies", "invalid", "The answer is invalid.", ("valid", "invalid")),
        ("boolean_expressions", "False", "The answer is False", ()),
        ("web_of_lies", "Yes", "Yes.", ()),
        ("multistep_arithmetic_two", "-24", "The answer is -24.", ()),
        ("word_sorting", "apple bee cat dog elk fox", "The answer is apple, bee, cat, dog, elk, fox", ()),
        ("dyck_languages", "] )", "The answer is ] )", ()),
        ("dyck_languages", "] ) >", "])>", ()),
    ],
)
def test_bbh(category: str, answer: str, said: str, options: tuple[str, ...]) -> None:
    assert bbh(category, answer, said, options) == {"exact_match": 1.0, "unread": 0.0, "undecided": 0.0}
    assert bbh(category, answer, "The answer is something else entirely", options)["exact_match"] == 0


def test_spans_of_drop_and_tydiqa() -> None:
    one = {"golds": json.dumps([["27 yards"], ["27"]])}
    assert scorers.spans(one, ["The answer is 27-yards."]) == {"em": 1.0, "f1": 1.0, "unread": 0.0}
    assert scorers.spans(one, ["28 yards"])["f1"] == 0
    assert scorers.spans(one, ["27 long yards"]) == {"em": 0.0, "f1": pytest.approx(0.8), "unread": 0.0}
    several = {"golds": json.dumps([["Smith", "Jones"]])}
    assert scorers.spans(several, ["Jones and Smith"]) == {"em": 1.0, "f1": 1.0, "unread": 0.0}
    assert scorers.spans(several, ["Jones"])["f1"] == 0.5
    assert scorers.spans({"golds": json.dumps([["Kokemäki"]])}, ["kokemäki"])["em"] == 1
    assert scorers.spans({"golds": json.dumps([["コロンブス"]])}, ["「コロンブス」"])["em"] == 1


def test_truth_by_likelihood_equals_values_worked_out_by_hand() -> None:
    doc = {"true": ["a", "b"], "false": ["c", "d"]}
    logs = [(math.log(p), False) for p in (0.2, 0.1, 0.05, 0.15)]
    assert scorers.likelihoods_of_truth(doc, logs) == {"mc1": 1.0, "mc2": pytest.approx(0.3 / 0.5)}
    worse = [(math.log(p), False) for p in (0.2, 0.1, 0.05, 0.25)]
    assert scorers.likelihoods_of_truth(doc, worse) == {"mc1": 0.0, "mc2": pytest.approx(0.3 / 0.6)}
    tied = [(-1.0, False)] * 4
    assert scorers.likelihoods_of_truth(doc, tied) == {"mc1": 0.0, "mc2": 0.5}
    far = [(-5000.0, False), (-5001.0, False), (-5000.0 + math.log(0.5), False), (-9000.0, False)]
    odds = 1 + math.exp(-1)
    assert scorers.likelihoods_of_truth(doc, far) == {"mc1": 1.0, "mc2": pytest.approx(odds / (odds + 0.5))}


def test_free_answers_are_nearer_to_the_true_or_the_false() -> None:
    doc = {"true": ["Nothing happens"], "false": ["You turn into a frog"]}
    assert scorers.truthful(doc, ["Nothing happens."])["rouge_acc"] == 1
    assert scorers.truthful(doc, ["You turn into a green frog."])["rouge_acc"] == 0
    assert scorers.truthful(doc, ["Who knows?"]) == {"rouge_acc": 0.0, "rouge_diff": 0.0}


def test_short_facts() -> None:
    assert scorers.short({"answer": "Marie Curie"}, ["The answer is Marie Curie."])["em"] == 1
    assert scorers.short({"answer": "1,903"}, ["1903"])["em"] == 1
    assert scorers.short({"answer": "Marie Curie"}, ["Pierre Curie"]) == {"em": 0.0, "f1": 0.5, "unread": 0.0}


def test_code_is_the_last_block_that_defines_what_is_asked() -> None:
    text = "Try:\n```python\ndef f():\n    return 1\n```\nor\n```py\ndef g():\n    pass\n```\nUse:\n```\nf()\n```"
    assert scorers.read_code({"entry": "f"}, text) == "def f():\n    return 1\n"
    assert scorers.read_code({"entry": ""}, text) == "def g():\n    pass\n"
    assert scorers.read_code({"entry": "f"}, "    return 2") == "    return 2"
    assert scorers.read_code({"entry": "f"}, "```python\ndef f(): pass") == "def f(): pass"
    assert scorers.code({"entry": "f"}, [" "]) == {"unread": 1.0}


def test_the_mean_counts_every_value() -> None:
    assert scorers.mean_of_all([1.0, [0.0, 0.0], [1.0]]) == 0.5
