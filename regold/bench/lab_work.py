"""Does the lab's trials in worker processes: in the grid's order, resumable, one process a ground."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from regold.errors import RunBusy, RunError
from regold.lab.grid import Task, do

POLL_S = 1.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
"""Two torch threads collapse beside a busy process: each worker has one."""

Watch = Callable[[str, int], Callable[[int], None]]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder for this process while it works there. Raises RunBusy where another one does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunBusy(
                f"{folder}: another bench works in this folder; wait for it, or give another --into"
            ) from None
        yield


def work(todo: Sequence[Task], workers: int, watch: Watch) -> float:
    """Do what is not done, in worker processes that live as long as there is work; returns the seconds it took.

    Raises RunError at the first task that fails; what is done stays done.
    """
    began, left = time.monotonic(), [task for task in todo if task.open_cells()]
    missing = [(task, cell) for task in left for cell in task.open_cells()]
    total = sum(len(task.cells) for task in todo)
    tick = watch("trials", total)
    tick(total - len(missing))
    if not left:
        return 0.0
    os.environ.update({name: value for name, value in ONE_THREAD.items() if name not in os.environ})
    context, jobs = multiprocessing.get_context("spawn"), dict[Future[int], Task]()
    with ProcessPoolExecutor(min(workers, len(left)), mp_context=context) as pool:
        while left or jobs:
            _start(pool, left, jobs, workers)
            done, _ = wait(jobs, POLL_S, FIRST_COMPLETED)
            still = [(task, cell) for task, cell in missing if task.held(cell) is None]
            tick(len(missing) - len(still))
            missing = still
            for job in done:
                _raise(job, jobs.pop(job))
    return time.monotonic() - began


def _start(pool: ProcessPoolExecutor, left: list[Task], jobs: dict[Future[int], Task], workers: int) -> None:
    """Give idle workers the next tasks whose ground nobody works on."""
    for task in list(left):
        if len(jobs) >= workers:
            return
        if task.ground.folder not in [other.ground.folder for other in jobs.values()]:
            left.remove(task)
            jobs[pool.submit(do, task)] = task


def _raise(job: Future[int], task: Task) -> None:
    error = job.exception()
    if error is not None:
        raise RunError(f"{task.ground.folder}: {type(error).__name__}: {error}") from error
