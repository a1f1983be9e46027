"""What trials come to: means, recovered shares and pages, from results made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from regold.bench.lab_pages import page, write_pages
from regold.bench.lab_plan import times
from regold.bench.lab_summary import summarise
from regold.lab.grid import Part, load_grid

RATES = {"vanilla": 0.7, "SFT": 0.5, "oracle-clean": 0.9, "RobustFT": 0.8, "SelfSelect": 0.5}
PARTS = [
    Part("methods", ("atlas-open-x",), (30, 50), tuple(RATES)),
    Part("wordings", ("atlas-open-x",), (50,), ("RobustFT",), frames=True),
]


def _result(method: str, seed: int, noise: int, n: int = 400) -> dict[str, Any]:
    rng = np.random.default_rng([seed, noise, len(method)])
    bits = "".join("1" if value < RATES[method] else "0" for value in rng.permutation(np.arange(n) / n))
    told: dict[str, Any] = {"method": method, "kind": "symmetric", "noise": noise, "right": bits, "sampled": bits}
    told |= {"world": "home", "set": "atlas-open-x", "seed": seed, "question_kinds": ["forward", "backward"] * (n // 2)}
    told |= {"calls": 3, "prompt_tokens": 10, "completion_tokens": 2}
    told |= {"seconds": {"prepare": {"wall": 1.0, "core": 0.5}, "train": {"wall": 3.0, "core": 1.5}}, "peak_mib": 700}
    if method == "RobustFT":
        told["detection"] = {"precision": 0.8, "recall": 1.0, "f1": 0.9, "auroc": 0.9, "flagged": 5, "wrong": 4}
        told["relabel"] = {"repaired": 9, "kept": 4, "right_before": 0.5, "right_after": 0.75, "nll_auroc": 0.6}
        told["confidence"] = [[0.05, 1, 1], [2.0, 0, 0], [9.0, 0, 1]]
        told |= {"before": [[0.5, 1], [4.0, 0]], "after": [[0.5, 1], [1.0, 1]]}
        told["frames"] = [bits] * 5 if noise == 50 else False
    return told


def _results() -> list[dict[str, Any]]:
    fixed = ("vanilla", "oracle-clean")
    results = [_result(m, seed, 0) for m in fixed for seed in range(3)]
    return results + [_result(m, s, rate) for m in RATES if m not in fixed for s in range(3) for rate in (30, 50)]


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    results = _results()
    told = {"items": 1, "test": 400, "seeds": 3, "train": {"epochs": 1}, "trials": len(results), "of": len(results)}
    return {"asked": told, **summarise(results, load_grid(), PARTS)}


def test_each_method_stands_at_each_rate_with_what_it_recovers(summary: dict[str, Any]) -> None:
    rows = {(r["method"], r["noise"]): r for r in summary["rows"]}
    assert len(rows) == 10
    robust = rows["RobustFT", 50]
    assert robust["greedy"]["mean"] == pytest.approx(0.8)
    assert robust["greedy"]["low"] < 0.8 < robust["greedy"]["high"]
    assert robust["greedy_recovered"]["mean"] == pytest.approx(0.75)
    assert robust["greedy_recovered"]["low"] < 0.75 < robust["greedy_recovered"]["high"]
    assert rows["vanilla", 30]["greedy_recovered"]["mean"] == pytest.approx(0.5)
    assert "greedy_recovered" not in rows["SFT", 30]


def test_confidence_is_counted_before_and_after_selection(summary: dict[str, Any]) -> None:
    (row, *_) = summary["confidence"]
    assert sum(row["counts"]["wrong, before"]) == 6
    assert sum(row["counts"]["wrong, after"]) == 3
    assert row["reliability"][-1] == {"confidence": pytest.approx(0.9512), "right": 1.0, "n": 3}


def test_a_method_of_fewer_seeds_takes_none_from_the_others() -> None:
    some = [r for r in _results() if (r["method"], r["seed"]) not in (("RobustFT", 1), ("RobustFT", 2))]
    rows = {(r["method"], r["noise"]): r for r in summarise(some, load_grid(), PARTS)["rows"]}
    assert [rows[m, 50]["seeds"] for m in ("SFT", "SelfSelect", "RobustFT")] == [3, 3, 1]
    assert rows["RobustFT", 50]["greedy_recovered"]["mean"] == pytest.approx(0.75)


def test_a_claim_agrees_only_where_its_interval_leaves_nought_out(summary: dict[str, Any]) -> None:
    found = {(c["above"], c["below"], c["noise"]): c for c in summary["claims"]}
    assert len(found) == 8
    assert found["RobustFT", "SFT", 50]["verdict"] == "agrees"
    assert found["RobustFT", "SFT", 50]["mean"] == pytest.approx(0.3)
    assert found["RobustFT", "SFT", 50]["paper_mmlu_points"] == 20.5
    swapped = [
        {**r, "method": {"SFT": "RobustFT", "RobustFT": "SFT"}.get(r["method"], r["method"])} for r in _results()
    ]
    other = {(c["above"], c["below"], c["noise"]): c for c in summarise(swapped, load_grid(), PARTS)["claims"]}
    assert other["RobustFT", "SFT", 50]["verdict"] == "disagrees"
    assert other["RobustFT", "SelfSelect", 50]["verdict"] == "undecided"


def test_surprise_falls_where_wrong_responses_go(summary: dict[str, Any]) -> None:
    row = summary["surprise"][0]
    assert row["perplexity"] == {"before": pytest.approx(9.4877), "after": pytest.approx(2.117)}
    assert (sum(row["counts"]["wrong, before"]), sum(row["counts"]["wrong, after"])) == (3, 0)


def test_times_stand_apart_from_the_results(summary: dict[str, Any]) -> None:
    told = times(_results(), load_grid())
    assert {(r["core_s"], r["wall_s"]) for r in told["rows"]} == {(2.0, 4.0)}
    assert told["core_hours"] == pytest.approx(24 * 2.0 / 3600, abs=1e-3)
    assert "seconds" not in str(summary["rows"])


def test_the_page_shows_every_table_and_the_plots_are_written(summary: dict[str, Any], tmp_path: Path) -> None:
    write_pages(summary, times(_results(), load_grid()), tmp_path)
    text = (tmp_path / "results.md").read_text()
    assert text.startswith(page(summary).split("## Plots")[0][:200])
    assert "| RobustFT | 75 % [" in text
    assert all(
        f"({name}.svg)" in text for name in ("noise-atlas-open-x", "reliability", "confidence", "surprise", "wordings")
    )
    assert all(path.stat().st_size < 200_000 for path in tmp_path.glob("*.svg"))
