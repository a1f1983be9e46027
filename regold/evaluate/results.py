"""What an evaluation found: scores question by question, their means and standard errors, and what could not be had."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from regold.errors import InputError
from regold.files import read_json, write_json

Values: TypeAlias = tuple[float, ...]
FILE = "results.json"


@dataclass(frozen=True, slots=True)
class Item:
    """One question's scores. A metric has one value, or one for each of `parts`; a NaN was not scored."""

    id: str
    scores: Mapping[str, Values]
    category: str = ""
    parts: tuple[str, ...] = ()
    cut: bool = False
    """The answer ended at the token limit."""
    failed: str = ""
    """Why the engine could not answer; such a question counts as wrong."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` values, with its standard error over questions (NaN for a single one)."""

    mean: float
    standard_error: float
    n: int


def estimate(values: Iterable[Values]) -> Estimate | None:
    """Return the mean of all values; those of one question are one draw for the standard error. None without any."""
    kept = [tuple(v for v in item if not math.isnan(v)) for item in values]
    kept = [item for item in kept if item]
    n = sum(map(len, kept))
    if not n:
        return None
    mean = math.fsum(v for item in kept for v in item) / n
    if len(kept) < 2:
        return Estimate(mean, math.nan, n)
    spread = math.fsum((math.fsum(item) - len(item) * mean) ** 2 for item in kept)
    return Estimate(mean, math.sqrt(spread * len(kept) / (len(kept) - 1)) / n, n)


@dataclass(frozen=True)
class Decoding:
    """All questions of a task under one way of decoding."""

    temperature: float
    samples: int
    items: tuple[Item, ...]

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Return each metric's mean; one that no question has is absent."""
        names = dict.fromkeys(name for item in self.items for name in item.scores)
        found = {name: estimate(item.scores[name] for item in self.items if name in item.scores) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def by_category(self, metric: str) -> dict[str, Estimate]:
        """Return a metric's mean in each category, by name."""
        groups: dict[str, list[Values]] = {}
        for item in self.items:
            values = item.scores.get(metric, ())
            named = item.parts if len(item.parts) == len(values) > 0 else (item.category,) * len(values)
            for category, value in zip(named, values, strict=True):
                if category:
                    groups.setdefault(category, []).append((value,))
        found = {category: estimate(values) for category, values in sorted(groups.items())}
        return {category: value for category, value in found.items() if value is not None}

    def categories(self, primary: str) -> dict[str, Estimate]:
        """Return the primary metric by category; where questions have parts, the first metric that counts parts."""
        of_parts = (name for item in self.items for name, v in item.scores.items() if item.parts and len(v) > 1)
        return self.by_category(next(of_parts, primary))

    def as_json(self, primary: str) -> dict[str, Any]:
        """Return the means, the categories and every question's scores."""
        categories = self.categories(primary)
        macro = math.fsum(value.mean for value in categories.values()) / len(categories) if categories else None
        return {
            "temperature": self.temperature,
            "samples": self.samples,
            "n": len(self.items),
            "metrics": {name: _numbers(asdict(value)) for name, value in self.metrics.items()},
            "categories": {name: _numbers(asdict(value)) for name, value in categories.items()},
            "category_mean": macro,
            "cut_off": sum(item.cut for item in self.items),
            "failed": sum(bool(item.failed) for item in self.items),
            "items": [_item(item) for item in self.items],
        }


@dataclass(frozen=True)
class TaskResult:
    """What was found on one task."""

    task: str
    primary: str
    """The metric to report first."""
    form: str
    """"likelihood" or "generation"."""
    version: int
    shots: int
    prompt: str
    """The prompt's template, as the task file has it."""
    example: str
    """The first question as it was asked."""
    greedy: Decoding
    sampled: Decoding | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    """Scores that could not be had, each with how to get it."""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON."""
        told = {k: getattr(self, k) for k in ("task", "primary", "form", "version", "shots", "prompt", "example")}
        sampled = self.sampled.as_json(self.primary) if self.sampled else None
        return {
            **told,
            **self.greedy.as_json(self.primary),
            "sampled": sampled,
            "missing": dict(self.missing),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True)
class Suite:
    """What was found on all tasks that were asked for; `missing` are those that could not be run, with the reason."""

    model: str
    engine: str
    tasks: tuple[TaskResult, ...]
    missing: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON."""
        return {
            "model": self.model,
            "engine": self.engine,
            "tasks": [task.as_json() for task in self.tasks],
            "missing": dict(self.missing),
        }

    def save(self, folder: Path) -> None:
        """Write `results.json` into a folder."""
        write_json(folder / FILE, self.as_json())


def read_results(path: Path) -> dict[str, Any]:
    """Read what `Suite.save` wrote, from the file or its folder. Raises InputError for anything else."""
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise InputError("not the results of `regold evaluate --tasks ... --out`: there is no such file", file)
    try:
        found = read_json(file)
        if not isinstance(found["tasks"], list):
            raise TypeError("tasks is no list")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"not the results of `regold evaluate --tasks ... --out` ({error})", file) from None
    return dict(found)


def _item(item: Item) -> dict[str, Any]:
    scores = {name: _short(values) for name, values in item.scores.items()}
    told: dict[str, Any] = {"id": item.id, "category": item.category, "scores": scores}
    return {**told, **({"cut": True} if item.cut else {}), **({"failed": item.failed} if item.failed else {})}


def _short(values: Sequence[float]) -> Any:
    plain = [None if math.isnan(v) else round(v, 6) for v in values]
    return plain[0] if len(plain) == 1 else plain


def _numbers(value: Mapping[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in value.items()}
