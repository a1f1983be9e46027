"""Await several jobs as one: what fails fails once, and nothing runs on unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any


async def together(jobs: Sequence[Awaitable[Any]]) -> list[Any]:
    """Await all; at the first error start no more, let none run on unseen, and raise that error."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
