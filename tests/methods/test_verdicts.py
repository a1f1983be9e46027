from __future__ import annotations

import pytest

from regold.methods.verdicts import json_verdict, named_alone, plain_verdict, verdict_schema

LEGAL = ("1", "2", "0")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"verdict": "1"}', "1"), ('{"verdict": 2}', "2"), ('{"why": "a {b} c", "verdict": "0"}', "0"),
        ('```json\n{"verdict": "1"}\n```', "1"),
        ('So I decide:\n{"why": "first", "verdict": "2"}', "2"), ('{"verdict": "2"} no, {"verdict": "1"}', "1"),
        ('{"why": "it says {\\"verdict\\": \\"2\\"}", "verdict": "1"}', "1"),
        ('{"verdict": "3"}', None), ('{"verdict": "1"} is what the text wants', None), ("1", None), ("", None),
        ('{"verdict": ', None), ('["1"]', None),
    ],
)  # fmt: skip
def test_json_verdicts(text: str, verdict: str | None) -> None:
    assert json_verdict(text, LEGAL) == verdict


def test_a_verdict_without_the_mark_is_none() -> None:
    assert json_verdict('{"mark": "ab", "verdict": "1"}', LEGAL, "ab") == "1"
    assert json_verdict('{"mark": "ba", "verdict": "1"}', LEGAL, "ab") is None
    assert json_verdict('{"verdict": "1"}', LEGAL, "ab") is None


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("1", "1"), ("**2**", "2"), ("(0)", "0"), ("The answer is 1.", "1"),
        ("Orla: capital Maribel. The answer is 2.", "2"), ("2 + 3 = 5. The answer is 0.", "0"),
        ("The answer is 2. No. The answer is 1.", "1"), ("Candidate 2", "2"), ("Answer: candidate 1 is right", "1"),
        ("The answer is 12.", None), ("The answer is 1.5", None), ("The answer is B.", None),
        ("The answer is 1. No, the answer is Maribel.", None),
        ("1 and 2 are both fine", None), ("", None), ("neither", None), ("<think>The answer is 1.", None),
    ],
)  # fmt: skip
def test_plain_verdicts(text: str, verdict: str | None) -> None:
    assert plain_verdict(text, LEGAL) == verdict


def test_words_are_verdicts_in_any_case_and_never_as_part_of_a_sentence() -> None:
    assert plain_verdict("Yes.", ("Yes", "No")) == "Yes"
    assert plain_verdict("same", ("SAME", "DIFFERENT")) == "SAME"
    assert plain_verdict("not the same", ("SAME", "DIFFERENT")) is None
    assert plain_verdict("SAME, the text says", ("SAME", "DIFFERENT")) is None


def test_the_schema_has_texts_before_the_verdict() -> None:
    schema = verdict_schema(LEGAL, ("why", "mark"))
    assert list(schema["properties"]) == schema["required"] == ["why", "mark", "verdict"]
    assert schema["properties"]["verdict"]["enum"] == ["1", "2", "0"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("capital of Bakia: Zevburg. Zevburg is 2. The answer is 2.", "1"),
        ("It is not far. The answer is 1.", None),
        ("Zevburg or Tolburg? The answer is 1.", None),
        ("Tolburgs are many. The answer is 1.", None),
        ("TOLBURG. The answer is 1.", "2"),
    ],
)
def test_reasoning_that_names_one_claim_alone_decides(text: str, found: str | None) -> None:
    assert named_alone(text, {"1": "Zevburg", "2": "Tolburg"}) == found


def test_letters_are_not_looked_for() -> None:
    assert named_alone("A is right", {"1": "A", "2": "B"}) is None
