"""One lab data set made wrong and repaired, and what became of every record of it."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regold.corrupt import confusable, corrupt_file, margins
from regold.engines import EngineSpec, open_engine
from regold.formats import Row, Source, read_rows
from regold.lab.data import WITHIN, write_items
from regold.lab.ground import MODEL
from regold.lab.world import World
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.detection import detection
from regold.recipe import load_recipe
from regold.record import TRAINED_ON, Fate, Status
from regold.run import Job, run
from regold.runner import Models
from regold.store.fates import open_run

SET = "atlas-open-x"
TOLERATE = 0.1
"""Some damaged questions are longer than the small model reads; those records are FAILED, and counted as not kept."""


@dataclass(frozen=True)
class Outcome:
    """What became of one record."""

    id: str
    noise: str | None
    suspect: bool | None
    """None where it never reached the judge."""
    similarity: float | None
    """Of its nearest clean neighbour, 0 where it had none; None where it was never relabelled."""
    context_right: bool | None
    reason_right: bool | None
    fate: Fate
    right: bool
    """Whether its response at the end is the right one."""


def write_clean(path: Path, items: int, seed: int) -> Path:
    """Write training questions of a seed's part of the world."""
    write_items(path, World().items(SET, items, seed, "train"))
    return path


def write_noisy(clean: Path, out: Path, rate: float, kind: str, seed: int, by: str | None = None) -> Path:
    """Write a noisy copy; the kinds that need a model ask the lab's."""
    rows = list(read_rows(clean))
    asked = kind in ("model", "adversarial")
    wrong, margin = asyncio.run(_misled(rows, kind == "adversarial")) if asked else (None, None)
    corrupt_file(rows, out, rate, kind, seed, within=WITHIN, model=wrong, by=by, margin=margin)
    return out


async def _misled(rows: Sequence[Row], greedy: bool) -> tuple[dict[str, str], dict[str, float]]:
    engine = open_engine(lab_engine())
    try:
        wrong = await confusable(engine, rows, greedy)
        return wrong, await margins(engine, rows, wrong)
    finally:
        await engine.close()


def lab_engine(model: Path = MODEL) -> EngineSpec:
    """Return how a checkpoint is opened."""
    return EngineSpec("transformers", str(model), batch=64)


def repair(
    data: Path,
    into: Path,
    seed: int,
    sets: Sequence[str] = (),
    student: Path = MODEL,
    second: Path | None = None,
) -> list[Outcome]:
    """Run the recipe robustft with a checkpoint and return what became of each record; the same call resumes."""
    roles = {"student": lab_engine(student), "judge": lab_engine(student)}
    roles |= {"second": lab_engine(second)} if second else {}
    recipe = replace(load_recipe("robustft", sets, prompts="lab", seed=seed), tolerate=TOLERATE)
    job = Job(Source(data), recipe, Models(roles, EngineSpec("static", str(MODEL))), into)
    asyncio.run(run(job, lambda step, records: lambda done: None))
    return outcomes(into)


def outcomes(root: Path) -> list[Outcome]:
    """Return what became of each record of a finished run of robustft."""
    past = open_run(root)
    upto = next(i for i, step in enumerate(past.steps) if step.name == "judge") + 1
    notes: dict[str, list[Any]] = {n: [] for n in ("relabel.similarities", "relabel.answer", "reason.answer")}
    judged: list[str] = []
    for part in past.store.parts():
        judged += past.store.column("status", part, past.steps[:upto])
        for name in notes:
            notes[name] += past.store.column(name, part, past.steps)
    found = []
    columns = zip(past.ended(), judged, *notes.values(), strict=True)
    for end, status, similar, context, reason in columns:
        truth = end.truth or ""
        wanted = read_answer(truth, truth, end.options)
        spoiled = end.noise not in (None, "instruction")
        final = read_answer(end.messages[-1].content, truth, end.options)
        right = end.noise is None if end.noise == "instruction" else same_answer(final, wanted, end.options) is True
        untouched = spoiled and end.fate != Fate.REPAIRED
        found.append(
            Outcome(
                end.id,
                end.noise,
                {Status.SUSPECT: True, Status.CLEAN: False}.get(Status(status)),
                None if similar is None else float(max(similar, default=0.0)),
                _same(context, wanted, end.options),
                _same(reason, wanted, end.options),
                end.fate,
                right and not untouched,
            )
        )
    return found


def _same(answer: str | None, wanted: str | None, options: Sequence[str]) -> bool | None:
    return None if answer is None else same_answer(answer, wanted, options) is True


def measured(found: Sequence[Outcome]) -> dict[str, float | None]:
    """Return the figures of one run: how well noise was found, and how right are repairs and what is kept."""
    judged = [o for o in found if o.suspect is not None]
    seen = detection([o.noise is not None for o in judged], [bool(o.suspect) for o in judged])
    kept = [o for o in found if o.fate in TRAINED_ON]
    struck = [o for o in found if o.noise is not None and o.suspect]
    misasked = any(o.noise == "instruction" for o in found)  # then no answer is known to be right
    return {
        "precision": seen.precision,
        "recall": seen.recall,
        "f1": seen.f1,
        "before": share(o.noise is None for o in found),
        "kept": len(kept) / len(found),
        "kept_right": share(o.right for o in kept),
        "context_right": None if misasked else share(bool(o.context_right) for o in struck),
        "repaired_right": None if misasked else share(o.right for o in found if o.fate == Fate.REPAIRED),
    }


def share(values: Any) -> float | None:
    """Return the share that is true; None of nothing."""
    found = [bool(v) for v in values]
    return statistics.fmean(found) if found else None
