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
        assert (found != MISSING).sum() == 3


def test_many_duplicates_do_not_crowd_out_neighbours() -> None:
    base = np.concatenate([np.repeat(_vectors(1), 200, axis=0), _vectors(4, seed=3)])
    rows, _ = nearest(base[:1], base, 3)
    assert sorted(rows[0].tolist()) == sorted(set(rows[0].tolist()))
    assert min(rows[0]) >= 200
    assert (nearest(base[200:], base, 5)[0] == 0).any(axis=1).all()


def test_ties_go_to_the_earlier_row_whatever_is_asked_beside_it() -> None:
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    base = np.repeat(signs, 2, axis=1)[np.random.default_rng(0).permutation(64)].astype(np.float32)
    queries = np.concatenate([np.ones((1, 12)), 0.5 + _vectors(5, 12) * 0, _vectors(3, 12)]).astype(np.float32)
    rows, _ = nearest(queries, base, 7)
    for i, query in enumerate(queries):
        cosines = np.round(base @ query / np.linalg.norm(query) / 12**0.5, 5)
        cosines[cosines >= 1] = -2
        assert rows[i].tolist() == np.argsort(-cosines, kind="stable")[:7].tolist()
        assert nearest(queries[i : i + 1], base, 7)[0].tolist() == [rows[i].tolist()]


def test_of_duplicates_the_first_counts() -> None:
    base = np.concatenate([_vectors(5), _vectors(5), _vectors(5, seed=2)])
    rows, _ = nearest(_vectors(4, seed=3), base, 20)
    assert all(sorted(found[found != MISSING].tolist()) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14] for found in rows)
    groups = ["a", "b", "c", "d", "e"] * 3
    rows, _ = nearest(_vectors(4, seed=3), base, 20, groups=(["x"] * 4, groups))
    assert all(sorted(found[found != MISSING].tolist()) == [0, 1, 2, 3, 4] for found in rows)


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


def test_looking_into_the_nearest_cells_finds_nearly_all() -> None:
    centres = _vectors(40, 32, seed=7)
    base = np.repeat(centres, 100, axis=0) + 0.3 * _vectors(4000, 32, seed=8)
    queries = base[::97] + 0.05 * _vectors(len(base[::97]), 32, seed=9)
    exact, _ = nearest(queries, base, 5)
    rough, _ = nearest(queries, base, 5, exact_up_to=100)
    hits = [len(set(a) & set(b)) / 5 for a, b in zip(exact.tolist(), rough.tolist(), strict=True)]
    assert np.mean(hits) > 0.9
