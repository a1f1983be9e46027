"""Paired comparison: against differences worked out by hand, scipy's bootstrap and runs asked differently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from regold.errors import InputError
from regold.evaluate.compare import compare
from regold.evaluate.results import Decoding, Item, Suite, TaskResult, estimate, read_results


def result(values: Sequence[float], task: str = "arc", first: int = 0, shots: int = 0) -> TaskResult:
    items = tuple(Item(f"q{first + i}", {"acc": (value,)}) for i, value in enumerate(values))
    return TaskResult(task, "acc", "likelihood", 1, shots, "prompt", "", Decoding(0.0, 1, items))


def saved(*tasks: TaskResult) -> dict[str, Any]:
    return Suite("m", "e", tasks).as_json()


def test_the_difference_is_over_shared_questions_only() -> None:
    (found,) = compare(saved(result([1, 1, 0, 1])), saved(result([0, 1, 0, 0], first=1)))
    assert (found.n, found.apart) == (3, 2)
    assert (found.a, found.b) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (found.only_a, found.only_b, found.p) == (2, 1, 1.0)
    assert found.asked_differently == ()


def test_the_interval_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.random(200) < 0.7).astype(float), (rng.random(200) < 0.6).astype(float)
    (found,) = compare(saved(result(a.tolist())), saved(result(b.tolist())))
    peer = stats.bootstrap((a - b,), np.mean, method="percentile", n_resamples=9999, rng=rng).confidence_interval
    assert found.difference.estimate == pytest.approx((a - b).mean())
    assert (found.difference.low, found.difference.high) == pytest.approx((peer.low, peer.high), abs=0.012)


def test_runs_that_were_asked_differently_are_told() -> None:
    (found,) = compare(saved(result([1, 0], shots=5)), saved(result([1, 0.5])))
    assert found.asked_differently == ("shots",)
    assert (found.p, found.only_a) == (None, None)


def test_sampled_is_compared_with_sampled() -> None:
    plain = result([1, 0])
    hot = TaskResult(*(getattr(plain, n) for n in list(plain.__dataclass_fields__)[:8]), sampled=plain.greedy)
    assert [c.task for c in compare(saved(hot), saved(hot))] == ["arc", "arc sampled"]
    assert [c.task for c in compare(saved(hot), saved(plain))] == ["arc"]


def test_what_shares_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="share no task"):
        compare(saved(result([1])), saved(result([1], task="mmlu")))
    with pytest.raises(InputError, match="share no question"):
        compare(saved(result([1])), saved(result([1], first=9)))
    (tmp_path / "results.json").write_text('{"tasks": 3}')
    with pytest.raises(InputError, match="not the results"):
        read_results(tmp_path)


def test_estimates_are_the_textbook_ones() -> None:
    values = [1.0, 0.0, 1.0, 1.0]
    found = estimate((v,) for v in values)
    assert found is not None
    assert (found.mean, found.n) == (0.75, 4)
    assert found.standard_error == pytest.approx(stats.sem(values))
    # Several values of one question are one draw: doubling each changes nothing.
    doubled = estimate((v, v) for v in values)
    assert doubled is not None
    assert doubled.standard_error == pytest.approx(found.standard_error)
    assert estimate([(float("nan"),)]) is None
    alone = estimate([(1.0,), (float("nan"),)])
    assert alone is not None
    assert (alone.n, alone.standard_error != alone.standard_error) == (1, True)
