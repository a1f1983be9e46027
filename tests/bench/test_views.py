"""The views bench counts what a plain loop counts, finds what is known of real data, and takes odd files."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from regold.bench.recorded import Case, injected, load, natural
from regold.bench.views import figures, proposals, run_views, tally
from regold.cli import app
from regold.methods.agreement import is_clean

MODELS = ("maker_one", "maker_two", "other_three")
TYPES = ("ok", "ok", "ok", "ok", "ok", "ok", "ok", "wrong_groundtruth", "no_correct_answer", "bad_question_clarity")


def row(n: int, rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    options = [f"{word} {n}" for word in ("north", "east", "south", "west")][: 4 - n % 2]
    letters = "ABCD"[: len(options)]
    right = letters[n % len(options)]
    said = {m: right if rng.random() < 0.7 else str(rng.choice(list(letters))) for m in MODELS}
    said["maker_one"] = [said["maker_one"], f"The answer is ({said['maker_one']}).", "no idea", None][n % 4]
    made = {"question": f"Where is {n}?", "options": options, "groundtruth": right, "predictions": said}
    return {**made, "error_type": TYPES[n % len(TYPES)], **changes}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path / "recorded.jsonl"
    path.write_text("".join(json.dumps(row(n, rng)) + "\n" for n in range(120)))
    return path


@pytest.mark.parametrize("size", [2, 3])
def test_the_counts_and_figures_are_those_of_a_plain_loop(data: Path, size: int) -> None:
    case = injected(load(data), 0.3, 1)
    assert len(case.given) == 84
    assert case.wrong.sum() == 25
    combos = np.array(list(combinations(range(3), size)))
    counts = tally(case, combos)
    for rule in ("all", "majority"):
        found = figures(counts, rule)
        for place, combo in enumerate(combos):
            flagged, after, settled = 0, 0, []
            hits = 0
            for n, given in enumerate(case.given):
                views = [int(case.recorded.answers[m, n]) for m in combo]
                suspect = not is_clean([v == given for v in views], rule)
                agreed = next((v for v in views if v >= 0 and views.count(v) >= 2), None)
                final = given if not suspect or agreed is None else agreed
                flagged, hits = flagged + suspect, hits + (suspect and case.wrong[n])
                after += final == case.truth[n]
                if not suspect or agreed is not None:
                    settled.append(final == case.truth[n])
            assert found["precision"][place] == pytest.approx(hits / flagged)
            assert found["recall"][place] == pytest.approx(hits / 25)
            assert found["after"][place] == pytest.approx(after / 84)
            assert found["after_settled"][place] == pytest.approx(np.mean(settled))
            assert found["settled"][place] == pytest.approx(len(settled) / 84)


def test_two_views_without_an_answer_propose_nothing() -> None:
    answers = np.array([[[-1, -1, 2, 0]], [[-1, 1, 2, 1]], [[3, 1, 0, 2]]])
    assert proposals(answers).tolist() == [[-1, 1, 2, -1]]
    assert proposals(answers[:2]).tolist() == [[-1, -1, 2, -1]]


def test_natural_errors_leave_out_what_is_only_unclear(data: Path) -> None:
    case = natural(load(data))
    assert (len(case.given), int(case.wrong.sum())) == (108, 24)
    assert set(case.truth[case.wrong]) == {-1}


def test_a_corrected_answer_lets_natural_repairs_be_measured(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [row(n, rng, error_type=("ok", "wrong_groundtruth")[n % 2], correct_answer="B") for n in range(40)]
    path = tmp_path / "corrected.json"
    path.write_text(json.dumps(rows))
    found = run_views(path, rates=(), seeds=1, draws=20)
    assert all(r["figures"]["after"] is not None for r in found["results"])


@pytest.mark.parametrize("rule", ["all", "majority"])
def test_unknown_right_answers_leave_bounds_of_what_repair_comes_to(data: Path, rule: str) -> None:
    case = injected(load(data), 0.5, 3)
    combos = np.array(list(combinations(range(3), 3)) * 2)
    known = figures(tally(case, combos), rule)["after"]
    hidden = Case(case.recorded, case.given, np.where(case.wrong, -1, case.truth), case.wrong)
    bounds = figures(tally(hidden, combos), rule, repairs=False)
    assert "after" not in bounds
    assert (bounds["after_least"] <= known).all()
    assert (known <= bounds["after_most"]).all()
    assert (bounds["after_least"] < bounds["after_most"]).all()


def test_the_bench_is_repeatable_and_brackets_its_estimates(data: Path) -> None:
    one, two = (run_views(data, (30,), seeds=2, draws=200) for _ in range(2))
    assert {**one, "seconds": 0} == {**two, "seconds": 0}
    assert len(one["results"]) == (3 + 1) * 2 * 2
    for result in one["results"]:
        low, high = result["interval"]["f1"]
        assert low <= result["figures"]["f1"] <= high
    assert one["summary"][0]["f1"]["min"] <= one["summary"][0]["f1"]["max"]


def test_a_posterior_can_be_measured_beside_the_rules(data: Path) -> None:
    def votes(answers: np.ndarray, given: np.ndarray, options: int) -> np.ndarray:
        counts = np.stack([(answers == k).sum(axis=0) + (given == k) for k in range(options)], axis=1) + 0.1
        return counts / counts.sum(axis=1, keepdims=True)

    found = run_views(data, (30,), seeds=1, draws=20, scorers={"votes": votes})
    mine = [r for r in found["results"] if r["rule"] == "votes" and r["noise"] == 30]
    assert len(mine) == 3 + 1
    assert all(0 <= r["figures"]["brier"] <= 1 and r["figures"]["auroc"] > 0.5 for r in mine)


def test_the_command_writes_json_page_and_plots(data: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "views.json", tmp_path / "page"
    words = ["bench", "views", "--data", data, "--json", out, "--seeds", 1, "--rates", "30", "--no-triples"]
    done = CliRunner().invoke(app, [*map(str, words), "--out", str(folder)])
    assert done.exit_code == 0, done.output
    assert len(json.loads(out.read_text())["results"]) == 3 * 2 * 2
    assert {p.name for p in folder.iterdir()} == {
        "README.md",
        "summary.json",
        "figures.json",
        *(f"{n}.{kind}" for n in ("f1", "reliability", "auroc") for kind in ("svg", "png")),
    }
    kept = json.loads((folder / "figures.json").read_text())
    first = dict(zip(kept["columns"], kept["rows"][0], strict=True))
    assert len(kept["rows"]) == 3 * 2 * 2
    assert first["f1"] == json.loads(out.read_text())["results"][0]["figures"]["f1"]
    assert "| one | three |" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"predictions": None}, "recorded.jsonl:1: has no `predictions`"),
        ({"groundtruth": "Z"}, "recorded.jsonl:1: groundtruth 'Z' is none of the options"),
        ({"predictions": {"one": "A"}}, "holds the answers of 1 models"),
        ({"error_type": "expert"}, "has no row whose error_type is ok"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "recorded.jsonl"
    path.write_text(json.dumps(row(0, np.random.default_rng(0), **change)) + "\n")
    done = CliRunner().invoke(app, ["bench", "views", "--data", str(path), "--json", str(tmp_path / "x.json")])
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.shared_data
def test_the_published_rule_finds_what_it_should_on_every_pair(shared_data: Path) -> None:
    found = run_views(shared_data / "mmlu-redux" / "mmlu_redux.jsonl.gz", (30,), seeds=1, triples=False, draws=10)
    pairs = [r for r in found["results"] if r["noise"] == 30 and r["rule"] == "all"]
    assert len(pairs) == 91
    for pair in pairs:
        assert (pair["records"], pair["wrong"]) == (2780, 834)
        assert 0.59 <= pair["figures"]["precision"] <= 0.69
        assert 0.935 <= pair["figures"]["recall"] < 0.995
