"""IFEval's checks as they run here, strict and loose."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

import regold.evaluate.instructions as instructions
from regold.evaluate.instructions import MissingScorer, follow, missing

pytest.importorskip("langdetect")


def doc(*checks: tuple[str, dict[str, Any]], prompt: str = "Do it.") -> dict[str, Any]:
    names, settings = zip(*checks, strict=True)
    return {"instructions": list(names), "settings": json.dumps(settings), "question": prompt}


def test_each_instruction_is_checked_on_its_own() -> None:
    asked = doc(
        ("punctuation:no_comma", {}),
        ("length_constraints:number_words", {"relation": "at least", "num_words": 4}),
        ("keywords:existence", {"keywords": ["gold"]}),
    )
    assert follow(asked, ["All that is gold"]) == {
        "prompt_strict": 1.0,
        "inst_strict": [1.0, 1.0, 1.0],
        "prompt_loose": 1.0,
        "inst_loose": [1.0, 1.0, 1.0],
    }
    assert follow(asked, ["Well, gold"])["inst_strict"] == [0.0, 0.0, 1.0]
    assert follow(asked, [""])["inst_loose"] == [0.0, 0.0, 0.0]


def test_loosely_the_first_or_last_line_and_asterisks_do_not_count() -> None:
    asked = doc(("startend:quotation", {}))
    assert follow(asked, ['Here you are:\n"Gold"'])["prompt_strict"] == 0
    assert follow(asked, ['Here you are:\n"Gold"'])["prompt_loose"] == 1


def test_the_prompt_itself_can_be_asked_for() -> None:
    asked = doc(("combination:repeat_prompt", {"prompt_to_repeat": "Do it."}))
    assert follow(asked, ["Do it. Done."])["prompt_strict"] == 1
    assert follow(asked, ["Done."])["prompt_strict"] == 0


def test_a_language_is_told_the_same_way_every_time() -> None:
    asked = doc(("language:response_language", {"language": "de"}))
    said = "Das ist ein kurzer deutscher Satz über das Wetter von gestern."
    assert {follow(asked, [said])["prompt_strict"] for _ in range(5)} == {1.0}


def test_what_cannot_be_checked_is_unknown_and_never_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "missing", lambda: {"punctuation:no_comma": "how"})
    asked = doc(("punctuation:no_comma", {}), ("keywords:existence", {"keywords": ["gold"]}))
    found = follow(asked, ["gold"])
    assert math.isnan(found["prompt_strict"])
    assert math.isnan(found["inst_strict"][0])
    assert found["inst_strict"][1] == 1


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "langdetect", None)
    with pytest.raises(MissingScorer, match=r"langdetect.*lm_eval\[ifeval\]"):
        missing.__wrapped__()
