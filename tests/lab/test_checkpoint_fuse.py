"""The checkpoint lab-fuse has the modes of fusion: measured on episodes it has not seen."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest

from regold.lab.episodes import Turn
from regold.lab.episodes_fuse import FuseEpisodes
from regold.lab.pool import pool_world
from regold.lab.pool_ground import MODEL
from regold.lab.several import told
from regold.methods.rating import RatingForm
from regold.prompts import load_prompts
from tests.lab.speaker import Speaker

N = 60
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MODEL.is_dir(), reason="the checkpoint lab-fuse is not there"),
    pytest.mark.usefixtures("one_thread"),
]


@cache
def speaker() -> Speaker:
    return Speaker(MODEL)


@cache
def turns(mode: str, n: int = N) -> list[Turn]:
    drawn, found = FuseEpisodes(pool_world(0), 987_654), []
    for _ in range(n):
        drawn.draw()
        found += getattr(drawn, mode)()
    return found


@cache
def answers(mode: str) -> list[str]:
    return [said.text for said in speaker().chat([[turn.user] for turn in turns(mode)], 140, batch=50)]


def exact(mode: str) -> float:
    pairs = zip(answers(mode), turns(mode), strict=True)
    return sum(" ".join(a.split()) == " ".join(t.assistant.split()) for a, t in pairs) / N


def facts(mode: str) -> float:
    """Return the share of facts that are told as they are."""
    pairs = [(set(told(a)), set(told(t.assistant))) for a, t in zip(answers(mode), turns(mode), strict=True)]
    return sum(len(said & true) for said, true in pairs) / sum(len(true) for _, true in pairs)


def faults(mode: str) -> float:
    """Return the share of checklists that end as they must."""
    ends = [(a.rpartition("Faults:")[2], t.assistant.rpartition("Faults:")[2]) for a, t in _pairs(mode)]
    return sum(said.split() == true.split() for said, true in ends) / N


def _pairs(mode: str) -> list[tuple[str, Turn]]:
    return list(zip(answers(mode), turns(mode), strict=True))


def scores(axis: str) -> float:
    """Return the share of ratings that are right on an axis."""
    form = RatingForm.of(load_prompts("lab").text("rate"))
    read = [(form.read(a, "").get(axis), form.read(t.assistant, "")[axis]) for a, t in _pairs("rate")]
    return sum(said == true for said, true in read) / N


def test_the_card_holds_the_digest_of_the_weights() -> None:
    digest = hashlib.sha256((MODEL / "model.safetensors").read_bytes()).hexdigest()
    assert digest in (MODEL / "README.md").read_text(encoding="utf-8")


def test_it_answers_and_updates_what_it_is_asked() -> None:
    assert exact("direct") >= 0.95
    assert exact("update") >= 0.75
    assert exact("tag") >= 0.9


def test_it_finds_faults_and_rates() -> None:
    assert faults("check_answer") >= 0.8
    assert faults("diagnose") >= 0.65
    assert scores("overall") >= 0.85
    assert scores("correct") >= 0.85


def test_it_merges_most_facts() -> None:
    assert facts("merge") >= 0.85
