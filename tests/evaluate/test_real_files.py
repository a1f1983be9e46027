"""The real benchmark files: every question is read, and its own right answer scores full marks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import regold.evaluate.scorers as scorers
from regold.engines.scripted import ScriptedEngine
from regold.evaluate.harness import Harness, Settings
from regold.evaluate.later import program_of
from regold.evaluate.sandbox import NoSandbox, check_sandbox, run_program
from regold.evaluate.sources import SOURCES, questions

SCORED = {
    "mmlu": (scorers.choice, "acc", "The answer is {answer}."),
    "arc": (scorers.choice, "acc", "**{answer}**"),
    "fpb": (scorers.choice, "acc", "({answer})"),
    "pubmedqa": (scorers.choice, "acc", "{answer}."),
    "gsm8k": (scorers.number, "exact_match", "Reasoned: {worked}\nThe answer is {answer}."),
    "bbh": (scorers.bbh, "exact_match", "Some reasoning first.\nThe answer is {answer}"),
    "tydiqa": (scorers.spans, "em", "{answer}"),
    "math500": (scorers.mathematics, "exact_match", "So we have $\\boxed{{{answer}}}$."),
    "aime24": (scorers.mathematics, "exact_match", "Thus \\boxed{{{answer}}}"),
}
COUNTS = {"mmlu": 14042, "arc": 345, "fpb": 303, "pubmedqa": 500, "gsm8k": 1319, "math500": 500, "bbh": 6511}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SCORED)
def test_the_right_answer_scores_full_marks(shared_data: Path, name: str) -> None:
    docs = questions(SOURCES[name], str(shared_data))
    assert len(docs) == COUNTS.get(name, len(docs))
    score, metric, said = SCORED[name]
    wrong: list[dict[str, Any]] = [
        doc for doc in docs[:: max(1, len(docs) // 1500)] if not _full(score, metric, said, doc)
    ]
    assert not wrong, [(doc["id"], doc["answer"]) for doc in wrong[:10]]


def _full(score: Any, metric: str, said: str, doc: dict[str, Any]) -> bool:
    return bool(score(doc, [said.format(**doc)])[metric] == 1)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_the_given_solutions_pass_their_tests(shared_data: Path, name: str) -> None:
    try:
        check_sandbox()
    except NoSandbox as error:
        pytest.skip(str(error))
    failed = []
    for doc in questions(SOURCES[name], str(shared_data), limit=60):
        program = program_of(doc, f"```python\n{doc['answer']}\n```" if name == "mbpp" else doc["answer"])
        assert program is not None
        if not run_program(program).passed:
            failed.append(doc["id"])
    assert not failed


@pytest.mark.slow
@pytest.mark.shared_data
def test_every_task_with_local_files_runs(shared_data: Path) -> None:
    with asyncio.Runner() as runner:
        suite = Harness(ScriptedEngine(), Settings(shared_data, limit=5), runner).run(["all"])
    assert len(suite.tasks) + len(suite.missing) == 17
    assert all(why for why in suite.missing.values())
    assert all(not item.failed for task in suite.tasks for item in task.greedy.items)
