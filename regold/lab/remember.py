"""An engine that answers from memory what it has answered before, so that methods compared on one set share views."""

from __future__ import annotations

from typing import Any

from regold.engines.base import Completion, Engine, Need, Request, TokenScores
from regold.fingerprint import digest
from regold.record import Messages


class RememberingEngine:
    """Wraps an engine: each run still journals and counts all it asks, but a question is computed once."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine."""
        self._engine = engine
        self._held: dict[str, Any] = {}

    @property
    def identity(self) -> str:
        """Return the identity of the engine within."""
        return self._engine.identity

    async def generate(self, request: Request) -> Completion:
        """Answer from memory or ask the engine within."""
        key = digest("generate", request)
        if key not in self._held:
            self._held[key] = await self._engine.generate(request)
        return self._held[key]  # type: ignore[no-any-return]

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Score from memory or ask the engine within."""
        key = digest("score", prompt, response)
        if key not in self._held:
            self._held[key] = await self._engine.score(prompt, response)
        return self._held[key]  # type: ignore[no-any-return]

    async def probe(self, needs: frozenset[Need]) -> None:
        """Probe the engine within."""
        await self._engine.probe(needs)

    async def close(self) -> None:
        """Close the engine within."""
        await self._engine.close()
