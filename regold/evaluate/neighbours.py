"""Nearest training records shown before a question: SelfRAG's inference, and NoiseAL's relabelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regold.asking import conversation, in_context
from regold.engines import Encoder
from regold.evaluate.heldout import Question
from regold.formats import Row
from regold.methods.neighbours import nearest
from regold.prompts import Prompts
from regold.record import Message, Messages, Record
from regold.stage import Context, Engines


@dataclass(frozen=True)
class Neighbours:
    """Training records with their vectors."""

    encoder: Encoder
    records: Sequence[Record]
    learned: dict[str, np.ndarray]
    vectors: np.ndarray

    @classmethod
    async def of(cls, encoder: Encoder, rows: Sequence[Row]) -> Neighbours:
        """Embed the queries of rows; the responses stay as they are given."""
        records = [Record(row.id, row.messages, row.options) for row in rows]
        texts = [conversation(record.query) for record in records]
        learned = dict(await encoder.learn(texts))
        return cls(encoder, records, learned, await encoder.encode(texts, learned))

    async def before(self, questions: Sequence[Question], k: int, prompts: Prompts) -> list[Question]:
        """Return the questions with their k nearest training records as earlier turns, nearest last."""
        answers = [Message("assistant", q.reference) for q in questions]
        asked = zip(questions, answers, strict=True)
        records = [Record(q.id, (*q.messages, answer), q.options) for q, answer in asked]
        near = await self.places(records, k)
        shown = [self.shown(record, places, prompts) for record, places in zip(records, near, strict=True)]
        return [q._replace(messages=messages) for q, messages in zip(questions, shown, strict=True)]

    async def places(self, records: Sequence[Record], k: int) -> list[list[int]]:
        """Return the places of each record's k nearest training records, nearest first; -1 where there are fewer."""
        if not records:
            return []
        vectors = await self.encoder.encode([conversation(record.query) for record in records], self.learned)
        found: list[list[int]] = nearest(vectors, self.vectors, k)[0].tolist()
        return found

    def shown(self, record: Record, near: Sequence[int], prompts: Prompts) -> Messages:
        """Return a record's query after the records at these places (-1 is none), given nearest first."""
        ctx = Context(None, Engines({}), prompts, seed=0, lookup=lambda ids: [])
        shots = [self.records[place] for place in near if place >= 0][::-1]
        return in_context(ctx, "context", record, shots)
