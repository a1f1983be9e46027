"""`regold bench lab`: the experiment grid of the closed world, by several processes, resumable cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regold.bench.lab_pages import write_pages
from regold.bench.lab_plan import plan, plan_line, times
from regold.bench.lab_summary import summarise
from regold.bench.lab_work import Watch, alone, work
from regold.engines.weights import folder_digest
from regold.errors import UsageError
from regold.files import read_json
from regold.lab.grid import SHIPPED, Grid, Part, Task, load_grid, tasks
from regold.lab.ground import MODEL
from regold.lab.trial import Method

QUICK = 200
"""Training records and held-out questions of the quick version."""
OTHER = "other-checkpoint"


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
    other: Path | None = None
    """Another checkpoint of the same world, evaluated as it is beside the untrained model."""


def chosen(asked: Asked) -> tuple[Grid, list[Part]]:
    """Return the grid and the parts that are asked for. Raises UsageError for a part that does not exist."""
    grid = load_grid(asked.grid)
    if asked.quick:
        grid = replace(grid, items=QUICK, test=QUICK, seeds=2)
    if asked.seeds:
        grid = replace(grid, seeds=asked.seeds)
    if asked.other:
        grid = _beside(grid, asked.other)
    known = [part.name for part in grid.parts]
    wanted = asked.parts or (("quick",) if asked.quick else tuple(name for name in known if name != "quick"))
    for name in wanted:
        if name not in known:
            raise UsageError(f"no part {name!r} in the grid: there are {', '.join(known)}")
    parts = [_narrowed(part, asked) for part in grid.parts if part.name in wanted]
    return grid, [part for part in parts if part.sets and part.noise]


def _beside(grid: Grid, other: Path) -> Grid:
    """Add the row of another checkpoint wherever the untrained model of this world stands."""
    if not (other / "config.json").is_file():
        raise UsageError(f"{other}: holds no model to evaluate beside the others")
    method = Method(OTHER, OTHER, (f"evaluate.model={other.resolve()}",), noisy=False)
    parts = [
        replace(part, methods=(*part.methods, OTHER)) if "vanilla" in part.methods and part.worlds == "home" else part
        for part in grid.parts
    ]
    return replace(grid, methods={**grid.methods, OTHER: method}, parts=tuple(parts))


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

    `tell` is told beforehand how much there is to do. The same seeds give the same results, byte for byte; what the
    trials took stands in times.json. Raises RunBusy where another bench works in the same folder.
    """
    grid, _, todo = planned(asked)
    with alone(asked.into):
        tell(plan_line(plan(todo, grid, asked.workers)))
        work(todo, asked.workers, watch)
    return collect(asked, out)


def forecast(asked: Asked) -> dict[str, Any]:
    """Return what there is to do of what is asked, and for how long."""
    grid, _, todo = planned(asked)
    return plan(todo, grid, asked.workers)


def collect(asked: Asked, out: Path) -> dict[str, Any]:
    """Write results, times and plots of the trials that are done so far, and return the results."""
    grid, parts, todo = planned(asked)
    done = results(todo)
    train = {name: getattr(grid.settings, name) for name in ("epochs", "learning_rate", "batch_size", "rank", "alpha")}
    about = {"items": grid.items, "test": grid.test, "seeds": grid.seeds, "train": train, "quick": asked.quick}
    about |= {"trials": len(done), "of": sum(len(task.cells) for task in todo), "model": folder_digest(MODEL)[:16]}
    summary = {"asked": about, **summarise(done, grid, parts)}
    write_pages(summary, times(done, grid), out)
    return summary
