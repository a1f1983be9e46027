"""Compares two models question by question: how far apart they are on the same questions, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regold.errors import InputError
from regold.methods.intervals import Interval, mcnemar, paired_bootstrap

HOW = ("form", "version", "shots", "prompt", "temperature", "samples")


@dataclass(frozen=True)
class Compared:
    """Two models on one task: the means of the questions both answered, and a - b with its 95 % interval."""

    task: str
    metric: str
    n: int
    a: float
    b: float
    difference: Interval
    only_a: int | None
    """Questions that only a has right; None for a score that is not 0 or 1."""
    only_b: int | None
    p: float | None
    """McNemar's exact two-sided p-value."""
    apart: int = 0
    """Questions that only one of the two was asked; left out."""
    asked_differently: tuple[str, ...] = ()
    """In what the two runs differ besides the model; the difference may be due to it."""

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON."""
        names = ("task", "metric", "n", "a", "b", "only_a", "only_b", "p", "apart")
        told = {name: getattr(self, name) for name in names}
        interval = {"difference": self.difference.estimate, "low": self.difference.low, "high": self.difference.high}
        return {**told, **interval, "level": self.difference.level, "asked_differently": list(self.asked_differently)}


def compare(a: Mapping[str, Any], b: Mapping[str, Any], seed: int = 0) -> list[Compared]:
    """Compare two results task by task, greedy with greedy and sampled with sampled.

    Each is what `read_results` returns. Raises InputError where they share no task or no question.
    """
    runs_a, runs_b = _runs(a), _runs(b)
    found = [
        _compared(name, runs_a[name], runs_b[name], metric, seed)
        for name in runs_a
        if name in runs_b
        for metric in _metrics(runs_a[name], runs_b[name])
    ]
    if not found:
        raise InputError(f"the two results share no task: {', '.join(runs_a) or 'none'}; {', '.join(runs_b) or 'none'}")
    return found


def unshared(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Return the tasks of a that b has not."""
    there = _runs(b)
    return [name for name in _runs(a) if name not in there]


def _runs(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    runs: dict[str, Mapping[str, Any]] = {}
    for task in results["tasks"]:
        runs[task["task"]] = task
        if task.get("sampled"):
            runs[f"{task['task']} sampled"] = {**task, **task["sampled"]}
    return runs


def _metrics(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Return the primary metric of both, or each one's own where they differ."""
    return [m for m in dict.fromkeys((a["primary"], b["primary"])) if m in a["metrics"] and m in b["metrics"]]


def _compared(task: str, a: Mapping[str, Any], b: Mapping[str, Any], metric: str, seed: int) -> Compared:
    of_a, of_b = _values(a, metric), _values(b, metric)
    shared = [id for id in of_a if id in of_b]
    if not shared:
        raise InputError(f"{task}: the two results share no question")
    one, other = [of_a[id] for id in shared], [of_b[id] for id in shared]
    only_a, only_b, p = mcnemar(one, other) or (None, None, None)
    return Compared(
        task,
        metric,
        len(shared),
        sum(one) / len(one),
        sum(other) / len(other),
        paired_bootstrap(one, other, seed),
        only_a,
        only_b,
        p,
        len(of_a) + len(of_b) - 2 * len(shared),
        tuple(name for name in HOW if a.get(name) != b.get(name)),
    )


def _values(run: Mapping[str, Any], metric: str) -> dict[str, float]:
    """Return each question's score; of one with several values their mean; one that was not scored is left out."""
    values: dict[str, float] = {}
    for item in run["items"]:
        score = item["scores"].get(metric)
        several: Sequence[float | None] = score if isinstance(score, list) else [score]
        known = [value for value in several if value is not None]
        if known:
            values[item["id"]] = sum(known) / len(known)
    return values
