"""An estimate comes near what the run then does, scales with its records, and calls nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from regold.engines import EngineSpec
from regold.estimate import Shares, Speeds, estimate, measure
from regold.formats import Row, Source
from regold.recipe import load_recipe
from regold.record import Message, Status
from regold.run import Job, run
from regold.runner import Models
from regold.store.fates import open_run
from tests.stages.fusing import EMPTY
from tests.test_entp_faults import FUSED, RATED, rule
from tests.test_entp_faults import RECORDS as RECORDS_OF_TWO

RECORDS = 120


def test_lengths_are_four_characters_a_token() -> None:
    records, lengths = measure([(Message("user", "x" * 40), Message("assistant", "y" * 8))] * 3, 150)
    assert (records, lengths.query, lengths.response, lengths.reasoning) == (3, 10, 2, 150)


def test_money_is_tokens_times_prices() -> None:
    recipe = load_recipe("robustft")
    _, lengths = measure([(Message("user", "x" * 400), Message("assistant", "y" * 8))], 200)
    found = estimate(recipe, 1000, lengths, Shares(0.5), (1.0, 10.0))
    wanted = (found.total("prompt_tokens") + 10 * found.total("completion_tokens")) / 1e6
    assert found.money == pytest.approx(wanted)
    assert estimate(recipe, 2000, lengths, Shares(0.5)).total("calls") == pytest.approx(2 * found.total("calls"))
    assert estimate(recipe, 1000, lengths, Shares(0.0)).total("calls") < found.total("calls")


def test_hours_are_tokens_at_the_speeds_given() -> None:
    _, lengths = measure([(Message("user", "x" * 400), Message("assistant", "y" * 8))], 200)
    found = estimate(load_recipe("robustft"), 1000, lengths, Shares(), speeds=Speeds(1000, 100, 500))
    wanted = found.total("prompt_tokens") / 1000 + found.total("completion_tokens") / 100
    assert found.hours == pytest.approx(wanted / 3600)
    assert found.training is not None
    assert (found.training.epochs, found.training.tokens) == (2, 2 * 1000 * 102)
    assert found.training.hours == pytest.approx(found.training.tokens / 500 / 3600)
    assert estimate(load_recipe("robustft"), 1000, lengths, Shares(), speeds=Speeds(9, 9)).training.hours is None
    assert estimate(load_recipe("rate"), 1000, lengths, Shares()).training is None


def test_weak_records_are_fused() -> None:
    _, lengths = measure([(Message("user", "x" * 400), Message("assistant", "y" * 8))], 200)
    calls = {
        weak: {line.step: line.calls for line in estimate(load_recipe("entp"), 1000, lengths, Shares(weak=weak)).lines}
        for weak in (0.0, 0.2, 0.4)
    }
    assert calls[0.0]["fuse"] == 0
    assert calls[0.4]["fuse"] == pytest.approx(2 * calls[0.2]["fuse"])
    assert calls[0.4]["rate"] == calls[0.0]["rate"] == 1000


def test_the_expected_calls_come_near_the_real_ones(tmp_path: Path) -> None:
    data, script = tmp_path / "data.jsonl", tmp_path / "rules.json"
    rows = [{"question": f"Who sells {n}?", "options": ["x", "y"], "answer": "AB"[n % 2]} for n in range(RECORDS)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    script.write_text("{}")
    engine = EngineSpec("scripted", str(script))
    models = Models({"student": engine, "judge": engine}, EngineSpec("lexical"))
    recipe = load_recipe("robustft")
    job = Job(Source(data), recipe, models, tmp_path / "run")
    report = asyncio.run(run(job, lambda step, records: lambda done: None))
    past = open_run(tmp_path / "run")
    judged = past.store.column("status", 0, past.steps[:4])
    share = sum(status == Status.SUSPECT for status in judged) / RECORDS
    records, lengths = measure((row.messages for row in Source(data).read() if isinstance(row, Row)), 200)
    expected = estimate(recipe, records, lengths, Shares(share))
    assert expected.total("calls") == pytest.approx(report.calls, rel=0.2)


def test_the_expected_calls_of_entp_come_near_the_real_ones(tmp_path: Path) -> None:
    data, script = tmp_path / "data.jsonl", tmp_path / "rules.json"
    rows = [{"id": f"r{n}", "instruction": asked, "output": said} for n, (asked, said) in enumerate(RECORDS_OF_TWO)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    replies = [rule("You rate", RATED), rule("You merge", FUSED), rule("You (?:inspect|check)", EMPTY)]
    script.write_text(json.dumps({"rules": [*replies, {"match": "", "answer": "Bake it for an hour."}]}))
    spec = EngineSpec("scripted", str(script))
    models = Models(dict.fromkeys(("student", "judge", "rater"), spec), EngineSpec("lexical"))
    sets = ("near.threshold=1.0", "check.checks=['empty-response']", "pair.ceiling=2", "cluster.tau=-1")
    recipe = load_recipe("entp", sets)
    report = asyncio.run(run(Job(Source(data), recipe, models, tmp_path / "run"), lambda step, n: lambda done: None))
    records, lengths = measure((row.messages for row in Source(data).read() if isinstance(row, Row)), 200)
    expected = estimate(recipe, records, lengths, Shares(weak=1.0))
    assert report.calls == 7  # a rating each, two answers, a merge, a diagnosis and a check
    assert expected.total("calls") == pytest.approx(report.calls, rel=0.2)
