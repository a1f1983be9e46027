"""`regold bench lab`: the experiment grid of the closed world, by several processes, resumable cell by cell."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regold.bench.lab_pages import write_pages
from regold.bench.lab_summary import summarise
from regold.engines.weights import folder_digest
from regold.errors import RunError, UsageError
from regold.files import read_json
from regold.lab.grid import SHIPPED, Grid, Part, Task, do, load_grid, tasks
from regold.lab.ground import MODEL

CELL_S = 10.0
"""Seconds of one core that a cell took where the grid was measured; the ground of the estimate."""
POLL_S = 1.0
QUICK = 200
"""Training records and held-out questions of the quick version."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
"""Two torch threads collapse beside a busy process: each worker has one."""

Watch = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True)
class Asked:
    """What one `regold bench lab` is asked for; None is what the grid says."""

    into: Path
    quick: bool = False
    parts: tuple[str, ...] | None = None
    sets: tuple[str, ...] | None = None
    rates: tuple[int, ...] | None = None
    seeds: int | None = None
    worlds: Mapping[Path, int] | None = None
    workers: int = 2
    grid: Path = SHIPPED


def chosen(asked: Asked) -> tuple[Grid, list[Part]]:
    """Return the grid and the parts that are asked for. Raises UsageError for a part that does not exist."""
    grid = load_grid(asked.grid)
    if asked.quick:
        grid = replace(grid, items=QUICK, test=QUICK, seeds=2)
    if asked.seeds:
        grid = replace(grid, seeds=asked.seeds)
    known = [part.name for part in grid.parts]
    wanted = asked.parts or (("quick",) if asked.quick else tuple(name for name in known if name != "quick"))
    for name in wanted:
        if name not in known:
            raise UsageError(f"no part {name!r} in the grid: there are {', '.join(known)}")
    parts = [_narrowed(part, asked) for part in grid.parts if part.name in wanted]
    return grid, [part for part in parts if part.sets and part.noise]


def _narrowed(part: Part, asked: Asked) -> Part:
    sets = part.sets if asked.sets is None else tuple(s for s in part.sets if s in asked.sets)
    rates = part.noise
    if asked.rates is not None:
        rates = asked.rates if len(part.noise) > 1 else tuple(r for r in part.noise if r in asked.rates)
    return replace(part, sets=sets, noise=rates)


def planned(asked: Asked) -> tuple[Grid, list[Part], list[Task]]:
    """Return grid, parts and tasks. Raises UsageError where nothing is left of what is asked."""
    grid, parts = chosen(asked)
    todo = tasks(grid, parts, asked.into, asked.worlds or {})
    if not todo:
        raise UsageError("the sets and rates asked for leave nothing to do")
    return grid, parts, todo


def forecast(todo: Sequence[Task], workers: int) -> tuple[int, int, float]:
    """Return cells in all, cells to do, and the minutes they will take about."""
    open_cells = [len(task.open_cells()) for task in todo]
    longest = max((n for n in open_cells), default=0)
    seconds = max(sum(open_cells) / max(1, workers), longest) * CELL_S
    return sum(len(task.cells) for task in todo), sum(open_cells), seconds / 60


def work(todo: Sequence[Task], workers: int, watch: Watch) -> float:
    """Do what is not done, in worker processes that live as long as there is work; returns the seconds it took.

    Raises RunError at the first task that fails; what is done stays done.
    """
    began, left = time.monotonic(), [task for task in todo if task.open_cells()]
    total, open_cells, _ = forecast(todo, workers)
    tick = watch("cells", total)
    tick(total - open_cells)
    if not left:
        return 0.0
    os.environ.update({name: value for name, value in ONE_THREAD.items() if name not in os.environ})
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(left)), mp_context=context) as pool:
        jobs = {pool.submit(do, task): task for task in left}
        missing = [(task, cell) for task in left for cell in task.open_cells()]
        pending: set[Future[int]] = set(jobs)
        while pending:
            done, pending = wait(pending, POLL_S, FIRST_COMPLETED)
            still = [(task, cell) for task, cell in missing if task.held(cell) is None]
            tick(len(missing) - len(still))
            missing = still
            for job in done:
                _raise(job, jobs[job], pending)
    return time.monotonic() - began


def _raise(job: Future[int], task: Task, pending: set[Future[int]]) -> None:
    error = job.exception()
    if error is not None:
        for other in pending:
            other.cancel()
        raise RunError(f"{task.ground.folder}: {type(error).__name__}: {error}") from error


def results(todo: Sequence[Task]) -> list[dict[str, Any]]:
    """Return every finished cell's result with its world, set and seed, and the kinds of its questions."""
    found = []
    for task in todo:
        place = {"world": task.world, "set": task.ground.set, "seed": task.ground.seed}
        kinds = task.ground.folder / "kinds.json"
        about = read_json(kinds) if kinds.is_file() else []
        held = [task.held(cell) for cell in task.cells]
        found += [{**place, "question_kinds": about, **one} for one in held if one is not None]
    return found


def bench_lab(asked: Asked, out: Path, watch: Watch, tell: Callable[[str], None]) -> dict[str, Any]:
    """Do what is missing of what is asked, write results and plots into `out`, and return them as plain data.

    `tell` is told beforehand how much there is to do.
    """
    grid, parts, todo = planned(asked)
    cells, left, minutes = forecast(todo, asked.workers)
    tell(f"{cells} trials, {left} to do: about {minutes:.0f} minutes with {asked.workers} workers on idle cores")
    work(todo, asked.workers, watch)
    done = results(todo)
    train = {name: getattr(grid.settings, name) for name in ("epochs", "learning_rate", "batch_size", "rank", "alpha")}
    about = {"items": grid.items, "test": grid.test, "seeds": grid.seeds, "train": train, "quick": asked.quick}
    spent = sum(sum(one["seconds"].values()) for one in done if "seconds" in one)
    about |= {"cells": len(done), "core_seconds": round(spent, 1), "model": folder_digest(MODEL)[:16]}
    summary = {"asked": about, **summarise(done, grid, parts)}
    write_pages(summary, out)
    return summary
