"""What a bench of the lab will cost before it starts, and what it cost: trials, seconds of one core, memory."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regold.bench.lab_diagnostics import Result
from regold.bench.lab_summary import placed
from regold.bench.tables import markdown
from regold.lab.grid import Cell, Grid, Task

ASK_S, EPOCH_S, TEST_S, FRAMES_S, NOISEAL = 1.0, 1.2, 2.0, 3.0, 3.0
"""Seconds of one core for 400 records a step, 400 records an epoch, 500 questions twice, 500 in five wordings; how
many trainings NoiseAL amounts to. Measured beside other work; the ground of the estimate until trials are done."""


def plan(todo: Sequence[Task], grid: Grid, workers: int) -> dict[str, Any]:
    """Return trials, those to do and the core minutes they will take, in all and part by part.

    What a method took where it is done is what it is taken to take; what no trial tells is reckoned from its recipe.
    """
    measured = _measured(todo)
    parts: dict[str, dict[str, Any]] = {}
    for task in todo:
        left = task.open_cells()
        about = parts.setdefault(task.part, {"part": task.part, "trials": 0, "to_do": 0, "core_minutes": 0.0})
        about["trials"] += len(task.cells)
        about["to_do"] += len(left)
        about["core_minutes"] += sum(measured.get(c.method) or _reckoned(c, grid) for c in left) / 60
    rows = [{**row, "core_minutes": round(row["core_minutes"], 1)} for row in parts.values()]
    told = {key: sum(row[key] for row in rows) for key in ("trials", "to_do", "core_minutes")}
    told["core_minutes"] = round(told["core_minutes"], 1)
    return {**told, "workers": workers, "minutes": round(told["core_minutes"] / workers, 1), "parts": rows}


def plan_text(told: Mapping[str, Any]) -> str:
    """Return the plan as a table and a sentence."""
    head = ("part", "trials", "to do", "core minutes")
    rows = [[str(row[key]) for key in ("part", "trials", "to_do", "core_minutes")] for row in told["parts"]]
    return f"{markdown(head, rows)}\n{plan_line(told)}"


def plan_line(told: Mapping[str, Any]) -> str:
    """Return the plan in a sentence."""
    head = f"{told['trials']} trials, {told['to_do']} to do"
    return f"{head}: about {told['minutes']:.0f} minutes with {told['workers']} workers on idle cores"


def times(results: Sequence[Result], grid: Grid) -> dict[str, Any]:
    """Return what trials took: each method's mean seconds of one core and by the clock, their sum, the largest memory.

    They stand apart from the results, which are the same bytes for the same seeds.
    """
    done = [r for r in results if "seconds" in r]
    rows = []
    for (world, set_name, kind, noise), found in placed(done, grid).items():
        for method, runs in found.items():
            about = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": method}
            rows.append({**about, **{f"{how}_s": round(_mean(runs, how), 2) for how in ("core", "wall")}})
    return {
        "core_hours": round(sum(_spent(r, "core") for r in done) / 3600, 3),
        "wall_hours_of_workers": round(sum(_spent(r, "wall") for r in done) / 3600, 3),
        "peak_mib_of_a_worker": max((r["peak_mib"] for r in done), default=0),
        "rows": rows,
    }


def _spent(result: Result, how: str) -> float:
    return float(sum(part[how] for part in result["seconds"].values()))


def _mean(runs: Iterable[Result], how: str) -> float:
    return statistics.fmean(_spent(run, how) for run in runs)


def _measured(todo: Sequence[Task]) -> dict[str, float]:
    """Return the mean seconds of one core that each method took where it is done."""
    seen: dict[str, list[float]] = defaultdict(list)
    for task in todo:
        for cell in task.cells:
            held = task.held(cell)
            if held is not None and "seconds" in held:
                seen[cell.method].append(_spent(held, "core"))
    return {name: statistics.fmean(values) for name, values in seen.items()}


def _reckoned(cell: Cell, grid: Grid) -> float:
    recipe = grid.methods[cell.method].load(0)
    trainings = NOISEAL if recipe.experiment.learner == "noiseal" else float(recipe.train is not None)
    records = ASK_S * len(recipe.stages) + trainings * EPOCH_S * grid.settings.epochs
    questions = TEST_S * (1 + recipe.evaluate.neighbours) + FRAMES_S * cell.frames
    return records * grid.items / 400 + questions * grid.test / 500
