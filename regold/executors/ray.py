"""Runs parts on a Ray cluster: one actor a worker, each with models and journal files of its own."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray.exceptions import RayActorError

from regold import errors
from regold.errors import RegoldError, RunError
from regold.runner import Models, Plan, Worker, open_models
from regold.together import together

ATTEMPTS = 3
"""How often a part whose worker died is given to another one."""
LOOPBACK = "127.0.0.2"
"""Ray rewrites 127.0.0.1 to the machine's outer address; this one stays on loopback."""


class PartWorker:
    """Lives in an actor: opens its own models once, then fits and maps what it is told."""

    def __init__(self, plan: Plan, models: Models) -> None:
        """Take what a worker opens its models from."""
        self._plan, self._models = plan, models
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._worker: Worker | None = None

    async def _open(self) -> Worker:
        async with self._opening:
            if self._worker is None:
                models = await self._stack.enter_async_context(open_models(self._models))
                self._worker = Worker(self._plan, models, shared=True)
            return self._worker

    async def do(self, number: int, part: int | None) -> tuple[int, str, str]:
        """Fit a step (`part` None) or map it over a part; returns records done, and an error's class and message."""
        done = 0

        def tick(records: int) -> None:
            nonlocal done
            done += records

        try:
            worker = await self._open()
            await (worker.fit(number) if part is None else worker.map(number, part, tick))
        except RegoldError as error:
            return done, type(error).__name__, str(error)
        return done, "", ""


@dataclass
class RayExecutor:
    """Gives parts to whichever actor is free; an actor that dies is replaced and its part given out again."""

    plan: Plan
    models: Models
    workers: int
    _free: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    def start(self) -> None:
        """Start the actors."""
        for _ in range(self.workers):
            self._free.put_nowait(self._actor())

    def _actor(self) -> Any:
        return ray.remote(PartWorker).options(num_cpus=0, max_concurrency=2).remote(self.plan, self.models)

    async def fit(self, number: int) -> None:
        """Fit one step on one worker."""
        await self._do(number, None)

    async def map(self, number: int, parts: Sequence[int], tick: Callable[[int], None]) -> None:
        """Map one step over the parts, one a worker at a time."""

        async def one(part: int) -> None:
            tick(await self._do(number, part))

        await together([one(part) for part in parts])

    async def _do(self, number: int, part: int | None) -> int:
        for _ in range(ATTEMPTS):
            actor = await self._free.get()
            try:
                done, kind, message = await actor.do.remote(number, part)
            except RayActorError:
                actor = self._actor()
                continue
            finally:
                self._free.put_nowait(actor)
            if kind:
                raise _rebuilt(kind, message)
            return int(done)
        raise RunError(f"part {part} of step {number}: its worker died {ATTEMPTS} times; look at the cluster's logs")


def _rebuilt(kind: str, message: str) -> RegoldError:
    """Return a worker's error as it was raised there; those with other arguments come back as their parent."""
    found = getattr(errors, kind, RunError)
    for cls in (found, *found.__mro__[1:]):
        try:
            error = cls(message)
        except TypeError:
            continue
        if isinstance(error, RegoldError):
            return error
    return RunError(message)


@asynccontextmanager
async def open_ray(plan: Plan, models: Models, workers: int) -> AsyncIterator[RayExecutor]:
    """Join the cluster at RAY_ADDRESS, or start one on loopback for this run alone; stop what was started."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    with tempfile.TemporaryDirectory(prefix="regold-ray-") as folder:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        else:
            ray.init(
                address="local",
                _node_ip_address=LOOPBACK,
                _temp_dir=folder,
                num_cpus=max(workers, 1),
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
            )
        executor = RayExecutor(
            replace(plan, store=replace(plan.store, root=plan.store.root.resolve())), models, workers
        )
        try:
            executor.start()
            yield executor
        finally:
            ray.shutdown()
