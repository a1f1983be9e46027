"""An estimate comes near what the run then does, scales with its records, and calls nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from regold.engines import EngineSpec
from regold.estimate import estimate, measure
from regold.formats import Row
from regold.recipe import load_recipe
from regold.record import Message, Status
from regold.run import Job, Source, run
from regold.runner import Models
from regold.store.fates import open_run

RECORDS = 120


def test_lengths_are_four_characters_a_token() -> None:
    records, lengths = measure([(Message("user", "x" * 40), Message("assistant", "y" * 8))] * 3, 150)
    assert (records, lengths.query, lengths.response, lengths.reasoning) == (3, 10, 2, 150)


def test_money_is_tokens_times_prices() -> None:
    recipe = load_recipe("robustft")
    _, lengths = measure([(Message("user", "x" * 400), Message("assistant", "y" * 8))], 200)
    found = estimate(recipe, 1000, lengths, 0.5, (1.0, 10.0))
    wanted = (found.total("prompt_tokens") + 10 * found.total("completion_tokens")) / 1e6
    assert found.money == pytest.approx(wanted)
    assert estimate(recipe, 2000, lengths, 0.5, None).total("calls") == pytest.approx(2 * found.total("calls"))
    assert estimate(recipe, 1000, lengths, 0.0, None).total("calls") < found.total("calls")


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
    expected = estimate(recipe, records, lengths, share, None)
    assert expected.total("calls") == pytest.approx(report.calls, rel=0.2)
