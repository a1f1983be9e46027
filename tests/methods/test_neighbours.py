from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from regold.methods.neighbours import MISSING, nearest


def _vectors(n: int, width: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


@pytest.mark.parametrize(("n", "k"), [(50, 3), (700, 10), (5, 10)])
def test_rows_and_cosines_equal_scikit_learn(n: int, k: int) -> None:
    queries, base = _vectors(40, seed=1), _vectors(n)
    rows, cosines = nearest(queries, base, k)
    distances, expected = (
        NearestNeighbors(n_neighbors=min(n, k), metric="cosine", algorithm="brute").fit(base).kneighbors(queries)
    )
    assert rows[:, : min(n, k)].tolist() == expected.tolist()
    np.testing.assert_allclose(cosines[:, : min(n, k)], 1 - distances, atol=1e-5)
    assert (rows[:, n:] == MISSING).all()
    assert (cosines[:, n:] == 0).all()


def test_a_set_searched_in_itself_leaves_out_self_and_duplicates() -> None:
    base = np.concatenate([_vectors(30), _vectors(30), 2 * _vectors(30)])
    rows, _ = nearest(base, base, 5)
    assert all(row % 30 != i % 30 for i, found in enumerate(rows) for row in found)


def test_the_own_group_is_left_out() -> None:
    base = _vectors(20)
    groups = [f"text {i % 4}" for i in range(20)]
    rows, _ = nearest(base, base, 20, groups=(groups, groups))
    for i, found in enumerate(rows):
        assert {groups[row] for row in found if row != MISSING} == {g for g in groups if g != groups[i]}
        assert (found != MISSING).sum() == 15


def test_many_duplicates_do_not_crowd_out_neighbours() -> None:
    base = np.concatenate([np.repeat(_vectors(1), 200, axis=0), _vectors(4, seed=3)])
    rows, _ = nearest(base[:1], base, 3)
    assert sorted(rows[0].tolist()) == sorted(set(rows[0].tolist()))
    assert min(rows[0]) >= 200


def test_ties_go_to_the_earlier_row_whatever_is_asked_beside_it() -> None:
    base = np.repeat(_vectors(4, seed=5), 50, axis=0)[np.random.default_rng(0).permutation(200)]
    queries = _vectors(9)
    rows, _ = nearest(queries, base, 6)
    for i, query in enumerate(queries):
        cosines = np.einsum("nd,d->n", base, query, dtype=np.float64) / np.linalg.norm(base.astype(np.float64), axis=1)
        assert rows[i].tolist() == np.argsort(-np.round(cosines, 5), kind="stable")[:6].tolist()
        assert nearest(queries[i : i + 1], base, 6)[0].tolist() == [rows[i].tolist()]


def test_a_zero_vector_has_no_neighbours_and_is_none() -> None:
    base = _vectors(6)
    base[2] = 0
    rows, cosines = nearest(base, base, 6)
    assert rows[2].tolist() == [MISSING] * 6
    assert cosines[2].tolist() == [0.0] * 6
    assert 2 not in rows


@pytest.mark.parametrize(("n", "m", "k"), [(0, 5, 3), (5, 0, 3), (5, 5, 0)])
def test_nothing_to_search_is_no_error(n: int, m: int, k: int) -> None:
    rows, cosines = nearest(np.zeros((n, 4)), _vectors(m, 4) if m else np.zeros((0, 0)), k)
    assert rows.shape == cosines.shape == (n, k)
    assert (rows == MISSING).all()


def test_the_inverted_index_finds_nearly_all() -> None:
    centres = _vectors(40, 32, seed=7)
    base = np.repeat(centres, 100, axis=0) + 0.3 * _vectors(4000, 32, seed=8)
    queries = base[::97] + 0.05 * _vectors(len(base[::97]), 32, seed=9)
    exact, _ = nearest(queries, base, 5)
    rough, _ = nearest(queries, base, 5, exact_up_to=100)
    hits = [len(set(a) & set(b)) / 5 for a, b in zip(exact.tolist(), rough.tolist(), strict=True)]
    assert np.mean(hits) > 0.9
