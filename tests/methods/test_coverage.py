from __future__ import annotations

import numpy as np
import pytest

from regold.methods.coverage import compared, distinct, diversity, knn_distance, rare_share, vendi


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
    pool = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    sides = {"pool": pool, "one": pool[:10], "two": pool[:20], "each": pool[::10]}
    texts = {name: [f"w{row.argmax()}" for row in vectors] for name, vectors in sides.items()}
    told = compared(sides, texts)
    assert (told["one"]["clusters"], told["each"]["clusters"]) == (0.25, 1)
    assert {t["measured"] for t in told.values()} == {4}
    assert told["each"]["vendi"] == pytest.approx(4)
    assert told["each"]["distinct_1"] == 1
    assert told["one"]["distinct_1"] == 0.25


def test_sets_are_compared_by_equally_many_records() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(400, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"word{n} word{n % 7}" for n in range(400)]
    half = diversity(vectors[:100], texts[:100])
    told = compared({"pool": vectors, "some": vectors[:100]}, {"pool": texts, "some": texts[:100]})
    assert {name: told["some"][name] for name in half} == half
    assert told["pool"]["knn_distance"] == pytest.approx(half["knn_distance"], rel=0.1)
    assert compared({"pool": vectors, "all": vectors}, {"pool": texts, "all": texts}, most=50)["all"]["records"] == 400


def test_a_set_in_rare_clusters_is_told() -> None:
    pool = np.repeat(np.eye(4, dtype=np.float32), [60, 60, 60, 4], axis=0)
    texts = {"pool": ["x"] * 184, "rare": ["x"] * 4}
    told = compared({"pool": pool, "rare": pool[-4:]}, texts)
    assert told["rare"]["rare_share"] == 1


def test_the_share_of_rare_clusters() -> None:
    pool = ["big"] * 90 + ["mid"] * 6 + ["low"] * 3 + ["tiny"]
    assert rare_share(pool, ["big", "tiny"]) == {"before": 0.01, "after": 0.5}
    assert rare_share([], []) == {"before": 0, "after": 0}
