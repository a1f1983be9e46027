"""Score a model on held-out questions: ask directly, read the answer, compare it with the reference."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from regold.asking import asked
from regold.engines.base import Completion, Engine, Request
from regold.errors import InputError, RecipeError, RequestFailed
from regold.formats.rows import Row
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.prompts import Prompts
from regold.record import Message, Messages, Record
from regold.stage import Context, Engines

DIRECT = "direct"
"""The base view's prompt."""


class Question(NamedTuple):
    """A held-out question: the turns before the answer, the legal answers in order, and the right one."""

    messages: Messages
    options: tuple[str, ...]
    reference: str
    id: str = ""

    @classmethod
    def of(cls, row: Row) -> Question:
        """Take a row of a held-out file: the reference is its true value where it holds one, else its response."""
        return cls(row.messages[:-1], row.options, row.truth or row.messages[-1].content, row.id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model made of one question. `right` is the share of its samples that are right: 0 or 1 for one sample."""

    id: str
    answers: tuple[str | None, ...]
    """What was read from each sample; None where it states no answer, was cut off or the request failed."""
    right: float
    undecided: int = 0
    """Samples that only a judge could compare with the reference; exact match counts them as wrong."""
    failed: int = 0
    """Requests that could not be answered; counted as wrong."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Exact match of one model under one way of decoding, question by question."""

    engine: str
    temperature: float
    samples: int
    items: tuple[Outcome, ...]
    sampled: Evaluation | None = None
    """Sampled decoding of the same questions; greedy decoding always stands beside it."""

    @property
    def n(self) -> int:
        """Return the number of questions."""
        return len(self.items)

    @property
    def right(self) -> tuple[float, ...]:
        """Return the share right of each question, in order: what a paired bootstrap compares."""
        return tuple(item.right for item in self.items)

    @property
    def accuracy(self) -> float:
        """Return the mean share right."""
        return math.fsum(self.right) / self.n

    @property
    def standard_error(self) -> float:
        """Return the standard error of the accuracy over questions; samples of one question are not independent."""
        spread = math.fsum((right - self.accuracy) ** 2 for right in self.right)
        return math.sqrt(spread / (self.n - 1) / self.n) if self.n > 1 else math.nan

    @property
    def unread(self) -> float:
        """Return the share of samples from which no answer could be read."""
        return sum(answer is None for item in self.items for answer in item.answers) / (self.n * self.samples)


async def evaluate(
    engine: Engine,
    rows: Iterable[Question],
    prompts: Prompts | None = None,
    temperature: float = 0.0,
    samples: int = 1,
    *,
    max_tokens: int = 512,
    in_flight: int = 256,
) -> Evaluation:
    """Answer every question greedily and, with a temperature above 0, also by `samples` samples (`.sampled`).

    A question is asked as the base view asks it, or without `prompts` as it stands, which is how training shows it.
    One that the engine cannot answer counts as wrong and as failed. Raises InputError where there are no questions;
    EngineError passes.
    """
    questions = [row if row.id else row._replace(id=str(number)) for number, row in enumerate(rows, 1)]
    if not questions:
        raise InputError("no questions to evaluate on")
    if samples < 1 or temperature < 0 or (samples > 1 and temperature == 0):
        raise RecipeError(f"cannot decode with temperature {temperature} and {samples} samples: greedy is one sample")
    slots = asyncio.Semaphore(in_flight)
    greedy = await _decode(engine, questions, prompts, Request((), max_tokens=max_tokens), 1, slots)
    if temperature == 0:
        return greedy
    hot = Request((), temperature, max_tokens=max_tokens)
    return replace(greedy, sampled=await _decode(engine, questions, prompts, hot, samples, slots))


async def _decode(
    engine: Engine,
    questions: Sequence[Question],
    prompts: Prompts | None,
    how: Request,
    samples: int,
    slots: asyncio.Semaphore,
) -> Evaluation:
    async def draw(question: Question, sample: int) -> Completion | None:
        request = replace(how, messages=question_asked(question, prompts), sample=sample)
        async with slots:
            try:
                return await engine.generate(request)
            except RequestFailed:
                return None

    try:
        async with asyncio.TaskGroup() as together:
            tasks = [[together.create_task(draw(q, sample)) for sample in range(samples)] for q in questions]
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    items = tuple(_outcome(q, [task.result() for task in drawn]) for q, drawn in zip(questions, tasks, strict=True))
    return Evaluation(engine.identity, how.temperature, samples, items)


def question_asked(question: Question, prompts: Prompts | None) -> Messages:
    """Return the turns that ask a question: as the base view does with `prompts`, as it stands without."""
    if prompts is None:
        return question.messages
    ctx = Context(None, Engines({}), prompts, seed=0, lookup=lambda ids: [])
    answer = Message("assistant", question.reference)
    return asked(ctx, DIRECT, Record(question.id, (*question.messages, answer), question.options))


def _outcome(question: Question, said: Sequence[Completion | None]) -> Outcome:
    given, options = question.reference, question.options
    wanted = read_answer(given, given, options)
    answers = tuple(None if c is None else read_answer(c.text, given, options, c.finish) for c in said)
    verdicts = [same_answer(answer, wanted, options) for answer in answers]
    right = sum(v is True for v in verdicts) / len(said)
    return Outcome(question.id, answers, right, sum(v is None for v in verdicts), sum(c is None for c in said))
