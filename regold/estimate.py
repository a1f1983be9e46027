"""What a run would cost: expected calls, tokens, money and hours, step by step, without calling anything."""

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
class Shares:
    """Which shares of the records are expected to come out suspect, and weak where a recipe rates them."""

    suspect: float = 0.4
    weak: float = 0.5


@dataclass(frozen=True)
class Speeds:
    """Tokens a second, over all devices together: read and written by the model servers, and trained on."""

    prompt: float
    completion: float
    training: float | None = None


@dataclass(frozen=True)
class Training:
    """What fine-tuning on every record, the most a run can keep, would take."""

    epochs: int
    tokens: float
    hours: float | None
    """None without a speed."""


@dataclass(frozen=True)
class Estimate:
    """Expected spending, with the assumptions it rests on."""

    records: int
    shares: Shares
    lengths: Lengths
    lines: tuple[Line, ...]
    money: float | None
    """In the currency of the prices given; None without prices."""
    hours: float | None
    """Of asking, at the speeds given; None without speeds."""
    training: Training | None
    """None where the recipe trains nothing."""

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
    recipe: Recipe,
    records: int,
    lengths: Lengths,
    shares: Shares,
    prices: tuple[float, float] | None = None,
    speeds: Speeds | None = None,
) -> Estimate:
    """Expect what a recipe spends and how long it takes, given how its records come out.

    `prices` are per million prompt and completion tokens. Time is that of tokens alone: servers kept busy, no loading.
    """
    lines = tuple(
        Line(stage.name, s.role, n, n * s.calls, n * s.prompt_tokens, n * s.completion_tokens)
        for stage in recipe.stages
        for n in [records * _reached(stage, shares)]
        for s in stage.spends(lengths)
    )
    prompt, completion = sum(line.prompt_tokens for line in lines), sum(line.completion_tokens for line in lines)
    money = (prompt * prices[0] + completion * prices[1]) / 1e6 if prices else None
    hours = (prompt / speeds.prompt + completion / speeds.completion) / 3600 if speeds else None
    training = _training(recipe, records, lengths, speeds)
    return Estimate(records, shares, lengths, lines, money, hours, training)


def _training(recipe: Recipe, records: int, lengths: Lengths, speeds: Speeds | None) -> Training | None:
    if recipe.train is None:
        return None
    tokens = recipe.train.epochs * records * (lengths.query + lengths.response)
    speed = speeds.training if speeds else None
    return Training(recipe.train.epochs, tokens, tokens / speed / 3600 if speed else None)


def _reached(stage: Stage, shares: Shares) -> float:
    parts = {Status.NEW: 1.0, Status.CLEAN: 1 - shares.suspect, Status.SUSPECT: shares.suspect}
    parts |= {Status.HIGH: 1 - shares.weak, Status.LOW: shares.weak}
    on: Sequence[Status] = [Status.SUSPECT if s == Status.REPAIRED else s for s in stage.on]
    return min(1.0, sum(parts.get(s, 0.0) for s in set(on)))
