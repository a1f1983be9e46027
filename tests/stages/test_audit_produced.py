"""The audit of what was made: each planted fault is noted with its reason, and a second rater judges blindly."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from regold.engines.base import Request
from regold.record import Message, Record, Status
from regold.stage import Context, Engines
from regold.stages.audit_produced import AuditProduced
from regold.stages.fuse import FusePairs
from regold.stages.settle import SettlePairs
from tests.stages.conftest import FakeEngine, Play, make
from tests.stages.fusing import GOOD, Model, pair

HIGH = make("h", "How is bread baked?", "In the oven, until it is brown.", status=Status.HIGH)


def _fused(response: str = GOOD["response"], instruction: str = GOOD["instruction"]) -> list[Record]:
    done = Play(pair(), Model()).run(FusePairs(), SettlePairs())
    assert done["a"].status == Status.FUSED
    turns = (Message("user", instruction), Message("assistant", response))
    return [replace(done["a"], messages=turns), done["b"], HIGH]


def _found(records: list[Record], **settings: Any) -> tuple[Play, list[str]]:
    play = Play(records).run(AuditProduced(**settings))
    return play, list(play["a"].notes["produced.found"])  # type: ignore[arg-type]


def test_a_sound_fusion_is_noted_as_sound() -> None:
    play, found = _found(_fused())
    assert found == []
    assert play.edits["a"].reason == "nothing speaks against it"
    assert play["a"].notes["produced.covered"] == 1
    assert "produced.found" not in play["b"].notes
    assert "produced.found" not in play["h"].notes


def test_claims_that_no_parent_holds_are_quoted() -> None:
    claim = "The king Leopold built 19 bridges there."
    play, found = _found(_fused(f"{GOOD['response']} {claim}"))
    assert found == ["unsupported"]
    assert play["a"].notes["produced.unsupported"] == [claim]
    assert play["a"].status == Status.FUSED


def test_a_near_duplicate_of_a_kept_record_is_named_and_may_be_taken_out() -> None:
    records = _fused(HIGH.response, HIGH.question)
    play, found = _found(records, faulty="DROPPED")
    assert "duplicate" in found
    assert play["a"].status == Status.DROPPED
    assert "duplicate of h" in play.edits["a"].reason
    assert Play(records).run(AuditProduced(faulty="BORDERLINE"))["a"].status == Status.BORDERLINE


def test_of_two_alike_that_were_made_the_first_stays() -> None:
    records = _fused()
    twin = replace(records[0], id="z")
    play = Play([*records, twin]).run(AuditProduced())
    assert play["a"].notes["produced.found"] == []
    assert play["z"].notes["produced.found"] == ["duplicate"]


def test_text_of_an_evaluation_file_is_found(tmp_path: Path) -> None:
    asked = "Which of these is the longest river that runs through the capital of the land of Ardenia?"
    (tmp_path / "eval.jsonl").write_text(json.dumps({"instruction": asked, "output": "x"}) + "\n")
    play, found = _found(_fused(instruction=asked), against=(tmp_path / "eval.jsonl",))
    assert "contaminated" in found
    assert "eval.jsonl" in play.edits["a"].reason
    assert "contaminated" not in _found(_fused(), against=(tmp_path / "eval.jsonl",))[1]


def test_the_text_checks_are_run() -> None:
    _, found = _found(_fused("As an AI language model, I cannot see the image of Bonnevar."))
    assert any(name.startswith("text:") for name in found)


class _Rated(Play):
    """Plays with another engine in the role `second`."""

    def __init__(self, records: list[Record], answer: Any) -> None:
        super().__init__(records)
        self.second = FakeEngine(answer)

    def context(self, table: Any) -> Context:
        plain = super().context(table)
        return replace(plain, engines=Engines({**plain.engines.roles, "second": self.second}))


def _rating(request: Request) -> str:
    text = request.messages[0].content
    mark = re.search(r"the mark (\w{10})", text)
    score = 9 if "Tisel" in text.split("<response")[1] else 3
    return json.dumps({"why": "so", "mark": mark and mark[1], "correct": score})


def test_a_second_rater_is_not_told_which_is_which() -> None:
    play = _Rated(_fused(), _rating).run(AuditProduced(rater="second"))
    assert play["a"].notes["produced.before"] == 3
    assert play["a"].notes["produced.after"] == 9
    asked = [r.messages[0].content for r in play.second.requests]
    assert len(asked) == 3
    frames = {re.sub(r"(?s)>\n.*?\n</", "><", re.sub(r"\b[0-9a-f]{10}\b", "MARK", text)) for text in asked}
    assert len(frames) == 1


def test_a_rater_that_cannot_be_read_leaves_the_score_missing() -> None:
    play = _Rated(_fused(), lambda _: "Great!").run(AuditProduced(rater="second"))
    assert "produced.after" not in play["a"].notes
    assert len(play.second.requests) == 6


def test_a_record_that_was_not_made_from_others_is_passed() -> None:
    plain = make("p", "q", "r", status=Status.REPAIRED)
    play = Play([plain]).run(AuditProduced())
    assert play.edits["p"].reason == "was not made from other records"
