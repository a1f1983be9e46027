"""Texts made to break a reader: none may raise, and none may cost more than a moment."""

from __future__ import annotations

import time
from random import Random

import pytest

from regold.methods.agreement import same_answer
from regold.methods.answers import Kind, extract, kind_of, read_answer
from regold.methods.choices import read_choice
from regold.methods.styles import restyled
from regold.methods.verdicts import json_verdict, plain_verdict

OPTIONS = ("Paris", "London", "Vitamin C", "A Tale of Two Cities")
LENGTH = 100_000
PIECES = [
    "*", "* ", "_", "(", "[", "{", '"', "$", "\\", ".", "!?", " ", "\n", "1", "1,", "1/", "1 ", "5 a a ", "A ",
    "B or ", "B is ", "not ", "answer ", "answer, ", "The answer is ", "The answer is not B ", "The answer is B. ",
    "B. London\n", "Final answer:\n", "A:\n", "so the best ", "I choose ", "#### ", "#### 1\n", "\\boxed{",
    "\\text{", "\\frac{", "<<", "<think>", "<answer>", '{"a":', "aB3/",
]  # fmt: skip


def _read_all(text: str) -> None:
    read_choice(text, OPTIONS)
    for kind in Kind:
        extract(text, kind, OPTIONS)
        extract(text, kind, OPTIONS, stated=True)
    kind_of(text)
    restyled("B", text, OPTIONS, "B")
    restyled("5", text, (), "5")
    same_answer(text, f"{text}a")
    json_verdict(text, ("1", "2"))
    plain_verdict(text, ("1", "2"))


@pytest.mark.parametrize("piece", PIECES)
def test_repetition_costs_a_moment_only(piece: str) -> None:
    began = time.process_time()
    _read_all(piece * (LENGTH // len(piece)))
    _read_all(piece * (900 // len(piece)))
    assert time.process_time() - began < 5


def test_random_texts_never_raise_and_choices_stay_legal() -> None:
    random = Random(0)
    odd = ["42", "−3.5", "½", "\u2028", "é", "\x00", "答案是", "%", ", "]
    parts = [*PIECES, *OPTIONS, *odd, "A", "B", "C", "is", "but", "because", "</think>"]
    for _ in range(400):
        text = "".join(random.choices(parts, k=random.randint(1, 25)))
        _read_all(text)
        assert read_choice(text, OPTIONS) in {None, "A", "B", "C", "D"}
        answer = read_answer(text, "B", OPTIONS)
        assert answer is None or read_answer(restyled(answer, "(A)", OPTIONS), "B", OPTIONS) == answer
