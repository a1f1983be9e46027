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
from regold.methods.ratings.choice import Ground, correct
from regold.methods.ratings.diagnosis import CLASSES, diagnose
from regold.methods.ratings.neighbourly import K, Near

WIDTH = 384
TOPICS = 3000
ASKED = 1000
LOOKED_AT = 1 / 64


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
    """Time neighbours and, for each rater, 20 restarts, the bootstrap and every corrector; measure recall."""
    scores = read_pool(path)
    vectors = made_vectors(len(scores), seed)
    began, busy = time.monotonic(), time.process_time()
    near = Near(*nearest(vectors, vectors, K, looked_at=LOOKED_AT))
    seconds = {"neighbours": time.monotonic() - began}
    ground = Ground.of(vectors, near, np.zeros((len(scores), 0)), seed)
    raters = []
    for column in scores.T:
        start = time.monotonic()
        found = diagnose(column, near, seed)
        fitted = time.monotonic()
        done = correct(column, ground, found, seed)
        known = column[np.isfinite(column)].astype(np.int64)
        counts = np.bincount(known, minlength=CLASSES).tolist()
        times = {"fit": round(fitted - start, 1), "correct": round(time.monotonic() - fitted, 1)}
        raters.append({"counts": counts, "doubts": list(found.reasons), "held out": dict(done.heldout), **times})
    seconds["all"] = time.monotonic() - began
    return {
        "records": len(scores),
        "raters": raters,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "cpu_seconds": round(time.process_time() - busy, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "recall_at_10": _recall(vectors, near, seed),
    }


def _recall(vectors: np.ndarray, near: Near, seed: int) -> float:
    """Return the share of the true ten nearest that were found, over sampled queries; not part of the time measured."""
    asked = np.random.default_rng(seed).choice(len(vectors), min(ASKED, len(vectors)), replace=False)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    _, exact = index.search(vectors[asked], K + 1)
    hits = sum(
        len(set(true[true != row][:K]) & set(found))
        for row, true, found in zip(asked, exact, near.rows[asked], strict=True)
    )
    return float(hits / (len(asked) * K))
