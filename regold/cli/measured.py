"""Says what an evaluation came to: of a held-out file, or of benchmarks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from regold.cli.screen import print_json, say

if TYPE_CHECKING:
    from regold.evaluate import Evaluation
    from regold.evaluate.results import Decoding, Estimate, Suite, TaskResult

OWN_TEMPLATE = "asked with the chat template in the adapter's folder, which is not its base's"


def tell_file(found: Evaluation, model: str | None, own: bool, as_json: bool) -> None:
    """Say what a held-out file came to, greedy and sampled; `own` where an adapter's own chat template was used."""
    lines = [found, *([found.sampled] if found.sampled else [])]
    if as_json:
        named = {"model": model, "engine": found.engine, "own_chat_template": own}
        print_json({**named, **_measured(lines[0]), "sampled": [_measured(e) for e in lines[1:]]})
        return
    if own:
        say(OWN_TEMPLATE)
    for line in lines:
        how = _drawn(line)
        error = f"(standard error {line.standard_error:.3f})"
        say(f"accuracy {line.accuracy:.3f} {error}, n = {line.n}, {how}")


def _measured(found: Evaluation) -> dict[str, object]:
    names = ("accuracy", "standard_error", "n", "unread", "temperature", "samples")
    return {name: getattr(found, name) for name in names}


def tell_suite(suite: Suite, own: bool, out: Path | None) -> None:
    """Say what each benchmark came to, and which were not run and why."""
    if own:
        say(OWN_TEMPLATE)
    for task in suite.tasks:
        _tell_task(task)
    for name, why in suite.missing.items():
        say(f"{name:16} not run: {why}")
    if out is not None:
        say(f"every question, its answer and its scores: {out}")


def _tell_task(task: TaskResult) -> None:
    said = f"{task.form}, {task.shots} shots, version {task.version}"
    for found in (task.greedy, *([task.sampled] if task.sampled else [])):
        how = "" if task.form == "likelihood" else f", {_drawn(found)}"
        say(f"{task.task:16} {_metrics(found)}  n = {len(found.items)} ({said}{how}){_trouble(found)}")
    for name, value in task.greedy.categories(task.primary).items():
        say(f"{'':16}   {name}: {_shown(value)}, n = {value.n}")
    for name, why in task.missing.items():
        say(f"{'':16} {name}: {why}")


def _drawn(found: Evaluation | Decoding) -> str:
    return "greedy" if found.temperature == 0 else f"temperature {found.temperature:g}, {found.samples} samples"


def _metrics(found: Decoding) -> str:
    return "  ".join(f"{name} {_shown(value)}" for name, value in found.metrics.items())


def _shown(value: Estimate) -> str:
    return f"{value.mean:.3f}" + ("" if math.isnan(value.standard_error) else f" ± {value.standard_error:.3f}")


def _trouble(found: Decoding) -> str:
    counts = {"cut off": sum(i.cut for i in found.items), "failed": sum(bool(i.failed) for i in found.items)}
    why = next((item.failed for item in found.items if item.failed), "")
    return "".join(f", {count} {name}" for name, count in counts.items() if count) + (f" ({why})" if why else "")
