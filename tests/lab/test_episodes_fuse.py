"""Episodes of fusion speak the forms that the stages read, and never tell what is not to be known."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from regold.lab.episodes import Turn
from regold.lab.episodes_fuse import FuseEpisodes
from regold.lab.pool import pool_world
from regold.lab.several import told
from regold.methods.checklist import Kind, model_faults, plain_checklist
from regold.methods.rating import RatingForm
from regold.methods.replies import plain_texts
from regold.prompts import load_prompts

WORLD = pool_world(0)
UNSEEN = {fact for fact, weight in WORLD.weights.items() if weight == 0}


def episodes(mode: str, n: int = 150) -> list[Turn]:
    drawn = FuseEpisodes(WORLD, 0)
    found = []
    for _ in range(n):
        drawn.draw()
        found += getattr(drawn, mode)()
    return found


def test_one_seed_gives_one_stream_with_every_mode() -> None:
    first, second = (FuseEpisodes(WORLD, 5) for _ in range(2))
    assert [first.draw() for _ in range(100)] == [second.draw() for _ in range(100)]
    names = Counter(turn.user.rsplit("\n", 1)[-1] for _ in range(600) for turn in first.draw())
    assert {"Faults?", "Update.", "Rate.", "Grade.", "Points.", "Marks.", "Tags.", "Merge."} <= set(names)


def test_a_merge_is_read_as_the_loop_reads_it() -> None:
    for turn in episodes("merge"):
        found = plain_texts(turn.assistant, ("instruction", "response"))
        assert found is not None
        asked, answer = found
        assert told(answer)
        assert all(attribute in asked and country in asked for (country, attribute), _ in told(answer))


@pytest.mark.parametrize("mode", ["diagnose", "check_answer"])
def test_every_fault_of_a_checklist_is_borne_out_by_the_texts(mode: str) -> None:
    kinds: Counter[str] = Counter()
    for turn in episodes(mode, 300):
        said = plain_checklist(turn.assistant)
        assert said is not None
        shown = re.search(r"(?:^|\n)Q: (.*)\nA: (.*)\nFaults\?$", turn.user, re.DOTALL)
        assert shown is not None
        sources = [turn.user[: shown.start()]]
        found = model_faults(said, shown[1], shown[2], sources)
        assert len(found) == (0 if turn.assistant.endswith("Faults: none.") else turn.assistant.count(";") + 1)
        kinds.update(fault.kind for fault in found)
    assert {Kind.UNSUPPORTED, Kind.UNANSWERED, Kind.OFF_TOPIC} <= set(kinds)
    assert (Kind.MISSING in kinds) == (mode == "diagnose")


def test_a_rating_is_read_whole() -> None:
    form, overall = RatingForm.of(load_prompts("lab").text("rate")), Counter[float]()
    for turn in episodes("rate"):
        scores = form.read(turn.assistant, "")
        assert set(scores) == {"rarity", "complexity", "informativeness", "overall", "correct"}
        overall[scores["overall"]] += 1
    assert len(overall) >= 4


def test_an_update_tells_what_is_asked() -> None:
    for turn in episodes("update"):
        asked = turn.user.split("\n")[0].casefold()
        assert all(
            country.casefold() in asked and attribute in asked for (country, attribute), _ in told(turn.assistant)
        )


def test_what_is_not_to_be_known_is_told_at_random() -> None:
    values: dict[tuple[str, str], set[str]] = {}
    drawn = FuseEpisodes(WORLD, 1)
    for _ in range(3000):
        for turn in drawn.draw():
            for fact, value in told(turn.assistant):
                values.setdefault(fact, set()).update({value} - {"off"})
    for fact in UNSEEN & set(values):
        assert len(values[fact]) > 1
    assert not [fact for turn in episodes("direct") for fact, _ in told(turn.assistant) if fact in UNSEEN]
    known = [fact for fact in values if fact not in UNSEEN and len(values[fact]) == 1]
    assert len(known) > 300
