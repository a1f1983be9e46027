from __future__ import annotations

import numpy as np

from regold.methods.alike import BLOCK, alike, closest


def unit(n: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_close_rows_point_to_the_first_that_is_no_copy_itself() -> None:
    rows = unit(2 * BLOCK + 40, 0)
    rows[BLOCK + 3] = rows[5]
    rows[2 * BLOCK + 1] = rows[5]
    rows[7] = rows[6]
    rows[9:11] = 0
    found = alike(rows, 0.999)
    assert {a: b for a, (b, _) in found.items()} == {7: 6, BLOCK + 3: 5, 2 * BLOCK + 1: 5}
    assert all(abs(cosine - 1) < 1e-5 for _, cosine in found.values())


def test_blocks_find_what_a_plain_loop_finds() -> None:
    rows = np.repeat(unit(200, 1), 3, axis=0) + 0.03 * np.random.default_rng(2).standard_normal((600, 16))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    kept: list[int] = []
    truth = {}
    for row in range(600):
        first = next((other for other in kept if rows[row] @ rows[other] >= 0.97), None)
        if first is None:
            kept.append(row)
        else:
            truth[row] = first
    assert {a: b for a, (b, _) in alike(rows, 0.97).items()} == truth
    assert 300 < len(truth) <= 400


def test_closest_takes_the_nearest_and_nothing_below_the_threshold() -> None:
    base, rows = unit(30, 3), unit(40, 4)
    rows[2] = base[9]
    assert {a: b for a, (b, _) in closest(rows, base, 0.99).items()} == {2: 9}
    assert closest(rows, base[:0], 0.5) == {}
    assert alike(rows[:0], 0.9) == {}
