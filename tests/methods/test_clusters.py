from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from regold.methods.clusters import cluster, domain_words, mmr, one_hop_groups, pair_nearest, silhouette


def _blobs(k: int, each: int, seed: int = 0, width: int = 16, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(width, width)))[0][:k]
    truth = np.repeat(np.arange(k), each)
    vectors = centres[truth] + noise * rng.normal(size=(k * each, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


@pytest.mark.parametrize("seed", range(3))
def test_the_silhouette_is_that_of_scikit_learn(seed: int) -> None:
    vectors, _ = _blobs(4, 30, seed, noise=0.5)
    labels = np.random.default_rng(seed).integers(0, 5, len(vectors))
    assert silhouette(vectors, labels) == pytest.approx(silhouette_score(vectors, labels, metric="cosine"), abs=1e-6)
    labels[labels == 4] = 3
    labels[0] = 4
    assert silhouette(vectors, labels) == pytest.approx(silhouette_score(vectors, labels, metric="cosine"), abs=1e-6)


@pytest.mark.parametrize("k", [2, 4, 8])
def test_k_is_found_and_so_are_the_clusters(k: int) -> None:
    vectors, truth = _blobs(k, 60)
    found = cluster(vectors)
    assert found.k == k
    assert len({(a, b) for a, b in zip(truth.tolist(), found.labels.tolist(), strict=True)}) == k
    assert max(found.silhouettes, key=lambda n: found.silhouettes[n]) == k
    again = cluster(vectors)
    assert (again.labels == found.labels).all()


def test_k_can_be_given_and_few_vectors_are_one_cluster() -> None:
    vectors, _ = _blobs(4, 30)
    assert cluster(vectors, k=6).k == 6
    assert cluster(vectors[:5]).k == 1
    assert cluster(vectors[:0]).labels.tolist() == []
    assert cluster(vectors[:3], k=9).k <= 3


def test_equal_vectors_leave_no_empty_cluster() -> None:
    vectors = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (40, 1))
    found = cluster(vectors, k=4)
    assert set(found.labels.tolist()) == set(range(found.k))


def test_groups_hold_direct_neighbours_of_their_seed_only() -> None:
    angles = np.deg2rad([0, 20, 40, 60, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    tau = float(np.cos(np.deg2rad(25)))
    assert one_hop_groups(vectors, tau).tolist() == [0, 0, 2, 2, 4]
    assert one_hop_groups(vectors, tau, order=[2, 0, 4, 1, 3]).tolist() == [0, 2, 2, 2, 4]
    assert one_hop_groups(vectors, -1).tolist() == [0] * 5


def test_groups_do_not_depend_on_how_many_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = _blobs(3, 40, noise=0.3)
    whole = one_hop_groups(vectors, 0.6)
    monkeypatch.setattr("regold.methods.clusters.BLOCK", 7)
    assert (one_hop_groups(vectors, 0.6) == whole).all()
    assert all(float(vectors[row] @ vectors[seed]) >= 0.6 - 1e-6 for row, seed in enumerate(whole))


def test_representatives_follow_the_formula() -> None:
    vectors, _ = _blobs(3, 12, noise=0.4)
    centroid = vectors.mean(axis=0)
    centroid /= np.linalg.norm(centroid)
    chosen: list[int] = []
    for _ in range(6):
        scores = {
            i: 0.6 * float(vectors[i] @ centroid) - 0.4 * max([float(vectors[i] @ vectors[s]) for s in chosen] or [0])
            for i in range(len(vectors))
            if i not in chosen
        }
        chosen.append(max(scores, key=lambda i: scores[i]))
    assert mmr(vectors, centroid, 6).tolist() == chosen
    nearest = np.argsort(-(vectors @ centroid), kind="stable")[:6]
    assert mmr(vectors, centroid, 6, weight=1.0).tolist() == nearest.tolist()
    assert sorted(mmr(vectors, centroid, 99).tolist()) == list(range(36))


def test_representatives_cover_more_than_the_nearest() -> None:
    vectors, truth = _blobs(3, 12, noise=0.2)
    centroid = vectors[truth == 0].mean(axis=0)
    assert len(set(truth[mmr(vectors, centroid, 6, weight=0.3)].tolist())) == 3


def test_domain_words_tell_clusters_apart() -> None:
    texts = [
        frozenset(t.split()) for t in ["bread oven salt", "bread salt flour", "violin bow salt", "violin tune salt"]
    ]
    words = domain_words(texts, np.array([0, 0, 1, 1]), most=2)
    assert [w[0] for w in words] == ["bread", "violin"]
    assert all("salt" not in w for w in words)


def test_words_common_everywhere_tell_no_domain() -> None:
    texts = [frozenset(["bread", "list", "n" * n]) for n in range(2, 12)]
    texts += [frozenset(["violin", "violins", "list", "m" * n]) for n in range(2, 12)]
    words = domain_words(texts, np.repeat([0, 1], 10), most=1)
    assert words == [["bread"], ["violin"]]
    every = domain_words(texts, np.repeat([0, 1], 10), most=99)
    assert "violins" not in every[1]
    assert all(found.index("list") > 5 for found in every)


def test_pairs_are_nearest_free_neighbours_inside_their_group() -> None:
    angles = np.deg2rad([0, 30, 5, 33, 80, 0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    groups = ["a", "a", "a", "a", "b", "a"]
    pairs = list(pair_nearest(vectors, groups, range(6), ceiling=0.9999))
    assert [(a, b) for a, b, _ in pairs] == [(0, 2), (1, 3)]
    rows = [row for a, b, _ in pairs for row in (a, b)]
    assert len(rows) == len(set(rows))
    assert all(cosine == pytest.approx(float(vectors[a] @ vectors[b])) for a, b, cosine in pairs)
    assert (0, 5) in [(a, b) for a, b, _ in pair_nearest(vectors, groups, range(6), ceiling=2)]
