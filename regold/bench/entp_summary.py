"""What the trials of `regold bench entp` come to: means over seeds with paired intervals, cost, rows trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, TypeAlias

import numpy as np

from regold.methods.intervals import quantiles, resampled_means

Result: TypeAlias = Mapping[str, Any]
BASES = ("keep all", "drop low", "random", "full")
"""Arms with which all others are compared, where they were tried."""
BUDGET = "full"
"""The arm whose calls are the measure of what all others spend."""
NEAR = 0.05
"""An arm whose calls differ by no more than this share spends as many."""
DRAWS = 2000
FIGURES = (
    "new",
    "available",
    "trained",
    "made",
    "facts_right",
    "facts_each",
    "facts_taught",
    "rare_share",
    "text_faults_left",
    "calls",
    "prompt_tokens",
    "completion_tokens",
)
SHARES = {
    "right_before": ("right_before", "asked"),
    "right_after": ("right_after", "asked"),
    "recovered": ("recovered", "lost"),
    "unknown_recovered": ("unknown_recovered", "unknown"),
    "kept": ("kept", "right_before"),
    "true_before": ("true_before", "told_before"),
    "true_after": ("true_after", "told_after"),
}
"""Shares of the counts of `regold.lab.recovery`, over all seeds together."""


def summarise(results: Sequence[Result]) -> dict[str, Any]:
    """Return one row an arm as plain data; a group's rows are over the seeds that all its arms have."""
    ordered = sorted(results, key=lambda r: r["place"])
    groups: dict[str, list[str]] = {}
    for result in ordered:
        names = groups.setdefault(result["group"], [])
        if result["arm"] not in names:
            names.append(result["arm"])
    by = {(r["arm"], r["seed"]): r for r in ordered}
    bases = [name for name in BASES if any(arm == name for arm, _ in by)]
    rows = [row for names in groups.values() for row in _rows(names, bases, by)]
    return {"rows": rows, "seeds": sorted({r["seed"] for r in results})}


def _rows(own: Sequence[str], bases: Sequence[str], by: Mapping[tuple[str, int], Result]) -> list[dict[str, Any]]:
    seeds = [s for s in sorted({seed for _, seed in by}) if all((name, s) in by for name in own)]
    if not seeds:
        return []
    bases = [name for name in bases if all((name, s) in by for s in seeds)]
    names = list(dict.fromkeys([*own, *bases]))
    exact = _drawn([[_bits(by[n, s]["right"]) for n in names] for s in seeds])
    facts = _drawn([[np.asarray(by[n, s]["facts"], dtype=float) for n in names] for s in seeds])
    found = []
    for column, name in enumerate(own):
        runs = [by[name, s] for s in seeds]
        told: dict[str, Any] = {"arm": name, "group": runs[0]["group"], "seeds": len(seeds)}
        told |= {"n": len(runs[0]["right"]), "exact": _interval(exact, column), "facts": _interval(facts, column)}
        for base in bases:
            if base != name:
                told[f"over_{base.replace(' ', '_')}"] = _interval(exact, column, names.index(base))
        found.append({**told, **_about(runs), **_spent(runs, [by.get((BUDGET, s)) for s in seeds])})
    return found


def _spent(runs: Sequence[Result], full: Sequence[Result | None]) -> dict[str, Any]:
    """Return an arm's calls for each call of the full recipe on the same seeds, and whether that is about as many."""
    calls = sum(run["calls"] for run in full if run)
    if not calls or None in full:
        return {"calls_against_full": None, "equal_calls": None}
    ratio = sum(run["calls"] for run in runs) / calls
    return {"calls_against_full": _round(ratio), "equal_calls": abs(ratio - 1) <= NEAR}


def _about(runs: Sequence[Result]) -> dict[str, Any]:
    """Return the means of what was trained on and what it cost."""
    told: dict[str, Any] = {"neglected": _part(runs, "1"), "others": _part(runs, "0")}
    told |= {figure: _mean([run.get(figure) for run in runs]) for figure in FIGURES}
    told["seconds"] = {key: _mean([r["seconds"].get(key) for r in runs]) for key in runs[0]["seconds"]}
    outcomes = sum((Counter(run.get("outcomes") or {}) for run in runs), Counter())
    counts = sum((Counter(run.get("recovery") or {}) for run in runs), Counter())
    shares = {name: _round(counts[a] / counts[b]) for name, (a, b) in SHARES.items() if counts[b]}
    told |= {"recovery": {"records": counts["records"] / len(runs), **shares} if shares else {}}
    return {**told, "outcomes": {key: count / len(runs) for key, count in outcomes.items()}}


def _drawn(groups: Sequence[Sequence[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over seeds and their resamples, arms in columns."""
    arrays = [np.stack(group) for group in groups]
    return np.mean([a.mean(axis=1) for a in arrays], axis=0), resampled_means(arrays, DRAWS)


def _interval(found: tuple[np.ndarray, np.ndarray], column: int, base: int | None = None) -> dict[str, float]:
    means, draws = found
    less = 0.0 if base is None else means[base]
    low, high = quantiles(draws[:, column] - (0.0 if base is None else draws[:, base]))
    return {"mean": _round(means[column] - less), "low": _round(low), "high": _round(high)}


def _part(runs: Sequence[Result], which: str) -> float | None:
    bits = [int(b) for run in runs for b, part in zip(run["right"], run["neglected"], strict=True) if part == which]
    return _round(fmean(bits)) if bits else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return _round(fmean(known)) if known else None


def _bits(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.float64) - ord("0")


def _round(value: float) -> float:
    return round(float(value), 4)
