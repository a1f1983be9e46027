"""What a run would cost: expected calls, tokens and money, step by step, without calling anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regold.recipe import Recipe
from regold.record import Messages, Status
from regold.stage import Lengths, Stage

CHARACTERS_PER_TOKEN = 4.0
"""The usual rule of thumb for English text; a tokenizer of the model itself would say more exactly."""


@dataclass(frozen=True)
class Line:
    """One step's expected spending on one role."""

    step: str
    role: str
    records: float
    calls: float
    prompt_tokens: float
    completion_tokens: float


@dataclass(frozen=True)
class Estimate:
    """Expected spending, with the assumptions it rests on."""

    records: int
    suspect_share: float
    lengths: Lengths
    lines: tuple[Line, ...]
    money: float | None
    """In the currency of the prices given; None without prices."""

    def total(self, column: str) -> float:
        """Return the sum of a numeric column over all steps."""
        return float(sum(getattr(line, column) for line in self.lines))


def measure(rows: Iterable[Messages], reasoning: float) -> tuple[int, Lengths]:
    """Return how many records there are and their mean lengths, taking four characters for a token."""
    count, query, response = 0, 0, 0
    for messages in rows:
        count += 1
        query += sum(len(m.content) for m in messages[:-1])
        response += len(messages[-1].content)
    each = max(count, 1) * CHARACTERS_PER_TOKEN
    return count, Lengths(query / each, response / each, reasoning)


def estimate(
    recipe: Recipe, records: int, lengths: Lengths, suspect_share: float, prices: tuple[float, float] | None
) -> Estimate:
    """Expect what a recipe spends, given the share of records that will come out suspect.

    `prices` are per million prompt and completion tokens.
    """
    lines = tuple(
        Line(stage.name, s.role, n, n * s.calls, n * s.prompt_tokens, n * s.completion_tokens)
        for stage in recipe.stages
        for n in [records * _reached(stage, suspect_share)]
        for s in stage.spends(lengths)
    )
    done = Estimate(records, suspect_share, lengths, lines, None)
    if prices is None:
        return done
    money = (done.total("prompt_tokens") * prices[0] + done.total("completion_tokens") * prices[1]) / 1e6
    return Estimate(records, suspect_share, lengths, lines, money)


def _reached(stage: Stage, suspect_share: float) -> float:
    shares = {Status.NEW: 1.0, Status.CLEAN: 1 - suspect_share, Status.SUSPECT: suspect_share}
    on: Sequence[Status] = [Status.SUSPECT if s == Status.REPAIRED else s for s in stage.on]
    return min(1.0, sum(shares.get(s, 0.0) for s in set(on)))
