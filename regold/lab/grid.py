"""The experiment grid: which method is tried on which set, noise and seed, and what one worker does of it."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

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
    """What one worker does in one go: all cells of one world, set and seed."""

    ground: Ground
    methods: Mapping[str, Method]
    cells: tuple[Cell, ...]
    world: str = "home"

    def result(self, cell: Cell) -> Path:
        """Return the file of a cell's result."""
        return self.ground.folder / f"{cell.place}.json"

    def key(self, cell: Cell) -> str:
        """Return the digest of all that decides a cell's result, but for the code."""
        ground = {**asdict(self.ground), "folder": "", "model": _weights(self.ground.model), "keep": False}
        return digest(VERSION, ground, asdict(self.methods[cell.method]), asdict(cell))

    def held(self, cell: Cell) -> dict[str, Any] | None:
        """Return a cell's result where it is done."""
        path = self.result(cell)
        held: dict[str, Any] = read_json(path) if path.is_file() else {}
        return held if held.get("key") == self.key(cell) else None

    def open_cells(self) -> list[Cell]:
        """Return the cells that are not done."""
        return [cell for cell in self.cells if self.held(cell) is None]


@cache
def _weights(model: Path) -> str:
    return folder_digest(model)


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
    """Return what there is to do, the largest tasks first; `worlds` are other checkpoints' folders and world seeds."""
    found: dict[tuple[Path, int, str], dict[Cell, None]] = {}
    for part in parts:
        for model, world in ({MODEL: 0} if part.worlds == "home" else worlds).items():
            for set_name in part.sets:
                cells = found.setdefault((model, world, set_name), {})
                cells |= dict.fromkeys(_cells(part, grid.methods))
    made = [
        Task(_ground(grid, into, model, world, set_name, seed), grid.methods, _merged(cells), _name(model))
        for (model, world, set_name), cells in found.items()
        for seed in range(grid.seeds)
    ]
    return sorted(made, key=lambda task: -len(task.cells))


def _cells(part: Part, methods: Mapping[str, Method]) -> Iterator[Cell]:
    for name in part.methods:
        for kind in part.kinds:
            for noise in part.noise:
                noisy = methods[name].noisy
                yield Cell(name, kind if noisy else "symmetric", noise if noisy else 0, part.frames)


def _merged(cells: Mapping[Cell, None]) -> tuple[Cell, ...]:
    """Let a cell that is asked for with and without wordings stand once, with them, ordered by the data it needs."""
    with_frames = {replace(cell, frames=False) for cell in cells if cell.frames}
    once = dict.fromkeys(replace(cell, frames=replace(cell, frames=False) in with_frames) for cell in cells)
    return tuple(sorted(once, key=lambda cell: (cell.kind, cell.noise)))


def _ground(grid: Grid, into: Path, model: Path, world: int, set_name: str, seed: int) -> Ground:
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
        method = task.methods[cell.method]
        try:
            found = await trial(ground, method, cell.kind, cell.noise, task.ground.folder / cell.place, cell.frames)
        except RecipeError:
            raise
        except UsageError as error:
            found = {"skipped": str(error)}
        write_json(task.result(cell), {"key": task.key(cell), **asdict(cell), **found})
    await ground.close()
