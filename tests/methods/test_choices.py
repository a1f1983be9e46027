from __future__ import annotations

import pytest

from regold.methods.choices import option_letter, read_choice

OPTIONS = ("Paris", "London", "Vitamin C", "A Tale of Two Cities")


@pytest.mark.parametrize(
    "text",
    [
        "B", "b", " B ", "B.", "B)", "(B)", "[B]", "**B**", "*B*", "`B`", "__B__", '"B"', "B:", "b.", "(b)", "Ｂ",
        "B\n", "**(B)**", "**B.**",
        "B. London", "b) London", "B) London", "B: London", "(B) London", "**B. London**", "B London", "B. london.",
        "London", "london", "LONDON.", "**London**", '"London"', "'London'.",
        "Option B", "Choice B", "Answer B", "option (b)",
        "The answer is B", "The answer is B.", "The answer is b.", "The answer is (B).", "The answer is **B**.",
        "The answer is: B", "the answer is option B.", "The answer is the option B", "The answer is 'B'.",
        "The correct answer is B.", "The correct option is (B).", "The best choice would be B", "My final answer is B!",
        "Answer: B", "Answer: **B**", "**Answer:** B", "**Answer**: B", "*Answer:* (B)", "ANSWER: B", "Final answer: B",
        "### Final answer: B", "Answer:\nB", "**Final Answer**\n\nB", "Answer - B", "Answer → B", "answer = B",
        "The answer is B. London", "The answer is B, London.", "The answer is B) London", "The answer is London.",
        "Answer: London", "The answer is London, which lies on the Thames.", "The correct answer is option B: London",
        r"\boxed{B}", r"$\boxed{B}$", r"\boxed{\text{B}}", r"\boxed{\textbf{(B)}}",
        r"so we get $\boxed{\mathrm{(B)}}$.", r"\fbox{B}",
        "<answer>B</answer>", "<answer>\n(B)\n</answer>", "#### B",
        "The answer to the question is B.", "The answer, therefore, is B.", "Therefore, the answer must be B.",
        "B is correct.", "(B) is the correct answer.", "Option B is the right choice.", "B is the answer.",
        "I choose B.", "I'd go with (B).", "I would select option B", "We pick B",
        "La respuesta es B.", "Die Antwort ist B.", "答案是B。", "正确答案：B",
        "<think>Surely the answer is A.</think>B", "<think>The answer is A</think>\nThe answer is B.",
    ],
)  # fmt: skip
def test_each_way_of_saying_b_is_b(text: str) -> None:
    assert read_choice(text, OPTIONS) == "B"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is A.\nWait, that is wrong.\nThe answer is B.", "B"),
        ("Answer: A\n\nLet me check again.\n\nAnswer: C", "C"),
        ("A is wrong, and C is not correct. The answer is B", "B"),
        ("C is not correct. B is the correct answer.", "B"),
        ("First I thought of (A), but (C)...\n\n**C**", "C"),
        ("Explanation first. London has the Thames.\nB", "B"),
        ("B. London\n\nIt is the capital of the United Kingdom, and a big city.", "B"),
        ("The answer is not B but C.", "C"),
        ("The answer isn't B, it's C.", "C"),
        ("The answer is not (A) or (B), but rather (C).", "C"),
        ("The answer is neither A nor B; it is D.", "D"),
        ("Neither A nor B fits; the answer is D.", "D"),
        ("The answer is B, not A.", "B"),
        ("The answer is (B) and not (A).", "B"),
        ("The answer is B rather than C.", "B"),
        ("The answer is B because A and C are wrong.", "B"),
        ("The answer is A because London is no vitamin.", "A"),
        ("The answer is A Tale of Two Cities.", "D"),
        ("The answer is Vitamin C.", "C"),
        ("Vitamin C", "C"),
        ("The answer is C", "C"),
        ("The answer is D. A Tale of Two Cities", "D"),
        ("<think>B?</think> <answer>A</answer>", "A"),
    ],
)
def test_the_last_claim_that_stands_counts(text: str, letter: str) -> None:
    assert read_choice(text, OPTIONS) == letter


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "E", "The answer is E.", "(F)", "This", "The", "Pro", "I", "i", "2", "40", "?", "None of the above",
        "A cat sat on the mat.", "The answer is a cat.", "The answer is a matter of taste.", "A good question!",
        "Both A and B", "The answer is A or B.", "The answer is A and B.", "Answer: A, B", "The answer is A/B",
        "A or B",
        "The answer is not B.", "The answer cannot be B.", "not B", "The answer isn't B.",
        "The answer is C. Wait: the answer is not C.",
        "A. Paris\nB. London\nC. Vitamin C\nD. A Tale of Two Cities", "A. Paris\nB. London",
        "The answer is B. Paris", "B) Paris",
        "The answer choices are: A, B, C and D.", "It could be Paris, or London.",
        "<think>The answer is B", "The B-52 is a plane.", "Blue", "Because", "Bcd", "A.D. 70", "C++", "D'Artagnan",
        "Albert Einstein", "cannot say", "as an AI I cannot answer that",
    ],
)  # fmt: skip
def test_what_is_unclear_is_no_choice(text: str) -> None:
    assert read_choice(text, OPTIONS) is None


def test_only_letters_of_options_are_legal() -> None:
    assert read_choice("C", ("yes", "no")) is None
    assert read_choice("The answer is C.", ("yes", "no")) is None
    assert read_choice("J", tuple("0123456789")) == "J"


@pytest.mark.parametrize(
    ("options", "text", "letter"),
    [
        (("1.5", "15", "5"), "15", "B"),
        (("1.5", "15", "5"), "The answer is 1.5", "A"),
        (("5", "50"), "The answer is 50.", "B"),
        (("C", "A", "B"), "A", "A"),
        (("True", "False"), "False.", "B"),
        (("Yes", "No"), "The answer is No.", "B"),
        (("It is not known", "It is known"), "The answer is it is not known.", "A"),
        (("not enough information", "enough"), "Answer: Not enough information", "A"),
        (("same", "same"), "same", None),
        (("same", "same"), "The answer is same.", None),
        (("New York", "New York City"), "The answer is New York City.", "B"),
        (("x^2 - 12", "x^2 + 12"), "The answer is x^2 + 12", "B"),
    ],
)
def test_an_options_own_text_names_it(options: tuple[str, ...], text: str, letter: str | None) -> None:
    assert read_choice(text, options) == letter


def test_stated_asks_for_a_statement_or_a_closing_letter() -> None:
    assert read_choice("London", OPTIONS, stated=True) is None
    assert read_choice("B. London is big.", OPTIONS, stated=True) is None
    assert read_choice("Looks right to me.", OPTIONS, stated=True) is None
    assert read_choice("All steps hold.\n**B**", OPTIONS, stated=True) == "B"
    assert read_choice("So the answer is London.", OPTIONS, stated=True) == "B"


def test_option_letter_wants_the_whole_text() -> None:
    assert option_letter("london", OPTIONS) == "B"
    assert option_letter("London, UK", OPTIONS) is None
    assert option_letter("", ("", "x")) is None
