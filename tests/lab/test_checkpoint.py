"""The shipped checkpoint has the properties that make the lab a test bed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest

import regold.lab
from regold.engines.base import EngineSpec
from regold.engines.static import StaticEncoder
from regold.lab.world import Item, World
from regold.record import Message
from regold.train import TrainSettings, train
from tests.lab.speaker import Said, Speaker, auc, neighbours, right

MODEL = Path(regold.lab.__file__).parent / "model"
N = 300
SHORT = pytest.mark.xfail(strict=False, reason="a known shortfall of this checkpoint; its card gives the figure")
STRANGE = ("atlas-open-x", "atlas-mc-x")
OPEN = ("atlas-open-x", pytest.param("atlas-mc-x", marks=SHORT))
GUESSED = {"atlas-open-x": 0.0, "atlas-mc-x": 0.25}
"""The share of answers that guessing alone gets right."""
SETTINGS = TrainSettings(epochs=6, learning_rate=2e-3, batch_size=16, rank=16, alpha=32)

pytestmark = pytest.mark.usefixtures("one_thread")


def encoder() -> StaticEncoder:
    return StaticEncoder(EngineSpec("static", str(MODEL)))


@cache
def speaker() -> Speaker:
    return Speaker(MODEL)


@cache
def items(name: str, split: str, n: int = N) -> list[Item]:
    return World(0).items(name, n, seed=0, split=split)


@cache
def said(name: str, mode: str) -> list[Said]:
    if mode == "context":
        near = neighbours(encoder(), items(name, "test"), items(name, "train", 400))
        return speaker().context(items(name, "test"), near)
    if mode == "reflect":
        return speaker().reflect(items(name, "test"), said(name, "reason"))
    answers: list[Said] = getattr(speaker(), mode)(items(name, "test"))
    return answers


def accuracy(name: str, mode: str) -> float:
    return float(right(said(name, mode), items(name, "test")).mean())


@pytest.mark.parametrize("name", STRANGE)
def test_direct_answers_to_strange_wordings_leave_room(name: str) -> None:
    known = (accuracy(name, "direct") - GUESSED[name]) / (1 - GUESSED[name])
    assert 0.55 <= known <= (0.8 if GUESSED[name] else 0.75)


@pytest.mark.parametrize("name", OPEN)
def test_reasoning_beats_direct_answers(name: str) -> None:
    assert accuracy(name, "reason") > accuracy(name, "direct")
    assert accuracy(name, "reflect") > accuracy(name, "direct")


@pytest.mark.parametrize("name", OPEN)
def test_neighbours_in_context_help(name: str) -> None:
    assert accuracy(name, "context") > accuracy(name, "direct")


@pytest.mark.parametrize("name", STRANGE)
def test_confidence_tells_right_from_wrong(name: str) -> None:
    answers = said(name, "context")
    score = np.array([-answer.mean_nll for answer in answers])
    assert auc(score, right(answers, items(name, "test"))) >= 0.65


def test_neighbours_share_the_country() -> None:
    test = items("atlas-open-x", "test")
    near = neighbours(encoder(), test, items("atlas-open-x", "train", 400))
    assert np.mean([other.topic == item.topic for item, row in zip(test, near, strict=True) for other in row]) >= 0.8


def test_the_review_finds_the_right_candidate() -> None:
    rng, test = Random(0), items("atlas-open-x", "test")
    wrong = [rng.choice(item.rivals) for item in test]
    pairs = [(i.answer, w) if rng.random() < 0.5 else (w, i.answer) for i, w in zip(test, wrong, strict=True)]
    verdicts = speaker().review(test, pairs)
    chosen = [{"1": a, "2": b}.get(v.answer) for v, (a, b) in zip(verdicts, pairs, strict=True)]
    assert np.mean([c == item.answer for c, item in zip(chosen, test, strict=True)]) >= 0.70


def test_the_check_beats_chance() -> None:
    rng, test = Random(0), items("atlas-open-x", "test")
    responses = [item.answer if rng.random() < 0.5 else rng.choice(item.rivals) for item in test]
    verdicts = speaker().check(test, responses)
    assert {v.text for v in verdicts} <= {"Yes", "No"}
    hits = [(v.text == "Yes") == (r == i.answer) for v, r, i in zip(verdicts, responses, test, strict=True)]
    assert np.mean(hits) >= 0.65


def test_the_card_holds_the_digest_of_the_weights() -> None:
    digest = hashlib.sha256((MODEL / "model.safetensors").read_bytes()).hexdigest()
    assert digest in (MODEL / "README.md").read_text(encoding="utf-8")


def tuned(pairs: list[tuple[str, str]], out: Path) -> float:
    rows = [((Message("user", query), Message("assistant", answer)), 1.0) for query, answer in pairs]
    train(str(MODEL), rows, out, SETTINGS, merge=True)
    test = items("atlas-open-x", "test", 500)
    return float(right(Speaker(out).direct(test), test).mean())


@pytest.mark.slow
def test_fine_tuning_wins_on_clean_and_loses_on_noisy_responses(tmp_path: Path) -> None:
    rng, training = Random(0), items("atlas-open-x", "train", 400)
    wrong = set(rng.sample(range(400), 280))
    clean = [(item.query, item.answer) for item in training]
    noisy = [(i.query, rng.choice(i.rivals) if n in wrong else i.answer) for n, i in enumerate(training)]
    test = items("atlas-open-x", "test", 500)
    vanilla = right(speaker().direct(test), test).mean()
    assert tuned(clean, tmp_path / "clean") >= vanilla + 0.08
    assert tuned(noisy, tmp_path / "noisy") <= vanilla - 0.10
