"""A run in memory: stages over a few records, engines that answer by a function, edits applied as the runner would."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from regold.engines.base import Completion, Need, Request, TokenScores
from regold.prompts import Prompts, load_prompts
from regold.record import Edit, Message, Messages, Record, Status
from regold.stage import Context, Engines, Stage
from regold.store import Table
from regold.store.columns import edit_row, edit_schema

PLAIN = Prompts(
    "plain",
    {
        "direct": "{{query}}",
        "context": "{{query}}",
        "reason": "{{query}}\nThink.",
        "reflect": "Check that.",
        "review": "{{query}}\n1: {{first}}\n2: {{second}}\nWhich is right?",
    },
)
"""Prompts as plain as the lab's: no fence, no JSON."""

Answer = Callable[[Request], str | Completion]


@dataclass
class FakeEngine:
    """Answers by a function of the request and remembers all it was asked."""

    answer: Answer
    nll: float = 0.7
    identity: str = "fake"
    requests: list[Request] = field(default_factory=list)
    scored: list[tuple[Messages, str]] = field(default_factory=list)

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        await asyncio.sleep(0)
        said = self.answer(request)
        said = Completion(said) if isinstance(said, str) else said
        return replace(said, logprobs=(-self.nll,) * 4) if request.logprobs and said.logprobs is None else said

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        self.scored.append((prompt, response))
        return TokenScores((-2.0, -3.0))

    async def probe(self, needs: frozenset[Need]) -> None:
        return None

    async def close(self) -> None:
        return None


class WordEncoder:
    """A vector of word counts, hashed, over the words that are not in every text."""

    identity = "words"

    async def learn(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        counts = np.sum([_counts(t) > 0 for t in texts], axis=0)
        return {"weights": (counts < len(texts)).astype(np.float32)}

    async def encode(self, texts: Sequence[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
        vectors = np.stack([_counts(t) for t in texts]) * learned["weights"]
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    async def probe(self) -> None:
        return None

    async def close(self) -> None:
        return None


def _counts(text: str) -> np.ndarray:
    vector = np.zeros(64)
    for word in text.casefold().split():
        vector[sum(ord(c) * 31**i for i, c in enumerate(word)) % 64] += 1
    return vector


class Play:
    """Records on their way through some stages."""

    def __init__(
        self, records: Iterable[Record], answer: Answer = lambda _: "", prompts: Prompts | None = None
    ) -> None:
        self.records = {r.id: r for r in records}
        self.engine = FakeEngine(answer)
        self.prompts = prompts or load_prompts("default")
        self.edits: dict[str, Edit] = {}
        self.artifact: Any = None
        self.encoder: WordEncoder | None = WordEncoder()

    def run(self, *stages: Stage, order: int | None = None) -> Play:
        """Run stages one after the other; `order` seeds the order in which records are mapped."""
        for stage in stages:
            asyncio.run(self._step(stage, order))
        return self

    def __getitem__(self, id_: str) -> Record:
        return self.records[id_]

    async def _step(self, stage: Stage, order: int | None) -> None:
        before = dict(self.records)
        table = Table(list(before), lambda name: self._column(before, name))
        ctx = self.context(table)
        self.artifact = await stage.fit(table, ctx) if stage.fits else None
        if not isinstance(self.artifact, dict) or not any(isinstance(v, np.ndarray) for v in self.artifact.values()):
            self.artifact = json.loads(json.dumps(self.artifact))
        ctx = replace(ctx, artifact=self.artifact)
        todo = [r for r in before.values() if r.status in stage.on]
        random.Random(order).shuffle(todo)
        notes = {r.id: {name: r.notes.get(name) for name in stage.reads} for r in todo}
        edits = await asyncio.gather(*(stage(replace(r, notes=notes[r.id]), ctx) for r in todo))
        self.edits = {r.id: e for r, e in zip(todo, edits, strict=True)}
        rows = [edit_row(0, id_, edit) for id_, edit in self.edits.items()]
        pa.Table.from_pylist(rows, schema=edit_schema(stage.writes))  # raises where a note has another type
        for id_, edit in self.edits.items():
            assert set(edit.notes) <= set(stage.writes)
            self.records[id_] = _edited(before[id_], edit)

    def context(self, table: Table) -> Context:
        """Return what a stage sees."""
        return Context(
            None, Engines({"student": self.engine, "judge": self.engine}, self.encoder), self.prompts, 0, table.lookup
        )

    @staticmethod
    def _column(records: Mapping[str, Record], name: str) -> list[Any]:
        fixed = {"status", "messages", "options", "weight"}
        return [
            str(r.status) if name == "status" else getattr(r, name) if name in fixed else r.notes.get(name)
            for r in records.values()
        ]


def _edited(record: Record, edit: Edit) -> Record:
    known = {name: value for name, value in edit.notes.items() if value is not None}
    return replace(
        record,
        status=edit.status or record.status,
        messages=record.messages if edit.messages is None else edit.messages,
        notes={**record.notes, **known},
    )


def make(id_: str, question: str, response: str, options: Sequence[str] = (), **more: Any) -> Record:
    """Make a record; options are listed in its query as the readers list them."""
    listed = "\n".join([question, *(f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=False))])
    messages = (Message("user", listed), Message("assistant", response))
    return Record(id_, messages, tuple(options), **more)


def last(request: Request) -> str:
    """Return the last message's text."""
    return request.messages[-1].content


@pytest.fixture
def suspect() -> Record:
    """A suspect multiple-choice record as the review meets it."""
    notes = {
        "relabel.text": "B",
        "relabel.answer": "B",
        "relabel.mean_nll": 0.1,
        "relabel.neighbours": [],
        "reason.text": "So: C",
        "reason.answer": "C",
    }
    return make("q1", "Which is a city?", "A", ("ant", "Bonn", "Cork"), status=Status.SUSPECT, notes=notes)
