"""The benchmarks by the names people call them, and which task files answer to each."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from regold.errors import UsageError

FOLDER = Path(__file__).parent / "tasks"
PREFIX = "regold_"
FORMS = ("auto", "likelihood", "generation")
BOTH_WAYS = ("mmlu", "arc", "fpb", "pubmedqa")
"""Tasks that can be scored by likelihood or by what the model says."""
TASKS = (
    *BOTH_WAYS,
    "gsm8k",
    "bbh",
    "truthfulqa",
    "drop",
    "tydiqa",
    "ifeval",
    "math-500",
    "aime24",
    "aime25",
    "simpleqa",
    "humaneval",
    "mbpp",
)


def chosen(names: Sequence[str]) -> list[str]:
    """Return the tasks named, `all` for every one. Raises UsageError for a name that is none."""
    wanted = list(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    if "all" in wanted:
        return list(TASKS)
    for name in wanted:
        if name not in TASKS:
            near = difflib.get_close_matches(name, TASKS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"no task {name!r}: {hint}known: {', '.join(TASKS)}, or all")
    if not wanted:
        raise UsageError(f"--tasks names no task: give some of {', '.join(TASKS)}, or all")
    return wanted


def files_of(task: str, form: str, scores: bool) -> list[str]:
    """Return the task files that measure a task in a form, where the engine `scores` given texts or not."""
    likely = form == "likelihood" or (form == "auto" and scores)
    if task in BOTH_WAYS:
        return [task if likely else f"{task}_letter"]
    if task == "truthfulqa":
        return [f"{task}_mc"] * (form != "generation") + [f"{task}_gen"] * (form != "likelihood")
    return [task]
