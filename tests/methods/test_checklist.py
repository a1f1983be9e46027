from __future__ import annotations

from typing import Any

import pytest

from regold.methods.checklist import (
    NEUTRAL,
    TEMPLATES,
    Fault,
    Kind,
    Loss,
    listed,
    loss,
    model_faults,
    next_template,
    plain_checklist,
    read_checklist,
)

EMPTY: dict[str, Any] = {
    "required_terms": [],
    "missing_terms": [],
    "sub_questions": [],
    "contradictions": [],
    "unsupported": [],
    "redundant": [],
    "format": [],
    "off_topic": [],
}
ASKED = "What is the capital of Italy, and which river runs through it?"
SAID = "Rome is the capital. The Danube runs through Rome."


def _faults(**lists: Any) -> list[Fault]:
    said = read_checklist({**EMPTY, **lists})
    assert said is not None
    return model_faults(said, ASKED, SAID, ["What is the capital of Italy?", "Which river runs through Rome?", "Tiber"])


def test_there_are_nine_templates_in_the_order_of_priority() -> None:
    assert list(TEMPLATES) == [NEUTRAL, *Kind]
    assert [k.value for k in Kind] == [
        "contradiction",
        "unsupported",
        "unanswered",
        "missing",
        "off_topic",
        "format",
        "redundancy",
        "depth",
    ]


def test_the_loss_counts_major_faults_first() -> None:
    assert loss([], 1.0) == Loss(0, 0, 0.0)
    assert Loss(0, 9, 0.9) < Loss(1, 0, 0.0)
    assert Loss(1, 0, 0.9) < Loss(1, 1, 0.0)
    assert Loss(1, 1, 0.1) < Loss(1, 1, 0.2)
    faults = [Fault(Kind.FORMAT, "x", False), Fault(Kind.UNSUPPORTED, "y", True)]
    assert loss(faults, 0.75) == Loss(1, 1, 0.25)


def test_the_template_follows_the_first_fault_and_none_is_tried_twice() -> None:
    faults = [Fault(k, "x", False) for k in reversed(Kind)]
    tried: set[str] = set()
    seen = []
    while (template := next_template(faults, tried)) is not None:
        seen.append(template)
        tried.add(template)
    assert seen == list(Kind)
    late = [Fault(Kind.MISSING, "x", False), Fault(Kind.FORMAT, "leaked", True, "count")]
    assert next_template(late) == Kind.FORMAT
    assert next_template([]) is None


@pytest.mark.parametrize(
    ("lists", "kinds"),
    [
        ({"unsupported": ["The Danube runs through Rome"]}, [Kind.UNSUPPORTED]),
        ({"unsupported": ["Paris hosted the games in 1924"]}, []),
        ({"contradictions": ["the Danube runs through Rome"]}, [Kind.CONTRADICTION]),
        ({"sub_questions": [{"question": "Which river runs through Rome?", "answered": False}]}, [Kind.UNANSWERED]),
        ({"sub_questions": [{"question": "Which river runs through Rome?", "answered": True}]}, []),
        ({"sub_questions": [{"question": "How tall is the tower?", "answered": False}]}, []),
        ({"missing_terms": ["Tiber"]}, [Kind.MISSING]),
        ({"missing_terms": ["Rome", "Vistula"]}, []),
        ({"required_terms": ["Tiber", "Italy"]}, [Kind.MISSING]),
        ({"redundant": ["runs through Rome"], "off_topic": ["the capital"]}, [Kind.OFF_TOPIC, Kind.REDUNDANCY]),
        ({"shallow": True}, [Kind.DEPTH]),
        ({}, []),
    ],
)
def test_only_faults_that_the_texts_bear_out_count(lists: dict[str, Any], kinds: list[Kind]) -> None:
    found = _faults(**lists)
    assert [f.kind for f in found] == kinds
    assert all(f.major == (f.kind in (Kind.CONTRADICTION, Kind.UNSUPPORTED, Kind.UNANSWERED)) for f in found)


def test_a_fault_named_often_counts_once_and_a_flood_is_bounded() -> None:
    assert len(_faults(unsupported=["The Danube runs through Rome"] * 50)) == 1
    assert len(_faults(format=[f"fault {n}" for n in range(500)])) == 20


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {"faults": "none"},
        {k: v for k, v in EMPTY.items() if k != "off_topic"},
        {**EMPTY, "format": "fine"},
        {**EMPTY, "sub_questions": ["is it?"]},
        {**EMPTY, "sub_questions": [{"question": "q", "answered": "yes"}]},
    ],
)
def test_silence_and_other_shapes_are_no_checklist(bad: object) -> None:
    assert read_checklist(bad) is None


def test_the_plain_form_reads_back_what_is_listed() -> None:
    assert plain_checklist("none") == read_checklist(EMPTY)
    assert plain_checklist("Rome: capital of Italy. Faults: none.") == read_checklist(EMPTY)
    found = plain_checklist("unanswered Which river?; missing Tiber; unsupported Danube")
    assert found is not None
    assert found.sub_questions[0].question == "Which river?"
    assert (found.missing_terms, found.unsupported) == (["Tiber"], ["Danube"])
    faults = _faults(unsupported=["The Danube runs through Rome"], missing_terms=["Tiber"])
    again = plain_checklist(listed(faults, plain=True))
    assert again is not None
    assert again.unsupported == ["The Danube runs through Rome"]


@pytest.mark.parametrize("text", ["", "I think it is fine.", "maybe none", "42", "none; wrong Danube"])
def test_other_words_are_no_plain_checklist(text: str) -> None:
    assert plain_checklist(text) is None
