"""The whole way on a small real model: inject noise, detect, repair, fine-tune, evaluate, and print the table."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from regold.files import read_json, write_json
from regold.lab.ground import Field, Ground
from regold.lab.trial import Method, accuracy, trial
from regold.train import TrainSettings

SET = "atlas-open-x"
TEST_ITEMS = 500
WORKERS = 2
METHODS = ("vanilla", "sft on noisy", "robustft", "clean oracle")
ONCE = {"vanilla": Method("vanilla", "vanilla"), "oracle": Method("clean oracle", "oracle-clean")}
NOISY = {
    "sft": Method("sft on noisy", "sft"),
    # One agreeing view is enough: this model's reasoning errs more often than its answers.
    ".": Method("robustft", "robustft", ("judge.rule=majority",)),
}
"""By folder, what a seed needs once, and what each noise rate needs."""
FIGURES = ("precision", "recall", "f1")
SETTINGS: dict[str, Any] = {"epochs": 10, "learning_rate": 3e-3, "batch_size": 16, "rank": 16, "alpha": 32}


@dataclass(frozen=True)
class Task:
    """One piece of the demo: what one seed needs once (`noise` None), or one noise rate in per cent."""

    folder: Path
    seed: int
    noise: int | None
    items: int


@dataclass(frozen=True)
class Demo:
    """What the demo measured. Accuracy is greedy exact match on held-out questions."""

    table: list[dict[str, Any]]
    detection: list[dict[str, Any]]
    calls: int
    tokens: int
    seconds: float
    runs: str

    def as_json(self) -> dict[str, Any]:
        """Return the demo as plain data."""
        return asdict(self)

    def text(self) -> str:
        """Return the tables a person reads."""
        rates = sorted({row["noise"] for row in self.table if row["noise"]})
        lines = ["accuracy on held-out questions, greedy (mean over seeds)", _line("noise", [f"{r} %" for r in rates])]
        lines += [_line(method, [_cell(self.table, method, r, "accuracy") for r in rates]) for method in METHODS]
        lines += [_line("recovered", [_recovered(self.table, r) for r in rates]), "", "detection of wrong responses"]
        for figure in FIGURES:
            lines.append(
                _line(figure, [_mean(r[figure] for r in self.detection if r["noise"] == rate) for rate in rates])
            )
        lines.append(
            f"\n{self.calls} calls, {self.tokens} tokens, {self.seconds:.0f} s; the runs are kept in {self.runs}"
        )
        lines.append(f"look at a record:  regold show {self.runs}/seed-0/noise-{rates[0]}/run ID" if rates else "")
        return "\n".join(lines)


def run_demo(
    into: Path, rates: Sequence[int], seeds: int, items: int, watch: Callable[[str, int], Callable[[int], None]]
) -> Demo:
    """Run what is missing of the demo, two pieces at a time, and return its tables; the same call resumes."""
    began = time.monotonic()
    tasks = [Task(into, seed, noise, items) for seed in range(seeds) for noise in (None, *rates)]
    tick = watch("demo", len(tasks))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        jobs = [pool.submit(do, task) for task in tasks]
        for _ in as_completed(jobs):
            tick(1)
        results = [job.result() for job in jobs]
    table = [row for result in results for row in result["table"]]
    found = [result["detection"] for result in results if result["detection"]]
    calls, tokens = (sum(result[key] for result in results) for key in ("calls", "tokens"))
    return Demo(_spread(table, rates), found, calls, tokens, round(time.monotonic() - began, 1), str(into))


def do(task: Task) -> dict[str, Any]:
    """Do one task, or return what it came to before."""
    folder = task.folder / f"seed-{task.seed}" / ("clean" if task.noise is None else f"noise-{task.noise}")
    done = folder / "result.json"
    if done.is_file():
        held: dict[str, Any] = read_json(done)
        if held["items"] == task.items:
            return held
    result = {"items": task.items, **asyncio.run(_measured(task, folder))}
    write_json(done, result)
    return result


async def _measured(task: Task, folder: Path) -> dict[str, Any]:
    """Do a task's trials: what one seed needs once, or what one noise rate needs."""
    settings = TrainSettings(**SETTINGS, seed=task.seed)
    field = Field.opened(Ground(folder, SET, task.seed, task.items, TEST_ITEMS, settings, keep=True))
    try:
        tried = {
            method.name: await trial(field, method, "symmetric", task.noise or 0, folder / at, sampled=False)
            for at, method in (ONCE if task.noise is None else NOISY).items()
        }
    finally:
        await field.close()
    spent = [sum(one[key] for one in tried.values()) for key in ("calls", "prompt_tokens", "completion_tokens")]
    found = next((one["detection"] for one in tried.values() if one.get("detection")), None)
    told = found and {"noise": task.noise, "seed": task.seed, **{name: found[name] for name in FIGURES}}
    table = [_row(task, {"method": name, "accuracy": accuracy(one["right"])}) for name, one in tried.items()]
    return {"table": table, "detection": told, "calls": spent[0], "tokens": spent[1] + spent[2]}


def _row(task: Task, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": row["method"],
        "noise": task.noise,
        "seed": task.seed,
        "accuracy": row["accuracy"],
        "n": TEST_ITEMS,
    }


def _spread(table: Iterable[dict[str, Any]], rates: Sequence[int]) -> list[dict[str, Any]]:
    """Repeat what does not depend on the noise at every rate, so that each method stands at each."""
    return [{**row, "noise": r} for row in table for r in (rates if row["noise"] is None else (row["noise"],))]


def _cell(table: Sequence[dict[str, Any]], method: str, noise: int, figure: str) -> str:
    return _mean(row[figure] for row in table if row["method"] == method and row["noise"] == noise)


def _mean(values: Iterable[float]) -> str:
    found = list(values)
    spread = statistics.stdev(found) if len(found) > 1 else 0.0
    return f"{statistics.fmean(found):.3f} ±{spread:.3f}" if found else "-"


def _recovered(table: Sequence[dict[str, Any]], noise: int) -> str:
    mean = {
        m: statistics.fmean(r["accuracy"] for r in table if r["method"] == m and r["noise"] == noise) for m in METHODS
    }
    lost = mean["clean oracle"] - mean["sft on noisy"]
    return f"{(mean['robustft'] - mean['sft on noisy']) / lost:.0%}" if lost > 0 else "nothing lost"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"  {name:14}" + "".join(f"{cell:>16}" for cell in cells)
