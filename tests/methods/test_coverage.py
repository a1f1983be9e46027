from __future__ import annotations

import numpy as np
import pytest

from regold.methods.coverage import cluster_coverage, coverage, distinct, knn_distance, rare_share, vendi


def test_the_vendi_score_counts_what_differs() -> None:
    assert vendi(np.eye(7, dtype=np.float32)) == pytest.approx(7)
    assert vendi(np.tile(np.eye(7, dtype=np.float32)[:1], (5, 1))) == pytest.approx(1)
    assert vendi(np.zeros((0, 3), dtype=np.float32)) == 0
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(vectors @ vectors.T / 30)
    values = values[values > 1e-12]
    assert vendi(vectors) == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-6)


def test_distinct_runs() -> None:
    assert distinct(["a b a b"], 1) == 0.5
    assert distinct(["a b a b"], 2) == pytest.approx(2 / 3)
    assert distinct([], 1) == 0


def test_distance_to_the_nearest() -> None:
    vectors = np.eye(3, dtype=np.float32)
    assert knn_distance(vectors, 2) == pytest.approx(1)
    assert knn_distance(vectors[:1], 2) == 0


def test_a_set_covers_the_clusters_it_has_records_in() -> None:
    pool = np.repeat(np.eye(4, dtype=np.float32), 20, axis=0)
    assert cluster_coverage(pool, pool[:20], 4) == 0.25
    assert cluster_coverage(pool, pool[:40], 4) == 0.5
    assert cluster_coverage(pool, pool[:0], 4) == 0
    told = coverage(pool, pool[::20], ["a", "b", "c", "d"], clusters=4)
    assert (told["clusters"], told["distinct_1"], told["records"]) == (1, 1, 4)
    assert told["vendi"] == pytest.approx(4)


def test_the_share_of_rare_clusters() -> None:
    pool = ["big"] * 90 + ["mid"] * 6 + ["low"] * 3 + ["tiny"]
    assert rare_share(pool, ["big", "tiny"]) == {"before": 0.01, "after": 0.5}
    assert rare_share([], []) == {"before": 0, "after": 0}
