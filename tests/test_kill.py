"""kill -9 anywhere, run the same command: the same bytes, and no answer that was journaled is asked again.

With `-s` it prints a table of the kills and what they cost.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from regold.outcome import tally
from regold.store import Store
from tests.forks import forking
from tests.server import Running, running

KILLS = 30
RECORDS = 240
COMMAND = [sys.executable, "-c", "from regold.cli import main; main()"]


def write_data(path: Path) -> None:
    chance = random.Random(0)
    with path.open("w") as stream:
        for n in range(RECORDS):
            options = chance.sample(["amber", "salt", "wool", "cider", "lace", "tea"], 4)
            row = {"id": f"r{n}", "question": f"What does town {n} sell?", "options": options, "answer": "ABCD"[n % 4]}
            stream.write(json.dumps(row) + "\n")


def repair(data: Path, into: Path, server: Running, *more: str) -> list[str]:
    fixed = ["--model", "tiny", "--base-url", server.url, "--engine-revision", "r1", "--concurrency", "16"]
    return ["repair", str(data), "--into", str(into), "--part-size", "40", "--json", *fixed, *more]


def finish(words: list[str], folder: Path) -> dict[str, object]:
    done = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, check=False, cwd=folder, env=environment(), timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def environment() -> dict[str, str]:
    return {**os.environ, "OPENAI_API_KEY": "sk-test"}


def tell(*row: object) -> None:
    """Print a row of the table that `pytest -s tests/test_kill.py` shows."""
    print(" | ".join(str(cell) for cell in row))


def state(run: Path) -> dict[str, bytes]:
    """Return every file that decides the result; journals, lock and manifest name attempts, processes and addresses."""
    files = (
        p for p in run.rglob("*") if p.is_file() and "calls" not in p.parts and p.name not in ("lock", "manifest.json")
    )
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in sorted(files)}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counter[str]]:
    folder = tmp_path_factory.mktemp("unbroken")
    write_data(folder / "data.jsonl")
    with running(folder, latency=0.02) as server:
        finish(repair(folder / "data.jsonl", folder / "run", server), folder)
        return folder, server.count()


def test_thirty_kills_cost_nothing_that_was_journaled(unbroken: tuple[Path, Counter[str]], tmp_path: Path) -> None:
    whole, calls = unbroken
    chance, kills, lost, paid = random.Random(7), 0, 0, Counter[str]()
    with running(tmp_path, latency=0.02) as server, forking(whole, environment()) as forks:

        def killed(words: list[str]) -> bool:
            goal, pause = server.count().total() + chance.randint(1, 80), chance.uniform(0, 0.1)
            return forks.kill_when(words, lambda: server.count().total() >= goal, pause)

        for attempt in range(KILLS):
            into = tmp_path / f"run-{attempt}"
            words = repair(whole / "data.jsonl", into, server)
            before = server.count()
            while killed(words):
                kills += 1
            report = finish(words, whole)
            received = server.count() - before
            lost, paid = lost + int(str(report["lost_calls"])), paid + received
            assert state(into) == state(whole / "run")
            assert set(received) == set(calls)
            assert received.total() - calls.total() <= int(str(report["lost_calls"]))
            assert report["repeated_calls"] == 0
            if kills >= KILLS:
                break
    runs = attempt + 1
    tell("test", "runs", "kills", "calls unbroken", "calls killed", "in flight at the kills", "bytes equal")
    tell("killed anywhere", runs, kills, runs * calls.total(), paid.total(), lost, "yes")
    assert kills >= KILLS


def test_a_change_upstream_pays_only_for_requests_never_answered(
    unbroken: tuple[Path, Counter[str]], tmp_path: Path
) -> None:
    whole, calls = unbroken
    with running(tmp_path) as server:
        first = repair(whole / "data.jsonl", tmp_path / "run", server)
        finish(first, whole)
        before = server.count()
        finish([*first, "--set", "base.max_tokens=512"], whole)
        after = server.count()
        finish(first, whole)
        assert server.count() == after, "going back to the first recipe must pay nothing"
    assert before == calls
    assert all(after[request] == before[request] for request in before), "an answered request was sent again"
    assert after.total() - before.total() == RECORDS, "only the base view asks something new"
    tell("recipe changed upstream", f"first {before.total()} calls", f"then {after.total() - before.total()} new")


def test_appended_records_pay_only_for_themselves(unbroken: tuple[Path, Counter[str]], tmp_path: Path) -> None:
    _whole, _ = unbroken
    data = tmp_path / "data.jsonl"
    write_data(data)
    with running(tmp_path, latency=0.0) as server:
        command = repair(data, tmp_path / "run", server, "--recipe", str(short_recipe(tmp_path)))
        finish(command, tmp_path)
        before = server.count()
        with data.open("a") as stream:
            row = {"id": "new", "question": "What does the new town sell?", "options": ["a", "b"], "answer": "A"}
            stream.write(json.dumps(row) + "\n")
        report = finish(command, tmp_path)
        after = server.count()
    assert report["records"] == RECORDS + 1
    assert all(after[r] == before[r] for r in before)
    assert after.total() - before.total() == 3, "one base view, one reason and one reflect turn"
    assert tally(Store(tmp_path / "run")).repeated == 0
    tell("one record appended", f"first {before.total()} calls", f"then {after.total() - before.total()} new")


def short_recipe(folder: Path) -> Path:
    path = folder / "short.toml"
    steps = ("DropDuplicates", "AnswerDirectly", "ReasonAndReflect", "JudgeAgreement")
    path.write_text('name = "short"\n' + "".join(f'[[step]]\nuse = "{use}"\n' for use in steps))
    return path
