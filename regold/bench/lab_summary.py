"""What the lab's trials come to: means over seeds with paired intervals, recovered shares, detection, confidence."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from regold.lab.grid import Grid, Part
from regold.methods.intervals import quantiles, resampled_means

Result: TypeAlias = Mapping[str, Any]
BASE, ORACLE = "SFT", "oracle-clean"
"""What the recovered share is measured between."""
DRAWS = 1000
BINS = 10
NLL_EDGES = [round(10 ** (-3 + n / 6), 5) for n in range(26)]
"""Mean NLL in nats per token, six bins a factor of ten; the first takes all below, the last all above."""


def summarise(results: Sequence[Result], grid: Grid, parts: Sequence[Part]) -> dict[str, Any]:
    """Return all figures as plain data, rounded; per-question outcomes do not stand in it."""
    rows, places = [], _places(results, grid)
    for (world, set_name, kind, noise), found in places.items():
        rows += _rows({"world": world, "set": set_name, "kind": kind, "noise": noise}, found)
    return {
        "rows": rows,
        "parts": [asdict(part) for part in parts],
        "questions": _by_question(places),
        "wordings": _wordings(places),
        "confidence": _confidence(places),
        "skipped": _skipped(results),
    }


def _places(results: Iterable[Result], grid: Grid) -> dict[tuple[str, str, str, int], dict[str, list[Result]]]:
    """Sort results by world, set, kind and noise, then method; what noise cannot change stands at every place."""
    done = [r for r in results if "skipped" not in r]
    places = sorted({(r["world"], r["set"], r["kind"], r["noise"]) for r in done if grid.methods[r["method"]].noisy})
    places = places or sorted({(r["world"], r["set"], r["kind"], r["noise"]) for r in done})
    found: dict[tuple[str, str, str, int], dict[str, list[Result]]] = {place: defaultdict(list) for place in places}
    for r in done:
        for place, methods in found.items():
            same = (r["world"], r["set"]) == place[:2]
            if same and ((r["kind"], r["noise"]) == place[2:] or not grid.methods[r["method"]].noisy):
                methods[r["method"]].append(r)
    return found


def _rows(place: Mapping[str, Any], found: Mapping[str, Sequence[Result]]) -> list[dict[str, Any]]:
    """Return one row a method; its intervals are over the seeds that all methods of the place have in common."""
    names = list(found)
    seeds = sorted(set.intersection(*({r["seed"] for r in found[name]} for name in names)))
    if not seeds:
        return []
    by = {(name, r["seed"]): r for name in names for r in found[name]}
    accuracy = {how: _drawn([[_bits(by[n, s][how]) for n in names] for s in seeds]) for how in ("right", "sampled")}
    return [{**place, "method": name, **_row(name, names, accuracy, [by[name, s] for s in seeds])} for name in names]


def _drawn(groups: Sequence[Sequence[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
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
    told["seconds"] = _means([r["seconds"] for r in runs])
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
    return {"mean": _round(estimate), "low": _round(low), "high": _round(high)}


def _by_question(places: Mapping[tuple[str, str, str, int], Mapping[str, Sequence[Result]]]) -> list[dict[str, Any]]:
    """Return each method's greedy accuracy by kind of question."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            hits: dict[str, list[int]] = defaultdict(list)
            for run in runs:
                for question, bit in zip(run["question_kinds"], run["right"], strict=False):
                    hits[question].append(int(bit))
            if len(hits) < 2:
                continue
            for question, bits in sorted(hits.items()):
                about = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name}
                rows.append({**about, "question": question, "n": len(bits), "greedy": _round(sum(bits) / len(bits))})
    return rows


def _wordings(places: Mapping[tuple[str, str, str, int], Mapping[str, Sequence[Result]]]) -> list[dict[str, Any]]:
    """Return accuracy in each wording, their spread, and the share of questions right in all and in any of them."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            asked = [np.stack([_bits(frame) for frame in run["frames"]]) for run in runs if "frames" in run]
            if not asked:
                continue
            each = np.mean([a.mean(axis=1) for a in asked], axis=0)
            told = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name}
            told |= {"wordings": [_round(v) for v in each], "spread": _round(each.max() - each.min())}
            told["right_in_all"] = _round(np.mean([a.all(axis=0).mean() for a in asked]))
            told["right_in_any"] = _round(np.mean([a.any(axis=0).mean() for a in asked]))
            rows.append(told)
    return rows


def _confidence(places: Mapping[tuple[str, str, str, int], Mapping[str, Sequence[Result]]]) -> list[dict[str, Any]]:
    """Return for every repair how confidence meets correctness: reliability bins, and NLL counts of right and wrong."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            seen = [one for run in runs for one in run.get("confidence") or ()]
            if not seen:
                continue
            told = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name, "repairs": len(seen)}
            rows.append({**told, "reliability": _reliability(seen), "edges": NLL_EDGES, "counts": _counts(seen)})
    return rows


def _reliability(seen: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    sure = np.exp([-s[0] for s in seen])
    right = np.array([s[1] for s in seen], dtype=float)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [(b, place == b) for b in range(BINS) if (place == b).any()]
    told = [(_round(sure[at].mean()), _round(right[at].mean()), int(at.sum())) for _, at in bins]
    return [dict(zip(("confidence", "right", "n"), one, strict=True)) for one in told]


def _counts(seen: Sequence[Sequence[float]]) -> dict[str, list[int]]:
    edges = np.array([0.0, *NLL_EDGES[1:-1], np.inf])
    groups = {
        "right, before": [s[0] for s in seen if s[1]],
        "wrong, before": [s[0] for s in seen if not s[1]],
        "right, after": [s[0] for s in seen if s[1] and s[2]],
        "wrong, after": [s[0] for s in seen if not s[1] and s[2]],
    }
    return {name: np.histogram(values, edges)[0].tolist() for name, values in groups.items()}


def _skipped(results: Iterable[Result]) -> list[dict[str, Any]]:
    names = ("world", "set", "seed", "kind", "noise", "method", "skipped")
    return [{name: r[name] for name in names} for r in results if "skipped" in r]


def _means(found: Sequence[Mapping[str, Any] | None]) -> dict[str, float | None] | None:
    known = [one for one in found if one]
    return {key: _mean([one.get(key) for one in known]) for key in known[0]} if known else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return _round(statistics.fmean(known)) if known else None


def _bits(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.float64) - ord("0")


def _round(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
