"""The bench of ratings on made records, and what is known of the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from regold.bench import embedded
from regold.bench import ratings as bench
from regold.bench.embedded import embed
from regold.bench.rating_pool import bench_pool, read_pool
from regold.bench.ratings import bench_ratings, load_rated
from regold.cli import app
from regold.engines import EngineSpec
from regold.errors import InputError
from regold.methods.ratings import diagnosis

KINDS = ("bad", "poor", "fair", "fine", "good", "best")


@pytest.fixture(autouse=True)
def few_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench is tested, not the estimate: it may be rough."""
    estimate, misfit = diagnosis.estimate, diagnosis.misfit
    monkeypatch.setattr(diagnosis, "estimate", lambda t, n, seed: estimate(t, 2, 150, seed))
    monkeypatch.setattr(diagnosis, "misfit", lambda f, t, seed: misfit(f, t, 8, 80, seed))


def files(folder: Path, n: int = 420) -> tuple[Path, Path]:
    rng, rows, rates = Random(4), [], []
    for i in range(n):
        kind = rng.randrange(6)
        words = " ".join(f"{KINDS[kind]}{rng.randrange(8)}" for _ in range(5))
        rows.append({"id": i, "instruction": f"About {words}?", "input": "", "output": "word " * rng.randrange(2, 30)})
        seen = [kind if rng.random() < 0.5 else rng.randrange(6) for _ in range(3)]
        rates.append({"id": i, "one": seen[0], "two": seen[1], "three": None if i == 3 else seen[2], "flag": i % 2})
    data, ratings = folder / "data.jsonl", folder / "ratings.jsonl"
    data.write_text("".join(json.dumps(r) + "\n" for r in rows))
    ratings.write_text("".join(json.dumps(r) + "\n" for r in rates[::-1]))
    return data, ratings


def test_raters_are_found_joined_and_one_s_correction_never_sees_another(tmp_path: Path) -> None:
    data, ratings = files(tmp_path)
    rated = load_rated(ratings, data)
    assert list(rated.scores) == ["one", "two", "three"]
    assert np.isnan(rated.scores["three"]).sum() == 1
    found = bench_ratings(rated, EngineSpec("lexical"), together=False)
    shuffled = {**rated.scores, "two": np.random.default_rng(0).permutation(rated.scores["two"])}
    other = bench_ratings(bench.Rated(rated.queries, rated.responses, shuffled), EngineSpec("lexical"), together=False)
    assert other["choices"]["one"] == found["choices"]["one"]
    by = {(r["rater"], r["against"], r["method"]): r for r in found["results"]}
    again = {(r["rater"], r["against"], r["method"]): r for r in other["results"]}
    for way in ("none", "rule", "smoothing", "regression", "length only"):
        assert again["one", "three", way] == by["one", "three", way]
    assert found["verdict"]["pairs_below_raw"] == 0
    assert sum(r["chosen"] for r in found["results"]) == found["verdict"]["pairs"] == 6
    assert by["one", "two", "regression"]["spearman"] > by["one", "two", "none"]["spearman"] + 0.05


def test_the_command_writes_figures_and_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, ratings = files(tmp_path, 200)
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(f"[{i % 6}, {i * 7 % 5}]\n" for i in range(400)))
    out = tmp_path / "page"
    words = ["bench", "ratings", "--ratings", str(ratings), "--data", str(data), "--json", str(tmp_path / "o.json")]
    done = CliRunner().invoke(app, [*words, "--pool", str(pool), "--no-recovery", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "below raw in" in done.output
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["pool"]["records"] == 400
    page = (out / "results.md").read_text()
    assert "## What was chosen and why" in page
    assert "## A whole pool" in page
    assert CliRunner().invoke(app, [*words, "--rater", "one"]).exit_code == 2
    assert CliRunner().invoke(app, [*words, "--rater", "one", "--rater", "flop"]).exit_code == 2


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    data, ratings = files(tmp_path, 60)
    ratings.write_text("".join(json.dumps({"id": f"x{i}", "one": i % 6, "two": i % 5}) + "\n" for i in range(60)))
    with pytest.raises(InputError, match="0 rated ids"):
        load_rated(ratings, data)
    pool = tmp_path / "pool.jsonl"
    pool.write_text("[1, 2]\n[1]\n")
    with pytest.raises(InputError, match="list of classes") as told:
        read_pool(pool)
    assert "2" in str(told.value)


def test_a_pool_s_neighbours_are_found(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(f"[{i % 6}]\n" for i in range(700)))
    found: dict[str, Any] = bench_pool(pool)
    assert (found["records"], found["recall_at_10"]) == (700, 1.0)
    assert found["raters"][0]["counts"] == [117, 117, 117, 117, 116, 116]


def test_the_known_counts_of_the_real_pool(shared_data: Path) -> None:
    scores = read_pool(shared_data / "ratings" / "ds2_all_300932.jsonl.gz")
    assert scores.shape == (300_932, 3)
    counts = [np.bincount(column.astype(int), minlength=6).tolist() for column in scores.T]
    assert [18626, 44401, 86132, 87975, 59969, 3829] in counts


def test_vectors_are_kept_for_the_same_texts_and_encoder_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, lexical = tmp_path / "kept" / "vectors.npz", EngineSpec("lexical")
    texts = [f"text {i} of many words {i % 7}" for i in range(40)]
    made = embed(texts, lexical, kept)
    assert embed(texts[:20], lexical).shape == (20, made.shape[1])
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "open_encoder", lambda spec: pytest.fail("embedded again"))
        np.testing.assert_array_equal(embed(texts, lexical, kept), made)
    assert len(embed(texts[:30], lexical, kept)) == 30
    kept.write_text("something else")
    with pytest.raises(InputError, match="no file of vectors"):
        embed(texts, lexical, kept)
