from __future__ import annotations

import pytest

from regold.methods.drafts import Source
from regold.methods.produced import Produced, inspect_produced, sentences, unsupported

PARENTS = (
    Source("What is the capital of Ardenia?", "Bonnevar, a city of 40,000 people.", "The capital is Bonnevar."),
    Source("Which river runs through Bonnevar?", "dunno", "The river Tisel runs through it, from the Corvan hills."),
)
ASKED = "What is the capital of Ardenia, and which river runs through Bonnevar?"
SAID = "The capital of Ardenia is Bonnevar, a city of 40,000 people. The river Tisel runs through it."


def _told(response: str = SAID, instruction: str = ASKED, parents: tuple[Source, ...] = PARENTS) -> Produced:
    return inspect_produced(instruction, response, parents)


def test_a_sound_record_has_no_finding() -> None:
    told = _told()
    assert told.found == ()
    assert told.unsupported == ()
    assert told.covered == (1, 1)
    assert 0.7 < told.grounding <= 1


@pytest.mark.parametrize(
    ("response", "instruction", "finding"),
    [
        (SAID + " Nine bridges, built in 1987, cross it.", ASKED, "unsupported"),
        (SAID + " It was founded by King Leopold.", ASKED, "unsupported"),
        (SAID + " Penguins usually swim underneath frozen glaciers.", ASKED, "unsupported"),
        ("Volcanoes erupt where plates collide, and ash darkens skies.", ASKED, "ungrounded"),
        ("", ASKED, "empty"),
        ("Bonnevar, a city of 40,000 people.", "What is the capital of Ardenia?", "lost"),
        ("Bonnevar, a city of 40,000 people.", "What is the capital of Ardenia?", "copied"),
        ("Столица Ардении Бонневар. Через неё течёт река Тисель, начинаясь в холмах.", "Столица?", "language"),
        (" ".join(f"Bonnevar has the river Tisel and the hill {'x' * (n % 9)}." for n in range(60)), ASKED, "long"),
    ],
)
def test_a_planted_fault_is_found(response: str, instruction: str, finding: str) -> None:
    assert finding in _told(response, instruction).found


def test_a_response_that_shrank_is_short() -> None:
    parents = (Source("Tell of Bonnevar.", "Bonnevar lies on the Tisel. " * 10, ""),)
    assert "short" in _told("Bonnevar.", "Tell of Bonnevar.", parents).found


def test_a_record_mended_alone_has_one_parent_and_may_copy_it() -> None:
    told = _told("Bonnevar, a city of 40,000 people.", "What is the capital of Ardenia?", PARENTS[:1])
    assert told.found == ()
    assert len(told.copied) == 1


def test_what_a_fresh_answer_says_is_supported_but_not_grounded_in_the_parents() -> None:
    told = _told("The river Tisel runs from the Corvan hills.")
    assert told.unsupported == ()
    assert told.grounding < 0.7


def test_numbers_of_lists_and_steps_are_no_claims() -> None:
    known = "Knead the dough. Bake the dough."
    assert unsupported("1. Knead the dough.\n2. Bake the dough.\nStep 3: Bake the dough.", known) == []
    assert unsupported("Bake the dough for 45 minutes.", known) == ["Bake the dough for 45 minutes."]


def test_sentences_and_lines() -> None:
    assert sentences("One. Two!\n\n- three\n...\n") == ["One.", "Two!", "- three"]
    assert sentences("") == []
