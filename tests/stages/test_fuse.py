"""The loop of fusion: what is accepted, when the template switches, and how each fault of a model ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from regold.engines.base import Completion, Request
from regold.prompts import load_prompts
from regold.record import Status
from regold.stages.fuse import FusePairs
from regold.stages.settle import SettlePairs
from tests.stages.conftest import Play
from tests.stages.fusing import EMPTY, GOOD, Model, pair, weak


def _run(model: Model, **settings: Any) -> Play:
    return Play(pair(), model).run(FusePairs(**settings))


def _story(play: Play) -> dict[str, Any]:
    story: dict[str, Any] = json.loads(str(play["a"].notes["fuse.story"]))
    return story


def _wrong(claim: str) -> dict[str, Any]:
    return {**EMPTY, "unsupported": [claim]}


def test_a_sound_merge_is_accepted_at_once() -> None:
    model = Model()
    play = _run(model).run(SettlePairs())
    lead, partner = play["a"], play["b"]
    assert lead.status == Status.FUSED
    assert (lead.question, lead.response) == (GOOD["instruction"], GOOD["response"])
    assert lead.notes["fuse.parents"] == ["a", "b"]
    assert lead.notes["fuse.outcome"] == "fused at once"
    assert partner.status == Status.MERGED
    assert play.edits["b"].into == "a"
    assert partner.response == "dunno"
    assert sorted(model.asked) == ["check", "diagnose", "direct", "direct", "merge"]


def test_the_stored_responses_are_not_shown_to_the_direct_answer() -> None:
    model = Model()
    play = _run(model)
    direct = [r for r in play.engine.requests if not r.messages[0].content.startswith("You ")]
    assert len(direct) == 2
    assert not any("dunno" in r.messages[0].content for r in direct)


def test_a_fault_switches_the_template_and_the_better_version_is_kept() -> None:
    bad = {**GOOD, "response": "The capital of Ardenia is Bonnevar, on the river Volga, as the Tisel is dry."}
    model = Model(merge=[bad, GOOD], diagnose=[_wrong("on the river Volga"), EMPTY])
    play = _run(model)
    versions = _story(play)["versions"]
    assert [(v["cycle"], v["template"], v["accepted"]) for v in versions] == [
        ("merge", "neutral", True),
        ("merge", "unsupported", True),
        ("answer", "check", True),
    ]
    assert [v["loss"][0] for v in versions] == [1, 0, 0]
    assert play["a"].notes["fuse.outcome"] == "fused after rounds"
    assert play["a"].response == GOOD["response"]
    second = play.engine.requests[4].messages[0].content
    assert load_prompts("default").text("aim_unsupported") in second
    assert bad["response"] in second
    assert "unsupported: on the river Volga" in second


def test_a_worse_version_is_not_accepted_and_the_best_is_kept_not_the_last() -> None:
    first = {**GOOD, "response": GOOD["response"] + " It is said to be old."}
    worse = {**GOOD, "response": "The Volga and the Rhine run through Bonnevar."}
    faults = [
        {**EMPTY, "redundant": ["It is said to be old"]},
        _wrong("The Volga and the Rhine"),
        _wrong("the Rhine run"),
    ]
    play = _run(Model(merge=[first, worse, worse], diagnose=faults, update="no"))
    versions = _story(play)["versions"]
    assert [v["accepted"] for v in versions if v["cycle"] == "merge"] == [True, False]
    assert play["a"].response == first["response"]
    assert play["a"].status == Status.FUSED
    assert play["a"].notes["fuse.stopped"][0] == "merge: no template left to try"


def test_a_template_that_did_not_help_is_not_tried_on_the_same_version_again() -> None:
    said = {**EMPTY, "unsupported": ["the river Tisel runs"], "redundant": ["capital of Ardenia"]}
    play = _run(Model(diagnose=said), rounds=5, mend=False)
    assert [v["template"] for v in _story(play)["versions"] if v["cycle"] == "merge"] == [
        "neutral",
        "unsupported",
        "redundancy",
    ]


def test_the_answer_cycle_mends_what_the_check_finds() -> None:
    wrong = {
        **GOOD,
        "response": "The capital of Ardenia is Bonnevar; the Tisel runs through it. Nine bridges cross it.",
    }
    model = Model(merge=wrong, check=[_wrong("Nine bridges cross it"), EMPTY])
    play = _run(model)
    assert play["a"].status == Status.FUSED
    assert play["a"].response == GOOD["response"]
    assert model.asked[-3:] == ["check", "update", "check"]


def test_a_fault_of_the_diagnosis_is_not_forgotten_by_the_check() -> None:
    wrong = {**GOOD, "response": GOOD["response"] + " Nine bridges cross it."}
    model = Model(merge=wrong, diagnose=_wrong("Nine bridges cross it"), update={"response": wrong["response"]})
    play = _run(model, mend=False)
    assert play["a"].status == Status.LOW
    assert "unsupported: Nine bridges cross it" in play.edits["a"].reason


def test_rounds_of_zero_are_a_merge_without_a_loop() -> None:
    model = Model(diagnose=_wrong("the river Tisel"))
    play = _run(model, rounds=0, mend=False)
    assert play["a"].status == Status.LOW
    assert model.asked.count("merge") == 1
    assert model.asked.count("update") == 0


LONG = " ".join(f"word{n} Bonnevar Tisel" for n in range(400))


@pytest.mark.parametrize(
    ("merge", "reason"),
    [
        (
            {"instruction": "What is the capital of Ardenia?", "response": "Bonnevar"},
            "copies source 1; source 2 is lost",
        ),
        ({**GOOD, "response": ""}, "the response is empty"),
        ({"instruction": " ", "response": GOOD["response"]}, "the instruction is empty"),
        ({**GOOD, "response": LONG}, "grew to 1200 words"),
        (
            {**GOOD, "response": f"{GOOD['response']} Bring out what the two have in common: one task."},
            "words of the prompt",
        ),
        ({**GOOD, "response": f"{GOOD['response']} {{{{faults}}}}"}, "placeholder of the prompt"),
        ({**GOOD, "response": "Столица Бонневар, а река Тисель течёт через неё."}, "written in CYRILLIC"),
        ({**GOOD, "response": "The capital of Ardenia is Bonnevar, and the river Tisel runs through the"}, "cut off"),
    ],
)
def test_a_faulty_merge_ends_refused_with_its_reason(merge: dict[str, str], reason: str) -> None:
    model = Model(merge=merge, update={"response": merge["response"]})
    play = _run(model, mend=False).run(SettlePairs())
    assert play["a"].status == Status.LOW
    assert play["a"].response == "Bonnevar"
    assert play["b"].status == Status.LOW
    assert "was not fused (refused)" in play.edits["b"].reason
    told = str(play["a"].notes["fuse.story"])
    assert reason in told


@pytest.mark.parametrize(
    "said",
    [
        "Sure, I will merge them for you.",
        '{"mark": "0000000000", "instruction": "x", "response": "y"}',
        '{"instruction": "x", "response": "y"}',
        {"question": "x", "answer": "y"},
        {"instruction": "x", "response": ["y"]},
        '{"mark": "',
        Completion("{", finish="length"),
    ],
)
def test_a_merge_that_cannot_be_read_is_asked_for_once_more_and_then_refused(said: Any) -> None:
    model = Model(merge=said)
    play = _run(model, mend=False)
    assert model.asked.count("merge") == 2
    assert play["a"].status == Status.LOW
    assert "nothing that can be read" in play.edits["a"].reason
    assert "diagnose" not in model.asked


@pytest.mark.parametrize("said", ["All fine.", "{}", {"faults": "none"}, {**EMPTY, "format": "fine"}])
def test_a_checklist_that_cannot_be_read_vouches_for_nothing(said: Any) -> None:
    for operator in ("diagnose", "check"):
        play = _run(Model(**{operator: said}), mend=False)
        assert play["a"].status == Status.LOW
        assert "nothing that can be read" in play.edits["a"].reason


def test_the_repair_turn_shows_the_reply_and_is_believed() -> None:
    model = Model(diagnose=["Looks good to me!", EMPTY])
    play = _run(model)
    assert play["a"].status == Status.FUSED
    again = [r for r in play.engine.requests if len(r.messages) == 3]
    assert [m.role for m in again[0].messages] == ["user", "assistant", "user"]
    assert again[0].messages[1].content == "Looks good to me!"


def test_a_pair_that_does_not_fuse_gives_its_lead_a_repair_of_its_own() -> None:
    model = Model(merge="no", check=[_wrong("Bonnevar"), EMPTY], update={"response": "It is Bonnevar, on the Tisel."})
    play = _run(model).run(SettlePairs())
    assert play["a"].status == Status.REPAIRED
    assert play["a"].question == "What is the capital of Ardenia?"
    assert play["a"].response == "It is Bonnevar, on the Tisel."
    assert play["a"].notes["fuse.outcome"] == "mended"
    assert play["b"].status == Status.LOW


def test_a_repair_that_finds_nothing_to_mend_leaves_the_record_low() -> None:
    play = _run(Model(merge="no"))
    assert play["a"].status == Status.LOW
    assert "not mended: no better response was found" in play.edits["a"].reason


def test_every_version_says_what_was_counted() -> None:
    first = _story(_run(Model()))["versions"][0]
    assert set(first) >= {"instruction", "response", "faults", "loss", "accepted", "coverage", "answered", "overlap"}
    assert first["coverage"] == 1.0
    assert first["answered"] == 1.0
    assert len(first["overlap"]) == 2


def test_a_direct_answer_that_was_cut_off_is_no_answer() -> None:
    model = Model()

    def answer(request: Request) -> str | Completion:
        said = model(request)
        return Completion("Bonne", finish="length") if model.asked[-1] == "direct" else said

    play = Play(pair(), answer).run(FusePairs())
    assert _story(play)["answers"] == ["", ""]
    merge = next(r for r in play.engine.requests if r.messages[0].content.startswith("You merge"))
    assert "(no answer)" in merge.messages[0].content


def test_records_without_a_partner_pass_untouched() -> None:
    model = Model()
    play = Play([weak("c", "q", "r", partner=None, lead=None)], model).run(FusePairs(), SettlePairs())
    assert model.asked == []
    assert play["c"].status == Status.LOW
    assert not play.edits["c"].reason


def test_the_lab_wordings_are_read_in_plain_words() -> None:
    def answer(request: Request) -> str:
        text = request.messages[0].content
        if text.endswith("Faults?"):
            return "unanswered river runs through Bonnevar" if "Volga" in text else "Faults: none."
        if "Merge." in text:
            named = "Tisel" if text.endswith("Merge. Answer all.") else "Volga"
            return f"Q: What is the capital of Ardenia? Which river runs through Bonnevar?\nA: Bonnevar. {named}."
        return "Bonnevar" if "capital" in text else "Tisel"

    play = Play(pair(), answer, load_prompts("lab")).run(FusePairs())
    assert play["a"].status == Status.FUSED
    assert play["a"].response == "Bonnevar. Tisel."
    assert [v["template"] for v in _story(play)["versions"]] == ["neutral", "unanswered", "check"]
