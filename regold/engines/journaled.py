"""Engines and encoders whose every answer passes through the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from regold.engines.base import Completion, Encoder, Engine, Need, Request, TokenScores
from regold.engines.journal import Writer
from regold.engines.wire import spoken
from regold.record import Messages
from regold.together import together


@dataclass(frozen=True)
class JournaledEngine:
    """An engine whose every answer passes through the journal."""

    engine: Engine
    writer: Writer

    @property
    def identity(self) -> str:
        """Return the identity of the engine within."""
        return self.engine.identity

    async def generate(self, request: Request) -> Completion:
        """Answer from the journal, or pay and journal."""

        async def call() -> tuple[Any, int, int]:
            done = await self.engine.generate(request)
            return asdict(done), done.prompt_tokens, done.completion_tokens

        asked = replace(request, messages=spoken(request.messages))
        answer = await self.writer.once((self.identity, "generate", asked), call)
        logprobs = answer["logprobs"]
        return Completion(**{**answer, "logprobs": None if logprobs is None else tuple(logprobs)})

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Score from the journal, or pay and journal."""

        async def call() -> tuple[Any, int, int]:
            done = await self.engine.score(prompt, response)
            return asdict(done), done.prompt_tokens + len(done.logprobs), 0

        answer = await self.writer.once((self.identity, "score", spoken(prompt), response), call)
        return TokenScores(tuple(answer["logprobs"]), answer["prompt_tokens"])

    async def probe(self, needs: frozenset[Need]) -> None:
        """Probe the engine within; probes are not journaled."""
        await self.engine.probe(needs)

    async def close(self) -> None:
        """Leave the engine within open: its owner closes it."""


@dataclass(frozen=True)
class JournaledEncoder:
    """A paid encoder whose every vector passes through the journal, text by text."""

    encoder: Encoder
    writer: Writer

    @property
    def identity(self) -> str:
        """Return the identity of the encoder within."""
        return self.encoder.identity

    async def learn(self, texts: Sequence[str]) -> Mapping[str, Any]:
        """Learn as the encoder within does."""
        return await self.encoder.learn(texts)

    async def encode(self, texts: Sequence[str], learned: Mapping[str, Any]) -> Any:
        """Embed from the journal, or pay and journal; returns float32 of shape (len(texts), d)."""

        async def one(text: str) -> Any:
            async def call() -> tuple[Any, int, int]:
                return (await self.encoder.encode([text], learned))[0].tolist(), 0, 0

            return await self.writer.once((self.identity, "encode", text), call)

        return np.asarray(await together([one(text) for text in texts]), dtype=np.float32)

    async def probe(self) -> None:
        """Probe the encoder within; probes are not journaled."""
        await self.encoder.probe()

    async def close(self) -> None:
        """Leave the encoder within open: its owner closes it."""
