"""`regold bench entp`: ENTP's arms and selection baselines on a pool with planted faults, resumable arm by arm."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from regold.bench.entp_page import write_entp
from regold.bench.entp_summary import summarise
from regold.bench.lab_work import ONE_THREAD
from regold.engines.weights import folder_digest
from regold.errors import UsageError
from regold.files import read_json, write_json
from regold.fingerprint import digest
from regold.lab.arms import GROUPS, SHIPPED, Arm, Arms, load_arms
from regold.lab.pool_ground import MODEL, PoolField, PoolGround
from regold.lab.pool_trial import pool_trial

VERSION = 4
"""Raise it when the same trial would now come to other figures."""
QUICK_GROUPS = ("bound", "arm")

Watch = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True)
class Asked:
    """What one `regold bench entp` is asked for; None is what the table of arms says."""

    into: Path
    quick: bool = False
    groups: tuple[str, ...] | None = None
    seeds: int | None = None
    workers: int = 1
    arms: Path = SHIPPED
    model: Path = MODEL


@dataclass(frozen=True)
class Task:
    """What one worker does in one go: every arm on one seed's pool."""

    ground: PoolGround
    arms: tuple[Arm, ...]

    def result(self, arm: Arm) -> Path:
        """Return the file of an arm's result."""
        slug = re.sub(r"[^a-z0-9]+", "-", arm.name.lower()).strip("-")
        return self.ground.folder / f"{slug}.json"

    def key(self, arm: Arm) -> str:
        """Return the digest of all that decides an arm's result, but for the code."""
        ground = {**asdict(self.ground), "folder": "", "model": _weights(self.ground.model)}
        spent = [asdict(other) for other in self.arms if other.name == arm.calls_of]
        return digest(VERSION, ground, asdict(arm), spent)

    def held(self, arm: Arm) -> dict[str, Any] | None:
        """Return an arm's result where it is done."""
        path = self.result(arm)
        held: dict[str, Any] = read_json(path) if path.is_file() else {}
        return held if held.get("key") == self.key(arm) else None

    def calls(self, arm: Arm) -> int:
        """Return the calls that an arm is to spend: those of the arm it names, 0 where it names none."""
        spent = next((self.held(other) for other in self.arms if other.name == arm.calls_of), None)
        return spent["calls"] if spent else 0

    def left(self) -> list[Arm]:
        """Return the arms that are not done."""
        return [arm for arm in self.arms if self.held(arm) is None]


@cache
def _weights(model: Path) -> str:
    return folder_digest(model)


def planned(asked: Asked) -> tuple[Arms, list[Task]]:
    """Return the table of arms as asked for, and the tasks. Raises UsageError for an unknown group or no checkpoint."""
    if not asked.model.is_dir():
        raise UsageError(
            f"no checkpoint in {asked.model}: train it with python -m regold.lab.pretrain --modes fuse --out FOLDER"
        )
    table = load_arms(asked.arms)
    if asked.quick:
        table = replace(table, records=120, rows=30, test=60, seeds=2)
    table = replace(table, seeds=asked.seeds or table.seeds)
    groups = asked.groups or (QUICK_GROUPS if asked.quick else GROUPS)
    for group in groups:
        if group not in GROUPS:
            raise UsageError(f"no group {group!r} of arms: there are {', '.join(GROUPS)}")
    return table, [Task(_ground(table, asked, seed), table.on(seed, groups)) for seed in range(table.seeds)]


def _ground(table: Arms, asked: Asked, seed: int) -> PoolGround:
    settings = replace(table.settings, seed=seed)
    folder = asked.into / f"seed-{seed}-{table.records}"
    return PoolGround(folder, seed, table.records, table.rows, table.test, settings, asked.model)


def do(task: Task) -> int:
    """Do what is not done of a task, each result written whole; returns how many trials that were."""
    todo = task.left()
    if todo:
        asyncio.run(_do(task, todo))
    return len(todo)


async def _do(task: Task, todo: Sequence[Arm]) -> None:
    at = PoolField.opened(task.ground)
    try:
        for arm in todo:
            found = await pool_trial(at, arm, task.ground.folder / "trial", calls=task.calls(arm))
            about = {"key": task.key(arm), "arm": arm.name, "group": arm.group, "seed": task.ground.seed}
            write_json(task.result(arm), {**about, **found})
    finally:
        await at.close()


def work(tasks: Sequence[Task], workers: int, watch: Watch) -> float:
    """Do what is not done, a seed a process, and return the seconds it took."""
    began = time.monotonic()
    tick = watch("trials", sum(len(task.arms) for task in tasks))
    tick(sum(len(task.arms) - len(task.left()) for task in tasks))
    todo = [task for task in tasks if task.left()]
    if todo:
        os.environ.update({name: value for name, value in ONE_THREAD.items() if name not in os.environ})
        with ProcessPoolExecutor(min(workers, len(todo)), mp_context=multiprocessing.get_context("spawn")) as pool:
            for job in as_completed([pool.submit(do, task) for task in todo]):
                tick(job.result())
    return time.monotonic() - began


def bench_entp(asked: Asked, out: Path, watch: Watch, tell: Callable[[str], None]) -> dict[str, Any]:
    """Do what is missing of what is asked, write results and plots into `out`, and return them as plain data."""
    table, tasks = planned(asked)
    left = sum(len(task.left()) for task in tasks)
    tell(f"{sum(len(task.arms) for task in tasks)} trials, {left} to do")
    work(tasks, asked.workers, watch)
    done = [{**held, "place": n} for task in tasks for n, arm in enumerate(task.arms) if (held := task.held(arm))]
    train = {name: getattr(table.settings, name) for name in ("epochs", "learning_rate", "batch_size", "rank", "alpha")}
    about = {"records": table.records, "rows": table.rows, "test": table.test, "seeds": table.seeds, "train": train}
    about |= {
        "fewer": dict(table.fewer),
        "quick": asked.quick,
        "model": _weights(asked.model)[:16],
        "trials": len(done),
    }
    about["core_seconds"] = round(sum(sum(one["seconds"].values()) for one in done), 1)
    found = {"asked": about, **summarise(done)}
    write_entp(found, out)
    return found
