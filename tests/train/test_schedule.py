"""The learning rate of each step: the climb, the highest, and the fall to the last step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast, TrainerCallback

from regold.train import TrainSettings
from regold.train.encode import EncodeChat
from regold.train.job import encode_all
from regold.train.loop import build
from regold.train.network import load_network
from tests.train.chats import chat

STEPS, CLIMB, HIGHEST = 20, 4, 1e-3


class Rates(TrainerCallback):
    """Keeps the learning rate that each step is taken with."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        self.seen.append(float(optimizer.param_groups[0]["lr"]))


def fall(schedule: str, step: int) -> float:
    """Return the share of the highest rate after the climb."""
    gone = (step - CLIMB) / (STEPS - CLIMB)
    return {"cosine": (1 + math.cos(math.pi * gone)) / 2, "linear": 1 - gone, "constant": 1.0}[schedule]


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_rate_climbs_from_0_and_falls_as_its_schedule_says(
    tiny: str, tokenizer: PreTrainedTokenizerFast, tmp_path: Path, schedule: str
) -> None:
    settings = TrainSettings(
        epochs=2, batch_size=2, learning_rate=HIGHEST, warmup=CLIMB / STEPS, schedule=schedule, full=True
    )
    rows = [(chat(f"Code of {n}?", "y"), 1.0) for n in range(STEPS)]
    encoded, weights, _ = encode_all(EncodeChat(tokenizer), rows, 200)
    network = load_network(tiny, settings, False)
    trainer = build(network, tokenizer, encoded, weights, settings=settings, scratch=tmp_path / "scratch")
    rates = Rates()
    trainer.add_callback(rates)
    trainer.train()
    climb = [HIGHEST * step / CLIMB for step in range(CLIMB)]
    expected = [*climb, *(HIGHEST * fall(schedule, step) for step in range(CLIMB, STEPS))]
    assert rates.seen == pytest.approx(expected, abs=1e-12)
    assert (rates.seen[0], max(rates.seen)) == (0.0, HIGHEST)
    assert 0 < rates.seen[-1] <= HIGHEST
