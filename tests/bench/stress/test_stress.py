"""The stress bench: its pairs say what they claim, its figures add up, and finished seeds are not run again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from regold.bench import stress
from regold.bench.stress import neighbours, run_stress, summarised
from regold.bench.stress.forms import AGREE, CHECK
from regold.bench.stress.judges import _lesson, _lessons, unseen
from regold.bench.stress.lab import Outcome, measured
from regold.bench.stress.neighbours import withheld
from regold.bench.stress.pairs import pairs
from regold.bench.stress.task import Task
from regold.bench.stress_report import markdown, write_stress
from regold.cli import app
from regold.lab.world import World
from regold.prompts import Prompts
from regold.record import Fate


def test_pairs_of_forms_differ_in_words_and_only_half_of_them_in_what_they_say() -> None:
    made = pairs(30, 1)
    assert made == pairs(30, 1) != pairs(30, 2)
    assert len(made) == 180
    assert sum(p.same for p in made) == 90
    for pair in made:
        if pair.kind == "list in any order":
            one, other = (
                set(t.removeprefix("They are ").strip(".").replace(" and ", ", ").split(", "))
                for t in (pair.first, pair.second)
            )
            assert (one == other) == pair.same
        elif pair.kind == "number":
            one, other = ("".join(c for c in t.removesuffix(".0") if c.isdigit()) for t in (pair.first, pair.second))
            assert (one == other) == pair.same
            assert pair.first != pair.second
    assert sum(p.first == p.second for p in made) <= 5


def test_neither_answers_place_nor_its_truth_tells_whether_two_say_the_same() -> None:
    truth, tally = World().values, Counter[tuple[bool, bool]]()
    for pair in (p for p in pairs(300, 2) if p.kind == "sentence"):
        told = {value for (country, _), value in truth.items() if country in pair.first}
        tally[pair.same, any(f"{value} " in f"{pair.first.rstrip('.')} " for value in told)] += 1
    assert all(count > 100 for count in tally.values())
    assert len(tally) == 4


@pytest.mark.parametrize(("name", "texts"), [("agree", AGREE), ("check", CHECK)])
def test_five_wordings_ask_for_all_there_is(name: str, texts: tuple[str, ...]) -> None:
    assert len(set(texts)) == 5
    for text in texts:
        Prompts("one", {name: text}).check(name)


def test_a_judge_is_taught_sentences_of_its_own_half_of_them_alike() -> None:
    taught, asked = _lessons(25), pairs(60, 0)
    assert len(taught) == 600
    assert sum(p.same for p in taught) == 300
    assert {p.kind for p in taught} == {"sentence"}
    left = unseen([*taught[:5], *asked], 25)
    assert 300 < len(left) <= len(asked)
    assert not {(p.first, p.second) for p in taught} & {(p.first, p.second) for p in left}
    lesson = _lesson(0, taught[0], AGREE[3])
    assert lesson["instruction"].startswith(f"1: {taught[0].first}\n2: {taught[0].second}\n")
    assert "{{" not in lesson["instruction"]
    assert lesson["output"] == ("SAME" if taught[0].same else "DIFFERENT")


def test_every_setting_of_the_shift_has_the_same_noisy_records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, list[str]] = {}

    def kept(data: Path, into: Path, seed: int) -> list[Outcome]:
        seen[data.stem] = [json.loads(line)["id"] for line in data.read_text().splitlines()]
        return []

    monkeypatch.setattr(neighbours, "repair", kept)
    neighbours.domain_shift(Task(tmp_path, 0, 20))
    assert [len(set(ids)) for ids in seen.values()] == [20, 20, 20]
    bad = {tuple(id_ for id_ in ids if id_.startswith("bad-")) for ids in seen.values()}
    assert len(bad) == 1
    assert len(bad.pop()) == 10


def outcome(n: int, noise: str | None, suspect: bool, fate: Fate, right: bool, context: bool | None = None) -> Outcome:
    return Outcome(str(n), noise, suspect, None, context, None, fate, right)


def test_the_figures_of_a_run() -> None:
    done = [
        outcome(0, None, False, Fate.KEPT, True),
        outcome(1, None, True, Fate.DROPPED, True),
        outcome(2, "symmetric", True, Fate.REPAIRED, True, True),
        outcome(3, "symmetric", True, Fate.REPAIRED, False, False),
        outcome(4, "symmetric", False, Fate.KEPT, False),
    ]
    found = measured(done)
    assert found["precision"] == found["recall"] == found["f1"] == pytest.approx(2 / 3)
    assert (found["before"], found["kept"]) == (0.4, 0.8)
    assert (found["kept_right"], found["repaired_right"], found["context_right"]) == (0.5, 0.5, 0.5)
    misasked = measured([*done[:2], outcome(2, "instruction", True, Fate.REPAIRED, False)])
    assert misasked["repaired_right"] is None


def test_a_summary_is_the_mean_over_seeds_that_have_the_figure() -> None:
    rows = [
        {"scenario": "s", "setting": "a", "seed": 0, "n": 10, "f1": 0.5, "right": None},
        {"scenario": "s", "setting": "a", "seed": 1, "n": 12, "f1": 0.7, "right": 0.25},
        {"scenario": "s", "setting": "b", "seed": 0, "n": 10, "right": None},
    ]
    one, other = summarised(rows)
    assert one["n"] == 22
    assert one["f1"] == {"mean": 0.6, "deviation": pytest.approx(0.1414)}
    assert one["right"] == {"mean": 0.25, "deviation": None}
    assert set(other) == {"scenario", "setting", "seeds", "n"}


def test_finished_seeds_are_kept_and_the_page_holds_every_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []

    def scenario(task: Task) -> list[dict[str, Any]]:
        """Measure nothing."""
        ran.append(task.seed)
        return [{"setting": "only one", "n": task.items, "f1": 0.5 + task.seed / 10}]

    monkeypatch.setattr(stress, "SCENARIOS", {"nothing": scenario})
    monkeypatch.setattr("regold.bench.stress_report.SCENARIOS", {"nothing": scenario})
    found = run_stress(tmp_path, seeds=2, items=20, watch=lambda text: None)
    again = run_stress(tmp_path, seeds=3, items=20, watch=lambda text: None)
    assert ran == [0, 1, 2]
    assert again["results"][:2] == found["results"]
    page, figures, *plots = write_stress(found, tmp_path / "page")
    assert plots == []
    assert page.read_text() == markdown(found)
    assert "| only one | 40 | .550 ±.071 |" in page.read_text()
    assert json.loads(figures.read_text())["summary"] == found["summary"]


def test_scenarios_with_plots_are_drawn(tmp_path: Path) -> None:
    row = {"scenario": "withheld", "seed": 0, "setting": "clean neighbours withheld", "n": 9, "context_right": 0.5}
    head = {"model": "0" * 8, "seeds": 1, "items": 20, "results": [row]}
    written = write_stress({**head, "summary": summarised([row])}, tmp_path)
    assert [path.name for path in written] == ["README.md", "results.json", "withheld.svg", "withheld.png"]
    assert all(path.stat().st_size for path in written)
    assert "![withheld](withheld.svg)" in (tmp_path / "README.md").read_text()


def test_an_unknown_scenario_is_refused(tmp_path: Path) -> None:
    words = ["bench", "stress", "--json", str(tmp_path / "x.json"), "--into", str(tmp_path), "--only", "storm"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "no scenario 'storm'; there are noise-kinds" in done.output


@pytest.mark.slow
def test_withholding_clean_neighbours_leaves_suspects_without_them(tmp_path: Path) -> None:
    found = {row["setting"]: row for row in withheld(Task(tmp_path, 0, 60))}
    present, less = found["clean neighbours present"], found["clean neighbours withheld"]
    assert present["n"] > 5
    assert abs(present["n"] - less["n"]) <= 3
    assert all(0 <= row["context_right"] <= 1 for row in found.values())
