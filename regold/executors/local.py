"""Runs parts in this process, a few at a time, so that the engine's queue never runs dry between two parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regold.runner import Worker
from regold.together import together


@dataclass(frozen=True)
class LocalExecutor:
    """One worker in this process."""

    worker: Worker
    parts_at_once: int = 4

    async def fit(self, number: int) -> None:
        """Fit one step here."""
        await self.worker.fit(number)

    async def map(self, number: int, parts: Sequence[int], tick: Callable[[int], None]) -> None:
        """Map one step over the parts, `parts_at_once` at a time."""
        slots = asyncio.Semaphore(self.parts_at_once)

        async def one(part: int) -> None:
            async with slots:
                await self.worker.map(number, part, tick)

        await together([one(part) for part in parts])
