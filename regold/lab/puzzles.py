"""Ledger (two-step sums in words) and Wire (tone of short market news): the two domains without facts to know."""

from dataclasses import dataclass
from random import Random

from regold.lab.names import words

NUMBERS = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
PEOPLE = ("Mira", "Tobin", "Asel", "Ruth", "Ivo", "Nadia", "Pell", "Omar", "Lena", "Kofi")
THINGS = ("coins", "pears", "stamps", "bricks", "shells", "nails", "books", "candles")
GAINS = ("finds", "buys", "is given", "wins")
LOSSES = ("loses", "sells", "gives away", "breaks")
TONES = ("positive", "negative", "neutral")
FIRMS = (
    "Arlo Mills",
    "Beck Steel",
    "Cordia Bank",
    "Dunmore Foods",
    "Ester Air",
    "Fenn Optics",
    "Gale Power",
    "Hollis Rail",
)
CLAUSES = {
    "positive": (
        "posts a record profit", "raises its outlook", "wins a large order", "beats forecasts",
        "pays a higher dividend", "cuts its debt", "opens new plants", "gains market share",
        "halves its losses", "avoids a strike",
    ),
    "negative": (
        "posts a heavy loss", "cuts its outlook", "loses a large order", "misses forecasts",
        "pays a lower dividend", "raises its debt", "closes old plants", "gives up market share",
        "halves its profit", "faces a strike",
    ),
    "neutral": (
        "keeps its outlook", "meets forecasts", "names a new chairman", "holds its annual meeting",
        "moves its head office", "publishes its report",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Puzzle:
    """A question, its answer, and the steps that lead there."""

    question: str
    answer: str
    steps: str
    topic: str
    rivals: tuple[str, ...]


def ledger(rng: Random) -> Puzzle:
    """Draw a two-step sum; the result is never negative."""
    who, thing = rng.choice(PEOPLE), rng.choice(THINGS)
    start = rng.randint(2, 12)
    total, story, steps = start, [], []
    for _ in range(2):
        total, clause, step = _move(rng, total)
        story.append(clause)
        steps.append(step)
    question = f"{who} has {NUMBERS[start]} {thing}, {story[0]} and then {story[1]}. How many {thing} are left?"
    rivals = tuple(str(n) for n in range(max(0, total - 8), total + 9) if n != total)
    return Puzzle(question, str(total), " ".join(steps), thing, rivals)


def _move(rng: Random, total: int) -> tuple[int, str, str]:
    amount = rng.randint(1, 9)
    if amount <= total and rng.random() < 0.5:
        left = total - amount
        return left, f"{rng.choice(LOSSES)} {NUMBERS[amount]}", f"{total} - {amount} = {left}."
    more = total + amount
    return more, f"{rng.choice(GAINS)} {NUMBERS[amount]}", f"{total} + {amount} = {more}."


def wire(rng: Random) -> Puzzle:
    """Draw one or two clauses of news; `but` lets the second count, `although` the first, `and` adds them up."""
    firm = rng.choice(FIRMS)
    first, tone = _clause(rng)
    text, steps = first, f"{first}: {tone}."
    if rng.random() < 0.75:
        second, other = _clause(rng)
        link = rng.choice(("but", "although it", "and"))
        text += f" {link} {second}" if link == "and" else f", {link} {second}"
        steps += f" {second}: {other}."
        tone = _joined(link, tone, other)
    rivals = tuple(t for t in TONES if t != tone)
    return Puzzle(f"News: {firm} {text}. Is the tone positive, negative or neutral?", tone, steps, firm, rivals)


def _clause(rng: Random) -> tuple[str, str]:
    tone = rng.choice(TONES)
    return rng.choice(CLAUSES[tone]), tone


def _joined(link: str, first: str, second: str) -> str:
    if link == "but":
        return second
    if link != "and" or second in (first, "neutral"):
        return first
    return second if first == "neutral" else "neutral"
