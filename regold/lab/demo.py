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

from regold.corrupt import corrupt_file, rows_of
from regold.engines import EngineSpec, open_engine
from regold.evaluate import Question, evaluate
from regold.files import read_json, write_json
from regold.lab.data import WITHIN, write_items
from regold.lab.world import World
from regold.methods.detection import detection
from regold.output import training_rows
from regold.prompts import load_prompts
from regold.recipe import load_recipe
from regold.record import Status
from regold.run import Job, Report, Source, run
from regold.runner import Models
from regold.store.fates import open_run
from regold.train import TrainSettings, train

MODEL = Path(__file__).parent / "model"
SET = "atlas-open-x"
TEST_ITEMS = 500
WORKERS = 2
METHODS = ("vanilla", "sft on noisy", "robustft", "clean oracle")


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
        for figure in ("precision", "recall", "f1"):
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
    result = {"items": task.items, **(_once(task, folder) if task.noise is None else _noisy(task, folder, task.noise))}
    write_json(done, result)
    return result


def _once(task: Task, folder: Path) -> dict[str, Any]:
    clean, test = _questions(task, folder)
    base = {"method": "vanilla", "accuracy": measure(MODEL, test)}
    oracle = {"method": "clean oracle", "accuracy": _tuned(clean, folder / "oracle", test, task.seed)}
    return {"table": [_row(task, row) for row in (base, oracle)], "detection": None, "calls": 0, "tokens": 0}


def _noisy(task: Task, folder: Path, noise: int) -> dict[str, Any]:
    clean, test = _questions(task, folder)
    noisy = folder / "noisy.jsonl"
    corrupt_file(rows_of(clean, None, {}), noisy, noise / 100, "symmetric", task.seed, within=WITHIN)
    report = repair(noisy, folder / "run", task.seed)
    rows = [
        {"method": "sft on noisy", "accuracy": _tuned(noisy, folder / "sft", test, task.seed)},
        {"method": "robustft", "accuracy": _tuned(folder / "run", folder / "robustft", test, task.seed)},
    ]
    tokens = report.prompt_tokens + report.completion_tokens
    found = {"noise": noise, "seed": task.seed, **detected(folder / "run")}
    table = [_row(task, row) for row in rows]
    return {"table": table, "detection": found, "calls": report.calls, "tokens": tokens}


def repair(data: Path, into: Path, seed: int) -> Report:
    """Run the recipe robustft with the lab model and its encoder, as `regold repair DATA --model lab` does."""
    engine = EngineSpec("transformers", str(MODEL), batch=64)
    models = Models({"student": engine, "judge": engine}, EngineSpec("static", str(MODEL)))
    job = Job(Source(data), load_recipe("robustft", prompts="lab", seed=seed), models, into)
    return asyncio.run(run(job, lambda step, records: lambda done: None))


def detected(root: Path) -> dict[str, float]:
    """Return precision, recall and F1 of what the judge called SUSPECT, against the reserved truth."""
    past = open_run(root)
    upto = next(i for i, step in enumerate(past.steps) if step.name == "judge") + 1
    suspect, wrong = [], []
    for part in past.store.parts():
        loaded = past.store.loaded(part, ["noise"])["noise"].to_pylist()
        status = past.store.column("status", part, past.steps[:upto])
        for noise, now in zip(loaded, status, strict=True):
            if now in (Status.CLEAN, Status.SUSPECT):
                suspect.append(now == Status.SUSPECT)
                wrong.append(noise is not None)
    found = detection(wrong, suspect)
    return {"precision": found.precision, "recall": found.recall, "f1": found.f1}


def measure(model: Path, test: Path) -> float:
    """Return the share of held-out questions a model answers right, greedily."""

    async def answer() -> float:
        engine = open_engine(EngineSpec("transformers", str(model), batch=64))
        try:
            questions = [Question.of(row) for row in rows_of(test, None, {})]
            return (await evaluate(engine, questions, load_prompts("lab"), max_tokens=16)).accuracy
        finally:
            await engine.close()

    return asyncio.run(answer())


def _tuned(data: Path, out: Path, test: Path, seed: int) -> float:
    train(str(MODEL), training_rows(data), out, TrainSettings(**SETTINGS, seed=seed), merge=True)
    return measure(out, test)


SETTINGS: dict[str, Any] = {"epochs": 10, "learning_rate": 3e-3, "batch_size": 16, "rank": 16, "alpha": 32}


def _questions(task: Task, folder: Path) -> tuple[Path, Path]:
    world = World()
    clean, test = folder / "clean.jsonl", folder / "test.jsonl"
    write_items(clean, world.items(SET, task.items, task.seed, "train"))
    write_items(test, world.items(SET, TEST_ITEMS, task.seed, "test"))
    return clean, test


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
