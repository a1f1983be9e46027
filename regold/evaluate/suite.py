"""Opens the engines that an evaluation asks, with their journal, and runs the benchmarks on them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from regold.engines import EngineSpec, open_engine
from regold.engines.base import Engine
from regold.engines.journal import Journal, Writer
from regold.engines.journaled import JournaledEngine
from regold.evaluate.harness import Harness, Settings, Watch, unwatched
from regold.evaluate.later import Judge
from regold.evaluate.results import Suite


def run_suite(
    model: EngineSpec,
    name: str,
    names: Sequence[str],
    settings: Settings,
    out: Path | None = None,
    judge: EngineSpec | None = None,
    watch: Watch | None = None,
) -> Suite:
    """Run benchmarks on a model, called `name` in the results, and write what was found into `out`, where given.

    There lie `results.json`, every question with its answer in `answers/`, and the journal: the same command goes on
    where it was stopped, and pays for nothing twice. Raises EngineError where the model cannot be asked at all.
    """
    closing: list[Engine | Writer] = []
    with asyncio.Runner() as runner:

        def opened(spec: EngineSpec, role: str) -> Engine:
            engine = open_engine(spec)
            closing.append(engine)
            if out is None:
                return engine
            journal = Journal(out / "calls" / role)
            journal.refresh()
            writer = journal.writer("evaluate")
            closing.append(writer)
            return JournaledEngine(engine, writer)

        async def close() -> None:
            for each in reversed(closing):
                await each.close()

        try:
            asked = opened(model, "student")
            grading = Judge.of(opened(judge, "judge")) if judge else None
            harness = Harness(asked, settings, runner, grading, out, watch or unwatched)
            suite = harness.run(names, name)
        finally:
            runner.run(close())
    if out is not None:
        suite.save(out)
    return suite
