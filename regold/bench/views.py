"""How well views find and repair wrong labels: recorded answers of real models, every pair and triple of them."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from regold.bench.recorded import OK, WRONG_LABEL, Case, Recorded, injected, load, natural
from regold.errors import InputError
from regold.methods.detection import auroc, detection
from regold.methods.tallies import auroc_of, average_precision, precision_recall_f1, resampled

NATURAL = "natural"
RULES = ("all", "majority")
REPAIRS = ("after", "after_settled", "settled", "after_least", "after_most")
FIGURES = ("precision", "recall", "f1", "auroc", "auprc", *REPAIRS)
DRAWS = 1000
"""Bootstrap resamples of the records, shared out among the seeds."""
LEVEL = 0.95
_EDGES = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
NONE, RIGHT, WRONG = 0, 1, 2
"""What the views propose in place of a record's label: nothing they agree on, its right label, another one."""

Scorer: TypeAlias = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""From answers (views, rows), given labels (rows,) and the number of options to P(option is right), (rows, options)."""
SCORERS: Mapping[str, Scorer] = {}
"""Posteriors measured beside the rules, by name."""


def run_views(
    data: Path,
    rates: Sequence[int] = (10, 30, 50, 70),
    seeds: int = 5,
    triples: bool = True,
    draws: int = DRAWS,
    scorers: Mapping[str, Scorer] = SCORERS,
) -> dict[str, Any]:
    """Measure every pair (and triple) of models under each noise rate in per cent, and on the natural errors.

    Raises InputError for a file that is not of the shape `load` reads.
    """
    began = time.monotonic()
    recorded = load(data)
    if OK not in recorded.types:
        raise InputError("has no row whose error_type is ok: nothing is known to be right", data)
    sizes = (2, 3) if triples and len(recorded.models) > 2 else (2,)
    results = [
        one
        for noise, cases in _settings(recorded, rates, seeds)
        for size in sizes
        for one in (*_by_rule(noise, cases, size, draws), *_by_scorer(noise, cases, size, scorers))
    ]
    return {
        "bench": "views",
        "data": data.name,
        "records": len(recorded.rows),
        "error_types": dict(Counter(recorded.types.tolist())),
        "models": _models(recorded.only([OK])),
        "rates": list(rates),
        "seeds": seeds,
        "draws": draws,
        "level": LEVEL,
        "rules": [*RULES, *scorers],
        "summary": summarised(results),
        "flagged_by_error_type": _by_type(recorded, sizes),
        "results": results,
        "seconds": round(time.monotonic() - began, 1),
    }


def proposals(answers: np.ndarray) -> np.ndarray:
    """Return what two views of two or three agree on, (combinations, rows); -1 where they agree on nothing.

    `answers` is (views, combinations, rows), -1 for no answer.
    """
    found = np.full(answers.shape[1:], -1, dtype=answers.dtype)
    for one, other in combinations(answers, 2):
        found = np.where((found < 0) & (one == other), one, found)
    return found


def tally(case: Case, combos: np.ndarray) -> np.ndarray:
    """Count records by truth, number of views that disagree, and proposal: (combinations, 2, views + 1, 3).

    `combos` is (combinations, views): places of models.
    """
    views = combos.shape[1]
    answers = case.recorded.answers[combos.T]
    against = (answers != case.given).sum(axis=0)
    proposed = proposals(answers)
    outcome = np.where(proposed < 0, NONE, np.where(proposed == case.truth, RIGHT, WRONG))
    cells = 2 * (views + 1) * 3
    cell = (case.wrong * (views + 1) + against) * 3 + outcome + np.arange(len(combos))[:, None] * cells
    return np.bincount(cell.ravel(), minlength=len(combos) * cells).reshape(len(combos), 2, views + 1, 3)


def figures(counts: np.ndarray, rule: str, repairs: bool = True) -> dict[str, np.ndarray]:
    """Return the figures of each table of counts, (..., 2, views + 1, 3); the score is the number that disagree.

    `all` flags a record where one view disagrees, `majority` where more than half of the views do (the same rules as
    `JudgeAgreement`). `after` is the share of right labels when what the views agree on replaces a flagged label and
    nothing else changes; `after_settled` leaves out flagged records for which they agree on nothing, and `settled` is
    the share that stays. Without `repairs`, where the right option in place of some wrong label is not known, only
    bounds of `after` are told: `after_least` counts such a label as wrong whatever replaced it, `after_most` as right.
    """
    views = counts.shape[-2] - 1
    least = 1 if rule == "all" else views // 2 + 1
    levels = counts.sum(axis=-1)
    precision, recall, f1 = precision_recall_f1(levels, least)
    found = {"precision": precision, "recall": recall, "f1": f1}
    found |= {"auroc": auroc_of(levels), "auprc": average_precision(levels)}
    flagged, size = counts[..., least:, :].sum(axis=(-3, -2)), levels.sum(axis=(-2, -1))
    if not repairs:
        unsure = counts[..., least:, WRONG].sum(axis=-1)
        sure = levels[..., 0, :].sum(axis=-1) - unsure[..., 0] + counts[..., 1, least:, RIGHT].sum(axis=-1)
        return {**found, "after_least": sure / size, "after_most": (sure + unsure[..., 1]) / size}
    right = levels[..., 0, :least].sum(axis=-1) + flagged[..., RIGHT]
    left_right = counts[..., 0, least:, NONE].sum(axis=-1)
    settled = size - flagged[..., NONE]
    return {
        **found,
        "after": (right + left_right) / size,
        "after_settled": right / np.maximum(settled, 1),
        "settled": settled / size,
    }


def summarised(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return minimum, median and maximum over combinations, by noise, number of views and rule."""

    def group(result: Mapping[str, Any]) -> tuple[str, int, str]:
        return str(result["noise"]), len(result["views"]), result["rule"]

    found = []
    for _, members in groupby(sorted(results, key=group), key=group):
        some = list(members)
        head = {"noise": some[0]["noise"], "size": len(some[0]["views"]), "rule": some[0]["rule"]}
        names = [name for name, value in some[0]["figures"].items() if value is not None]
        values = {name: [s["figures"][name] for s in some] for name in names}
        spread = {n: {"min": min(v), "median": statistics.median(v), "max": max(v)} for n, v in values.items()}
        found.append({**head, "combinations": len(some), "before": some[0]["before"], **spread})
    return found


def _settings(recorded: Recorded, rates: Sequence[int], seeds: int) -> Iterator[tuple[int | str, list[Case]]]:
    for rate in rates:
        yield rate, [injected(recorded, rate / 100, seed) for seed in range(seeds)]
    if np.isin(recorded.types, WRONG_LABEL).any():
        yield NATURAL, [natural(recorded)]


def _combos(recorded: Recorded, size: int) -> np.ndarray:
    return np.array(list(combinations(range(len(recorded.models)), size)))


@dataclass(frozen=True)
class _Head:
    """What every result of one setting begins with."""

    noise: int | str
    cases: Sequence[Case]

    def entry(self, rule: str, combo: Sequence[int], **figures: Any) -> dict[str, Any]:
        first = self.cases[0]
        models = [first.recorded.models[m] for m in combo]
        size, wrong = len(first.given), int(first.wrong.sum())
        head = {"noise": self.noise, "rule": rule, "views": models, "records": size, "wrong": wrong}
        return {**head, "before": _round(1 - wrong / size), **figures}


def _by_rule(noise: int | str, cases: Sequence[Case], size: int, draws: int) -> list[dict[str, Any]]:
    head, combos = _Head(noise, cases), _combos(cases[0].recorded, size)
    counts = np.stack([tally(case, combos) for case in cases])
    rng = np.random.default_rng(0)
    again = np.concatenate([resampled(c, max(1, draws // len(cases)), rng) for c in counts])
    repairs = bool((cases[0].truth >= 0).all())
    reached = counts.sum(axis=(0, 4)).tolist()
    found = []
    for rule in RULES:
        each, spread = figures(counts, rule, repairs), figures(again, rule, repairs)
        told = {
            "figures": {n: _rounded(each[n].mean(axis=0)) if n in each else [None] * len(combos) for n in FIGURES},
            "interval": {n: _rounded(np.quantile(v, _EDGES, axis=0).T) for n, v in spread.items()},
            "seed_deviation": {n: _rounded(v.std(axis=0)) for n, v in each.items()},
        }
        for place, combo in enumerate(combos):
            mine = {name: {n: column[place] for n, column in columns.items()} for name, columns in told.items()}
            found.append(
                head.entry(rule, combo, **mine, counts=dict(zip(("right", "wrong"), reached[place], strict=True)))
            )
    return found


def _by_scorer(
    noise: int | str, cases: Sequence[Case], size: int, scorers: Mapping[str, Scorer]
) -> list[dict[str, Any]]:
    head = _Head(noise, cases)
    found = []
    for name, scorer in scorers.items():
        for combo in _combos(cases[0].recorded, size):
            each = [posterior_figures(case, scorer, combo) for case in cases]
            known = {n: [v for e in each if (v := e[n]) is not None] for n in each[0]}
            mean = {n: _round(statistics.fmean(v)) if v else None for n, v in known.items()}
            found.append(head.entry(name, combo, figures=mean, interval={}, seed_deviation={}))
    return found


def posterior_figures(case: Case, scorer: Scorer, combo: Sequence[int]) -> dict[str, float | None]:
    """Return the figures of a posterior: a record is flagged below one half and takes the most probable option."""
    answers = case.recorded.answers[np.asarray(combo)]
    options = max(len(row.options) for row in case.recorded.rows)
    posterior = scorer(answers, case.given, options)
    suspicion = 1 - posterior[np.arange(len(case.given)), case.given]
    flagged = suspicion > 0.5
    base = detection(case.wrong.tolist(), flagged.tolist(), suspicion.tolist())
    known = bool((case.truth >= 0).all())
    final = np.where(flagged, posterior.argmax(axis=1), case.given)
    return {
        "precision": base.precision,
        "recall": base.recall,
        "f1": base.f1,
        "auroc": auroc(case.wrong.tolist(), suspicion.tolist()),
        "auprc": _ranked_precision(case.wrong, suspicion),
        "brier": float(np.mean((suspicion - case.wrong) ** 2)),
        "estimated_noise": float(suspicion.mean()),
        "after": float((final == case.truth).mean()) if known else None,
    }


def _ranked_precision(wrong: np.ndarray, suspicion: np.ndarray) -> float:
    _, level = np.unique(suspicion, return_inverse=True)
    counts = np.stack([np.bincount(level[wrong == side], minlength=level.max() + 1) for side in (False, True)])
    return float(average_precision(counts))


def _models(ok: Recorded) -> dict[str, dict[str, Any]]:
    right = natural(ok)
    return {
        model: {"answered": int((said >= 0).sum()), "accuracy": _round(float((said == right.given).mean()))}
        for model, said in zip(ok.models, ok.answers, strict=True)
    }


def _by_type(recorded: Recorded, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return, for each error type as it stands, the median share of rows that the rules flag over all combinations."""
    found = []
    for kind in sorted(set(recorded.types.tolist())):
        rows = recorded.only([kind])
        case = Case(rows, rows.labels, np.full(len(rows.rows), -1), np.zeros(len(rows.rows), dtype=bool))
        for size in sizes:
            levels = tally(case, _combos(rows, size)).sum(axis=(1, 3)) / len(rows.rows)
            shares = {rule: levels[:, (1 if rule == "all" else size // 2 + 1) :].sum(axis=1) for rule in RULES}
            flagged = {rule: _round(float(np.median(share))) for rule, share in shares.items()}
            found.append({"error_type": kind, "records": len(rows.rows), "size": size, **flagged})
    return found


def _round(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _rounded(values: np.ndarray) -> list[Any]:
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [_round(value) for value in values.tolist()]
