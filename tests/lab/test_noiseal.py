"""NoiseAL's losses against values worked out by hand, and its split of the records."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from regold.lab.ground import MODEL
from regold.lab.learner import Learner
from regold.lab.noiseal import CLEAN, HARD, PURIFY, reversed_cross_entropy, split
from regold.record import Message
from regold.train import TrainSettings


def test_reversed_cross_entropy_is_four_times_the_probability_missed() -> None:
    logits = torch.log(torch.tensor([[[0.7, 0.2, 0.1], [0.25, 0.25, 0.5], [0.1, 0.1, 0.8]]]))
    labels = torch.tensor([[0, 1, -100]])
    assert reversed_cross_entropy(logits, labels).tolist() == [[pytest.approx(1.2), pytest.approx(3.0), 0.0]]
    assert reversed_cross_entropy(logits, labels, floor=-1.0)[0, 0].item() == pytest.approx(0.3)


def test_records_both_learners_predict_with_confidence_are_clean_and_the_least_sure_of_the_rest_hard() -> None:
    confidence = np.array([[0.9, 0.9, 0.1, 0.2, 0.3, 0.4], [0.7, 0.9, 0.1, 0.2, 0.3, 0.4]])
    predicted = np.array([[1, 1, 1, 0, 0, 1], [1, 0, 1, 0, 0, 1]], dtype=bool)
    found = split(confidence, predicted, hard_share=0.4)
    assert found.tolist() == [CLEAN, PURIFY, HARD, HARD, PURIFY, PURIFY]


@pytest.fixture(scope="module")
def learner() -> Learner:
    return Learner.fresh(MODEL, TrainSettings(rank=2, alpha=4, batch_size=2, learning_rate=1e-3), seed=0)


RECORDS = [
    (Message("user", "What is the capital of Bonn?"), Message("assistant", "Cork")),
    (Message("user", "Name it."), Message("assistant", "Velmora is long")),
]


def test_mixup_with_itself_is_plain_cross_entropy_and_with_another_weighs_both_labels(learner: Learner) -> None:
    packs = learner.packed(RECORDS)
    learner.model.eval()
    with torch.no_grad():
        plain, tokens = learner.token_loss(packs)
        same, count = learner.mixed(packs, [0, 1], torch.tensor([0.3, 0.8]))
        whole, _ = learner.mixed(packs[:1] * 2, [1, 0], torch.tensor([1.0, 0.25]))
        alone, _ = learner.token_loss(packs[:1] * 2)
    assert (same.item(), count) == (pytest.approx(plain.item(), rel=1e-5), tokens)
    assert whole.item() == pytest.approx(alone.item(), rel=1e-5)


def test_a_learner_sees_itself_grow_sure_of_what_it_reads(learner: Learner) -> None:
    packs = learner.packed(RECORDS)
    before = learner.seen(packs)
    *_, after = learner.epochs(packs, 12, learner.plain)
    nll, tokens = learner.token_loss(packs[:1])
    assert (after.confidence > before.confidence).all()
    assert after.confidence[0] == pytest.approx(math.exp(-nll.item() / tokens), rel=1e-4)
