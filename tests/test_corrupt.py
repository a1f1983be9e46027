"""Noise that a model lends: which wrong response it is asked for, and where it is most easily misled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from regold.corrupt import confusable, margins
from regold.engines import Completion, Request, TokenScores
from regold.formats import Row, read_rows
from regold.record import Messages


@dataclass
class Teller:
    """Says one thing when greedy, another when sampled, and likes some responses better than others."""

    greedy: str
    sampled: str
    liked: dict[str, float] = field(default_factory=dict)
    identity = "teller"

    async def generate(self, request: Request) -> Completion:
        return Completion(self.greedy if request.temperature == 0 else self.sampled)

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        return TokenScores((self.liked[response],))

    async def close(self) -> None:
        """Hold nothing."""


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    data = tmp_path / "data.jsonl"
    data.write_text('{"id": "a", "instruction": "What is the capital of Navia?", "output": "Bonnburg"}\n')
    return list(read_rows(data))


@pytest.mark.parametrize(
    ("greedy", "sampled", "first", "certain"),
    [
        ("Dorel", "Kanburg", "Kanburg", "Dorel"),
        ("Bonnburg", "Kanburg", "Kanburg", "Kanburg"),
        ("Dorel", "Bonnburg", None, "Dorel"),
        ("Bonnburg", "Bonnburg", None, None),
    ],
)
def test_an_adversary_takes_what_the_model_says_for_certain_where_that_is_wrong(
    rows: list[Row], greedy: str, sampled: str, first: str | None, certain: str | None
) -> None:
    teller = Teller(greedy, sampled)
    assert asyncio.run(confusable(teller, rows)).get("a") == first
    assert asyncio.run(confusable(teller, rows, greedy=True)).get("a") == certain


def test_a_margin_is_how_much_likelier_the_right_response_is(rows: list[Row]) -> None:
    teller = Teller("", "", {"Bonnburg": -2.0, "Dorel": -0.5})
    assert asyncio.run(margins(teller, rows, {"a": "Dorel"})) == {"a": -1.5}
    assert asyncio.run(margins(teller, rows, {})) == {}
