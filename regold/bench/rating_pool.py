"""How long it takes to correct the ratings of a whole pool, with made-up vectors where there is no text."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from regold.errors import InputError
from regold.formats import blocks
from regold.methods.neighbours import nearest
from regold.methods.ratings.choice import Ground, choose, correct, recover
from regold.methods.ratings.diagnosis import CLASSES, diagnose
from regold.methods.ratings.neighbourly import K, Near
from regold.methods.ratings.regression import WIDE

WIDTH = 384
TOPICS = 3000
ASKED = 1000


def read_pool(path: Path) -> np.ndarray:
    """Return a pool's scores, float (n, raters), from lines that are lists of classes. Raises InputError."""
    rows: list[list[float]] = []
    for line in blocks.lines(path):
        if not line.raw.strip():
            continue
        try:
            row = [float("nan") if v is None else float(v) for v in json.loads(line.raw)]
        except (ValueError, TypeError):
            row = []
        if not row or (rows and len(row) != len(rows[0])):
            raise InputError("expected a list of classes, as many as on the first line", path, line.number)
        rows.append(row)
    return np.array(rows)


def made_vectors(n: int, seed: int = 0) -> np.ndarray:
    """Return unit vectors around random topics, float32 (n, 384)."""
    chance = np.random.default_rng(seed)
    topics = chance.standard_normal((TOPICS, WIDTH), dtype=np.float32)
    out = topics[chance.integers(0, TOPICS, n)]
    out += chance.standard_normal((n, WIDTH), dtype=np.float32)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return out


def bench_pool(path: Path, seed: int = 0) -> dict[str, Any]:
    """Time what `CorrectRatings` does to a pool, reading and making vectors included, and measure its neighbours.

    For each rater that is 20 restarts, the bootstrap, every corrector and the simulation behind a choice. The recall
    is measured when the clock has stopped.
    """
    began, busy = time.monotonic(), time.process_time()
    scores = read_pool(path)
    vectors = made_vectors(len(scores), seed)
    seconds, cpu = {"load": time.monotonic() - began}, {"load": time.process_time() - busy}
    start, spent = time.monotonic(), time.process_time()
    near = Near(*nearest(vectors, vectors, WIDE))
    seconds["neighbours"], cpu["neighbours"] = time.monotonic() - start, time.process_time() - spent
    ground = Ground.of(vectors, near, np.zeros((len(scores), 0)), seed)
    raters = [_corrected(column, ground, seed) for column in scores.T]
    seconds["all"], cpu["all"] = time.monotonic() - began, time.process_time() - busy
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return {
        "records": len(scores),
        "raters": raters,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "cpu_seconds": {name: round(value, 1) for name, value in cpu.items()},
        "peak_mb": peak,
        "recall_at_10": _recall(vectors, near, seed),
        "queries": min(ASKED, len(vectors)),
    }


def _corrected(scores: np.ndarray, ground: Ground, seed: int) -> dict[str, Any]:
    """Return what was found of one rater, and the CPU seconds that it took."""
    busy = time.process_time()
    found = diagnose(scores, ground.near, seed)
    fitted = time.process_time()
    done = correct(scores, ground, found, seed)
    choice = choose(scores, done, found, ground, None, seed)
    if "recovery" not in choice.figures:  # made-up vectors tell nothing of a score, so the choice ends early
        recover(scores, done, found, ground, seed)
    known = scores[np.isfinite(scores)].astype(np.int64)
    return {
        "counts": np.bincount(known, minlength=CLASSES).tolist(),
        "restarts": found.transition.restarts if found.transition else 0,
        "doubts": list(found.reasons),
        "held_out": dict(done.heldout),
        "method": choice.method,
        "cpu_seconds": {"fit": round(fitted - busy, 1), "correct": round(time.process_time() - fitted, 1)},
    }


def _recall(vectors: np.ndarray, near: Near, seed: int) -> float:
    """Return the share of the true ten nearest that were found, over sampled queries."""
    asked = np.random.default_rng(seed).choice(len(vectors), min(ASKED, len(vectors)), replace=False)
    _, exact = faiss.knn(vectors[asked], vectors, K + 1, metric=faiss.METRIC_INNER_PRODUCT)
    hits = sum(
        len(set(true[true != row][:K]) & set(found[:K]))
        for row, true, found in zip(asked, exact, near.rows[asked], strict=True)
    )
    return float(hits / (len(asked) * K))
