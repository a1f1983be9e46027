from __future__ import annotations

import pytest

from regold.methods.answers import read_answer
from regold.methods.styles import restyled

OPTIONS = ("Paris", "London", "Rome")
WHOLE = "Rome is the capital of Italy.\nFinal answer: C"


@pytest.mark.parametrize(
    ("given", "styled"),
    [
        ("B", "C"), ("b", "c"), ("(B)", "(C)"), ("B.", "C."), ("B)", "C)"), ("**B**", "**C**"),
        ("B. London", "C. Rome"), ("(B) London", "(C) Rome"),
        ("b) london", "c) Rome"), ("B: London.", "C: Rome."), ("London", "Rome"), ("London.", "Rome"),
        ("The answer is B.", "The answer is C."),
        ("Answer: B", "Answer: C"), ("The correct answer is (B) London.", "The correct answer is (C) Rome."),
        ("Option B", "Option C"),
        ("B because the Thames flows there.", WHOLE), ("London lies on the Thames.\nThe answer is B.", WHOLE),
        ("E", "C"), ("", "C"),
    ],
)  # fmt: skip
def test_a_letter_takes_the_given_style(given: str, styled: str) -> None:
    assert restyled("C", given, OPTIONS, WHOLE) == styled


@pytest.mark.parametrize(
    "given", ["B", "b", "(B)", "B.", "B. London", "London", "The answer is B.", "Option B", "B because.", "E"]
)
def test_a_restyled_letter_reads_as_itself(given: str) -> None:
    assert read_answer(restyled("C", given, OPTIONS, WHOLE), given, OPTIONS) == "C"


@pytest.mark.parametrize(
    ("answer", "given", "styled"),
    [
        ("7", "42", "7"), ("7", "42.", "7."), ("7", "The answer is 42.", "The answer is 7."),
        ("7", "#### 42", "#### 7"), ("7", "42 km", "7 km"),
        ("7 m", "42 km", "7 m"), ("7", "$42", "$7"), ("1,007", "-42", "1,007"),
        ("7", "3 + 4 = 8\n#### 8", "3 + 4 = 7\n#### 7"),
        ("Rome", "Paris", "Rome"), ("Rome", "Paris.", "Rome."),
        ("Rome", "The answer is Paris.", "The answer is Rome."), ("St. Ives.", "Paris.", "St. Ives."),
        ("New York City", "Paris", "New York City"),
        ("Long text.", "Paris lies in France. It is a big and old city on the Seine.", "Long text."),
    ],
)  # fmt: skip
def test_an_open_answer_takes_the_given_style(answer: str, given: str, styled: str) -> None:
    assert restyled(answer, given, (), "3 + 4 = 7\n#### 7") == styled
