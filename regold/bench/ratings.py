"""Corrects recorded ratings, each rater from its own scores and the texts, and measures it by the other raters."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regold.asking import conversation
from regold.bench.embedded import embed
from regold.engines import EngineSpec
from regold.errors import InputError
from regold.formats import read_rows
from regold.formats.sources import files
from regold.formats.values import as_text
from regold.methods.neighbours import nearest
from regold.methods.ratings.choice import NONE, Choice, Ground, choose, correct, settle
from regold.methods.ratings.compare import agree
from regold.methods.ratings.diagnosis import CLASSES, Diagnosis, diagnose
from regold.methods.ratings.neighbourly import Near
from regold.methods.ratings.regression import WIDE, Ridge, fold_numbers, length_features, to_scale

LENGTH = "length only"
"""The control: a regression of a rater's scores on the length of the response and nothing else."""
LEAST = 50


@dataclass(frozen=True)
class Rated:
    """Records with the scores of several raters, NaN where one is missing."""

    queries: Sequence[str]
    responses: Sequence[str]
    scores: Mapping[str, np.ndarray]

    @property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Characters of each query and response."""
        return tuple(np.array([len(t) for t in side], dtype=np.float64) for side in (self.queries, self.responses))  # type: ignore[return-value]


def load_rated(ratings: Path, data: Path, raters: Sequence[str] = ()) -> Rated:
    """Join ratings to records by id. Without `raters`, those columns are raters that hold whole numbers 0-5, all told
    at least four of them. Raises InputError where there are fewer than two raters or 50 records that anyone rated."""
    rows = {row.id: row for row in read_rows(data, on_bad_line="skip")}
    entries = [entry.value for file in files(ratings) for entry in file.entries() if entry.value is not None]
    names = list(raters) or _raters(entries)
    if len(names) < 2:
        raise InputError(f"{len(names)} columns of classes 0-5, two raters are needed; name them with --rater", ratings)
    joined = {id_: e for e in entries if (id_ := as_text(e.get("id"), "id")) in rows}
    if len(joined) < LEAST:
        raise InputError(
            f"{len(joined)} rated ids are among the {len(rows)} records of {data}; {LEAST} needed", ratings
        )
    chosen = [rows[id_] for id_ in joined]
    scores = {name: np.array([_score(e.get(name)) for e in joined.values()]) for name in names}
    if silent := [name for name, each in scores.items() if not np.isfinite(each).any()]:
        raise InputError(f"the column {silent[0]} holds no score 0-5", ratings)
    return Rated([conversation(r.messages[:-1]) for r in chosen], [r.messages[-1].content for r in chosen], scores)


def bench_ratings(
    rated: Rated, encoder: EngineSpec, seed: int = 0, together: bool = True, kept: Path | None = None
) -> dict[str, Any]:
    """Return, for each rater, every corrector's agreement with each other rater, the choice made and its reason."""
    began, busy = time.monotonic(), time.process_time()
    texts = [f"{q}\n{r}" for q, r in zip(rated.queries, rated.responses, strict=True)]
    vectors = embed(texts, encoder, kept)
    embedded = time.monotonic()
    near = Near(*nearest(vectors, vectors, WIDE))
    found_near = time.monotonic()
    queries, responses = rated.lengths
    ground = Ground.of(vectors, near, length_features(queries, responses), seed)
    control = Ridge(np.log1p(responses)[:, None] ** np.array([1, 2, 3]), fold_numbers(len(responses), seed))
    results, choices = [], {}
    for name, scores in rated.scores.items():
        diagnosis = diagnose(scores, near, seed)
        done = correct(scores, ground, diagnosis, seed)
        choice = choose(scores, done, diagnosis, ground, None, seed)
        choices[name] = _told(choice, diagnosis, done.own)
        ways = {**done.values, LENGTH: to_scale(control.predict(scores).values, scores)}
        results += [
            {"rater": name, "method": way, "chosen": way == choice.method, "against": other, **asdict(measured)}
            for way, values in ways.items()
            for other, theirs in rated.scores.items()
            if other != name
            for measured in [agree(values, scores, theirs, responses, CLASSES)]
        ]
    seconds = {"embed": embedded - began, "neighbours": found_near - embedded, "all": time.monotonic() - began}
    return {
        "records": len(responses),
        "raters": {name: np.bincount(_whole(s), minlength=CLASSES).tolist() for name, s in rated.scores.items()},
        "encoder": encoder.kind,
        "results": results,
        "choices": choices,
        "verdict": verdict(results),
        "several": _several(rated, ground, responses, seed) if together and len(rated.scores) > 2 else [],
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "cpu_seconds": round(time.process_time() - busy, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def verdict(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say for how many ordered pairs of raters the chosen corrector is below the scores as given, and below length."""
    by = {(r["rater"], r["against"], r["method"]): r for r in results}
    chosen = [r for r in results if r["chosen"]]
    gains = [r["spearman"] - by[r["rater"], r["against"], NONE]["spearman"] for r in chosen]
    over = [r["spearman"] - by[r["rater"], r["against"], LENGTH]["spearman"] for r in chosen]
    within = [r["within_length"] - by[r["rater"], r["against"], NONE]["within_length"] for r in chosen]
    return {
        "pairs": len(chosen),
        "pairs_below_raw": sum(g < -1e-9 for g in gains),
        "pairs_below_length_only": sum(g < -1e-9 for g in over),
        "pairs_below_raw_within_length": sum(g < -1e-9 for g in within),
        "least_gain": min(gains, default=0.0),
        "mean_gain": float(np.mean(gains)) if gains else 0.0,
    }


def _several(rated: Rated, ground: Ground, lengths: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Correct all raters but one, each being evidence for the others, and measure by the one left out."""
    lines = []
    for out, theirs in rated.scores.items():
        rest = [name for name in rated.scores if name != out]
        given = np.nanmean(np.stack([rated.scores[name] for name in rest]), axis=0)
        done = settle([rated.scores[name] for name in rest], ground, seed=seed)
        lines.append(
            {
                "raters": rest,
                "against": out,
                "methods": [choice.method for choice in done.choices],
                "reasons": [choice.reason for choice in done.choices],
                "together": done.together,
                "given": asdict(agree(given, given, theirs, lengths, CLASSES)),
                "corrected": asdict(agree(done.values, given, theirs, lengths, CLASSES)),
            }
        )
    return lines


def _told(choice: Choice, found: Diagnosis, own: float) -> dict[str, Any]:
    fitted: dict[str, Any] = {}
    if found.transition is not None:
        matrix = found.transition
        fitted = {"transition": matrix.matrix.tolist(), "prior": matrix.prior.tolist(), "residual": matrix.residual}
        fitted |= {"spread": matrix.spread, "dominant": matrix.dominant.tolist(), "bootstrap": found.bootstrap}
    figures = {kind: dict(each) for kind, each in choice.figures.items()}
    about = {"method": choice.method, "reason": choice.reason, "own_weight": own, "figures": figures}
    return {**about, "matrix_believed": not found.reasons, "doubts": list(found.reasons), **fitted}


def _raters(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for entry in entries[:1000] for name in entry if name != "id")
    return [name for name in names if _is_rater([entry.get(name) for entry in entries])]


def _is_rater(values: Sequence[Any]) -> bool:
    known = {v for v in values if v is not None and not isinstance(v, list | dict)}
    return len(known) >= 4 and all(np.isfinite(_score(v)) for v in known)


def _score(value: Any) -> float:
    whole = not isinstance(value, bool) and isinstance(value, int | float) and value in range(CLASSES)
    return float(value) if whole else float("nan")


def _whole(scores: np.ndarray) -> np.ndarray:
    return np.asarray(scores[np.isfinite(scores)], dtype=np.int64)
