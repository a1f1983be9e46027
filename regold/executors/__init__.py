"""Where parts run: here, or on a cluster."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from regold.errors import MissingExtra, RecipeError
from regold.executors.local import LocalExecutor
from regold.runner import Executor, Models, OpenModels, Plan, Worker


@asynccontextmanager
async def open_executor(
    kind: str, plan: Plan, models: OpenModels, specs: Models, workers: int
) -> AsyncIterator[Executor]:
    """Open the executor of a kind, "local" or "ray". Raises MissingExtra where Ray is not installed."""
    if kind == "local":
        yield LocalExecutor(Worker(plan, models))
    elif kind == "ray":
        try:
            ray = importlib.import_module("regold.executors.ray")
        except ModuleNotFoundError as error:
            raise MissingExtra("ray", "ray") from error
        async with ray.open_ray(plan, specs, workers) as executor:
            yield executor
    else:
        raise RecipeError(f"no executor {kind!r}: give local or ray")
