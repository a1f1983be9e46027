"""Gather requests that arrive together into batches, so that a model answers many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

LINGER_S = 0.004


class Gather(Generic[Asked, Answer]):
    """Calls `run` on batches of what concurrent callers asked, neighbours in length together, `parallel` at a time."""

    def __init__(
        self,
        run: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        size: int,
        length: Callable[[Asked], int],
        parallel: int = 1,
    ) -> None:
        self._run, self._size, self._length, self._parallel = run, max(1, size), length, max(1, parallel)
        self._pending: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, asked: Asked) -> Answer:
        """Wait for a batch and return the answer. Raises what `run` raised for the whole batch."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending.append((asked, future))
        self._tasks = [task for task in self._tasks if not task.done()]
        if len(self._tasks) < self._parallel:
            self._tasks.append(asyncio.create_task(self._work()))
        return await future

    async def _work(self) -> None:
        await asyncio.sleep(LINGER_S)
        while batch := self._next():
            try:
                answers = await self._run([asked for asked, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    def _next(self) -> list[tuple[Asked, asyncio.Future[Answer]]]:
        """Return the longest-waiting request and those nearest to it in length: little padding, and nobody starves."""
        waiting = [item for item in self._pending if not item[1].done()]
        ranked = sorted(waiting, key=lambda item: self._length(item[0]))
        at = next((i for i, item in enumerate(ranked) if item is waiting[0]), 0)
        start = max(0, min(at - self._size // 2, len(ranked) - self._size))
        batch = ranked[start : start + self._size]
        chosen = {id(item) for item in batch}
        self._pending = [item for item in waiting if id(item) not in chosen]
        return batch

    async def close(self) -> None:
        """Give up what is still waiting."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, future in self._pending:
            future.cancel()
        self._pending = []
