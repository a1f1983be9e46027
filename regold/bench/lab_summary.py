"""What the lab's trials come to: means over seeds with paired intervals, recovered shares, detection, confidence."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from regold.bench.lab_claims import claims
from regold.bench.lab_diagnostics import Place, Result, bits, by_question, by_wording, confidence, rounded, surprise
from regold.lab.grid import Grid, Part
from regold.methods.intervals import quantiles, resampled_means

Drawn: TypeAlias = tuple[np.ndarray, np.ndarray]
BASE, ORACLE = "SFT", "oracle-clean"
"""What the recovered share is measured between."""
DRAWS = 1000


def summarise(results: Sequence[Result], grid: Grid, parts: Sequence[Part]) -> dict[str, Any]:
    """Return all figures as plain data, rounded; per-question outcomes do not stand in it."""
    rows, places = [], placed(results, grid)
    for (world, set_name, kind, noise), found in places.items():
        rows += _rows({"world": world, "set": set_name, "kind": kind, "noise": noise}, found)
    return {
        "rows": rows,
        "parts": [asdict(part) for part in parts],
        "claims": claims(places, DRAWS),
        "questions": by_question(places),
        "wordings": by_wording(places),
        "confidence": confidence(places),
        "surprise": surprise(places),
        "skipped": _skipped(results),
    }


def placed(results: Iterable[Result], grid: Grid) -> dict[Place, dict[str, list[Result]]]:
    """Sort results by world, set, kind and noise, then method; what noise cannot change stands at every place."""
    done = [r for r in results if "skipped" not in r]
    places = sorted({(r["world"], r["set"], r["kind"], r["noise"]) for r in done if grid.methods[r["method"]].noisy})
    places = places or sorted({(r["world"], r["set"], r["kind"], r["noise"]) for r in done})
    found: dict[Place, dict[str, list[Result]]] = {place: defaultdict(list) for place in places}
    for r in done:
        for place, methods in found.items():
            same = (r["world"], r["set"]) == place[:2]
            if same and ((r["kind"], r["noise"]) == place[2:] or not grid.methods[r["method"]].noisy):
                methods[r["method"]].append(r)
    return found


def _rows(place: Mapping[str, Any], found: Mapping[str, Sequence[Result]]) -> list[dict[str, Any]]:
    """Return one row a method, each over all seeds that it, SFT and oracle have in common; equal seeds, equal draws."""
    by = {(name, r["seed"]): r for name, runs in found.items() for r in runs}
    measure = [name for name in (BASE, ORACLE) if name in found]
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in found:
        common = set.intersection(*({r["seed"] for r in found[one]} for one in (name, *measure)))
        groups[tuple(sorted(common))].append(name)
    told: dict[str, dict[str, Any]] = {}
    for seeds, mine in groups.items():
        if not seeds:
            continue
        names = list(dict.fromkeys([*measure, *mine]))
        accuracy = {how: _accuracy(by, names, seeds, how) for how in ("right", "sampled")}
        for name in mine:
            told[name] = {**place, "method": name, **_row(name, names, accuracy, [by[name, s] for s in seeds])}
    return [told[name] for name in found if name in told]


def _accuracy(by: Mapping[tuple[str, int], Result], names: Sequence[str], seeds: Sequence[int], how: str) -> Drawn:
    return _drawn([[bits(by[name, seed][how]) for name in names] for seed in seeds])


def _drawn(groups: Sequence[Sequence[np.ndarray]]) -> Drawn:
    """Return the means over seeds and their resamples, methods in columns."""
    arrays = [np.stack(group) for group in groups]
    return np.mean([a.mean(axis=1) for a in arrays], axis=0), resampled_means(arrays, DRAWS)


def _row(name: str, names: Sequence[str], accuracy: Mapping[str, Any], runs: Sequence[Result]) -> dict[str, Any]:
    column = names.index(name)
    told: dict[str, Any] = {"seeds": len(runs), "n": len(runs[0]["right"])}
    for how, key in (("right", "greedy"), ("sampled", "sampled")):
        means, draws = accuracy[how]
        told[key] = _interval(means[column], draws[:, column])
        if BASE in names and name != BASE:
            base = names.index(BASE)
            told[f"{key}_over_sft"] = _interval(means[column] - means[base], draws[:, column] - draws[:, base])
            told[f"{key}_recovered"] = _recovered(means, draws, column, names)
    told["detection"] = _means([r.get("detection") for r in runs])
    told["relabel"] = _means([r.get("relabel") for r in runs])
    for figure in ("labels_right", "trained", "calls", "prompt_tokens", "completion_tokens"):
        told[figure] = _mean([r.get(figure) for r in runs])
    return told


def _recovered(means: np.ndarray, draws: np.ndarray, column: int, names: Sequence[str]) -> dict[str, Any] | None:
    """Return (method - SFT) / (oracle - SFT) with its interval, None where SFT's loss may as well be nothing."""
    if ORACLE not in names:
        return None
    base, oracle = names.index(BASE), names.index(ORACLE)
    lost = draws[:, oracle] - draws[:, base]
    if quantiles(lost)[0] <= 0:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(lost > 0, (draws[:, column] - draws[:, base]) / lost, np.nan)
    return _interval((means[column] - means[base]) / (means[oracle] - means[base]), shares)


def _interval(estimate: float, draws: np.ndarray) -> dict[str, float | None]:
    low, high = quantiles(draws)
    return {"mean": rounded(estimate), "low": rounded(low), "high": rounded(high)}


def _skipped(results: Iterable[Result]) -> list[dict[str, Any]]:
    names = ("world", "set", "seed", "kind", "noise", "method", "skipped")
    return [{name: r[name] for name in names} for r in results if "skipped" in r]


def _means(found: Sequence[Mapping[str, Any] | None]) -> dict[str, float | None] | None:
    known = [one for one in found if one]
    return {key: _mean([one.get(key) for one in known]) for key in known[0]} if known else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return rounded(statistics.fmean(known)) if known else None
