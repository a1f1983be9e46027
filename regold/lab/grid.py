"""The experiment grid: which method is tried on which set, noise and seed, and what one worker does of it."""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

from regold.declared import build, refuse_unknown
from regold.engines.weights import folder_digest
from regold.errors import RecipeError, UsageError
from regold.files import read_json, write_json
from regold.fingerprint import digest
from regold.lab.ground import MODEL, Field, Ground
from regold.lab.trial import Method, trial
from regold.lab.world import SETS
from regold.methods.noise import KINDS
from regold.train import TrainSettings

SHIPPED = Path(__file__).parent / "grid.toml"
VERSION = 1
"""Raise it when the same cell would now come to other figures."""

Place: TypeAlias = tuple[Path, int, str]
"""A model's folder, the seed of its world, and a set."""


@dataclass(frozen=True)
class Part:
    """A block of the grid: every method on every set, kind of noise and rate in per cent."""

    name: str
    sets: tuple[str, ...]
    noise: tuple[int, ...]
    methods: tuple[str, ...]
    kinds: tuple[str, ...] = ("symmetric",)
    frames: bool = False
    """Whether the held-out questions are asked in several wordings too."""
    worlds: str = "home"
    """`other`: only on worlds given with --world."""


@dataclass(frozen=True)
class Grid:
    """All methods and parts, and how much is asked and trained."""

    methods: Mapping[str, Method]
    parts: tuple[Part, ...]
    settings: TrainSettings = field(default_factory=TrainSettings)
    items: int = 400
    test: int = 500
    seeds: int = 5


@dataclass(frozen=True)
class Cell:
    """One trial's place in the grid. A method that noise cannot change stands once, at noise 0."""

    method: str
    kind: str
    noise: int
    frames: bool = False

    @property
    def place(self) -> str:
        """Return where its result lies below the task's folder."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.method.lower()).strip("-")
        return f"{self.kind}-{self.noise}/{slug}"


@dataclass(frozen=True)
class Task:
    """What one worker does in one go: a part's cells of one world, set and seed."""

    ground: Ground
    methods: Mapping[str, Method]
    cells: tuple[Cell, ...]
    world: str = "home"
    part: str = ""
    """The first part of the grid that asks for these cells."""

    def result(self, cell: Cell) -> Path:
        """Return the file of a cell's result."""
        return self.ground.folder / f"{cell.place}.json"

    def key(self, cell: Cell) -> str:
        """Return the digest of all that decides a cell's result, but for the code."""
        ground = {**asdict(self.ground), "folder": "", "model": _weights(self.ground.model), "keep": False}
        method = self.methods[cell.method]
        return digest(VERSION, ground, asdict(method), _checkpoint(method), cell.method, cell.kind, cell.noise)

    def held(self, cell: Cell) -> dict[str, Any] | None:
        """Return a cell's result where it is done, in several wordings where that is asked."""
        path = self.result(cell)
        if not path.is_file():
            return None
        held: dict[str, Any] = read_json(path)
        done = held.get("key") == self.key(cell) and (not cell.frames or held.get("frames") or "skipped" in held)
        return held if done else None

    def open_cells(self) -> list[Cell]:
        """Return the cells that are not done."""
        return [cell for cell in self.cells if self.held(cell) is None]


@cache
def _weights(model: Path) -> str:
    return folder_digest(model)


@cache
def _checkpoint(method: Method) -> str:
    """Return the digest of the other checkpoint that a method evaluates, or nothing."""
    other = Path(method.load(0).evaluate.model)
    return _weights(other) if other.name and other.is_dir() else ""


def load_grid(path: Path = SHIPPED) -> Grid:
    """Read a grid. Raises RecipeError for unknown names, sets and kinds of noise."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as a grid: {error}") from error
    refuse_unknown(data, ("items", "test", "seeds", "train", "method", "part"), f"grid {path.name}")
    methods = [build(Method, raw, f"grid {path.name}, [[method]]") for raw in data.get("method", ())]
    parts = tuple(build(Part, raw, f"grid {path.name}, [[part]]") for raw in data.get("part", ()))
    for part in parts:
        for given, known in ((part.methods, [m.name for m in methods]), (part.sets, SETS), (part.kinds, KINDS)):
            refuse_unknown(given, known, f"grid {path.name}, part {part.name}")
    for method in methods:
        method.load(0)
    settings = build(TrainSettings, data.get("train", {}), f"grid {path.name}, [train]")
    sizes = {name: int(data[name]) for name in ("items", "test", "seeds") if name in data}
    return Grid({m.name: m for m in methods}, parts, settings, **sizes)


def world_of(folder: Path, otherwise: int) -> int:
    """Return the seed of a model folder's world: `world_seed` in its world.json, or what is given.

    Raises UsageError where the folder holds no model.
    """
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder}: holds no model: train one with python -m regold.lab.pretrain --world-seed 1")
    card = folder / "world.json"
    return int(read_json(card)["world_seed"]) if card.is_file() else otherwise


def tasks(grid: Grid, parts: Sequence[Part], into: Path, worlds: Mapping[Path, int]) -> list[Task]:
    """Return what there is to do, part by part as the grid lists them and seed by seed; each cell stands once.

    `worlds` are other checkpoints' folders and world seeds.
    """
    framed = {(place, cell) for part in parts if part.frames for place, cell in _cells(part, grid.methods, worlds)}
    seen, made = set[tuple[Place, Cell]](), list[Task]()
    for part in parts:
        fresh: dict[Place, list[Cell]] = {}
        for place, cell in _cells(part, grid.methods, worlds):
            if (place, cell) not in seen:
                seen.add((place, cell))
                fresh.setdefault(place, []).append(replace(cell, frames=(place, cell) in framed))
        for seed in range(grid.seeds):
            for place, cells in fresh.items():
                model, ordered = place[0], tuple(sorted(cells, key=_order))
                made.append(Task(_ground(grid, into, place, seed), grid.methods, ordered, _name(model), part.name))
    return made


def _order(cell: Cell) -> tuple[str, int, bool]:
    """Put together what needs the same data, and first what is asked most, so that an equal training need not be."""
    return cell.kind, cell.noise, not cell.frames


def _cells(part: Part, methods: Mapping[str, Method], worlds: Mapping[Path, int]) -> Iterator[tuple[Place, Cell]]:
    for model, world in ({MODEL: 0} if part.worlds == "home" else worlds).items():
        for set_name, name, kind, noise in product(part.sets, part.methods, part.kinds, part.noise):
            noisy = methods[name].noisy
            yield (model, world, set_name), Cell(name, kind if noisy else "symmetric", noise if noisy else 0)


def _ground(grid: Grid, into: Path, place: Place, seed: int) -> Ground:
    model, world, set_name = place
    folder = into / _name(model) / set_name / f"seed-{seed}"
    settings = replace(grid.settings, seed=seed)
    return Ground(folder, set_name, seed, grid.items, grid.test, settings, model, world)


def _name(model: Path) -> str:
    return "home" if model == MODEL else model.resolve().name


def do(task: Task) -> int:
    """Do what is not done of a task, cell by cell, each result written whole; returns how many cells that were."""
    todo = task.open_cells()
    if todo:
        asyncio.run(_do(task, todo))
    return len(todo)


async def _do(task: Task, todo: Sequence[Cell]) -> None:
    ground = Field.opened(task.ground)
    write_json(task.ground.folder / "kinds.json", ground.kinds())
    for cell in todo:
        folder = task.ground.folder / cell.place
        shutil.rmtree(folder, ignore_errors=True)  # a trial broken off begins anew: the same batches, the same bytes
        try:
            found = await trial(ground, task.methods[cell.method], cell.kind, cell.noise, folder, cell.frames)
        except RecipeError:
            raise
        except UsageError as error:
            found = {"skipped": str(error)}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        write_json(task.result(cell), {"key": task.key(cell), **asdict(cell), "peak_mib": peak, **found})
    await ground.close()
