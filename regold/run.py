"""One run from source to output: load, open the models, run the steps, derive the fates, write what to train on."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import pyarrow

import regold
from regold.declared import ExperimentSettings
from regold.errors import InputError, RecipeError, UsageError
from regold.executors import open_executor
from regold.files import read_json, write_json
from regold.fingerprint import digest
from regold.formats import Reject, Row, Source, write
from regold.outcome import Report, outcome, tally
from regold.output import check_outputs, write_outputs
from regold.prompts import load_prompts
from regold.recipe import Recipe
from regold.runner import (
    Models,
    OpenModels,
    Plan,
    Step,
    forget_failures,
    judge_failures,
    open_models,
    plan,
    run_steps,
)
from regold.store import Store
from regold.store.fates import close_run, open_run, told_lines

PART_SIZE = 1000


@dataclass(frozen=True)
class Job:
    """All that one `regold repair` or `regold run` is asked to do."""

    source: Source
    recipe: Recipe
    models: Models
    into: Path | None = None
    """The run directory; by default `runs/<file stem>-<fingerprint of its place>`: the same command resumes."""
    out: Path | None = None
    """Where the records to train on go; by default `train.jsonl` in the run directory."""
    part_size: int = PART_SIZE
    executor: str = "local"
    workers: int = 2
    retry_failed: bool = False
    provenance: bool = False

    @property
    def root(self) -> Path:
        """Return the run directory."""
        if self.into is not None:
            return self.into
        name = self.source.path.resolve()
        return Path("runs") / f"{name.name.split('.')[0] or 'data'}-{digest(str(name))[:8]}"


async def run(
    job: Job, watch: Callable[[Step, int], Callable[[int], None]], models: OpenModels | None = None
) -> Report:
    """Run a job, or what is left of it. `watch(step, records)` returns the tick that counts a step's finished records.

    `models` are open already and stay so; without them the job's own are opened and closed again. Raises UsageError
    before any paid call, and RunError where the run stops with its work kept.
    """
    began = time.monotonic()
    refuse_experiments(job.recipe)
    out = job.out or job.root / "train.jsonl"
    check_outputs(out, job.source.path)
    source_digest = job.source.digest()
    store = Store(job.root, f"00-load-{digest(source_digest, job.part_size)[:8]}")
    prompts = load_prompts(job.recipe.prompts)
    with store.held():
        refuse_another_source(store.root, job.source.path, source_digest)
        loaded = load(store, job.source, job.part_size)
        paid_before = tally(store).answered
        async with nullcontext(models) if models else open_models(job.models) as opened:
            planned = plan(store, job.recipe.stages, prompts, job.recipe.seed, opened)
            write_manifest(job, planned, source_digest, loaded["format"])
            if job.retry_failed:
                forget_failures(planned)
            if open_run(store.root).finished():
                for step in planned.steps:
                    judge_failures(store, step, job.recipe.tolerate)
            else:
                await probe(store, job.recipe, opened)
                await _execute(job, planned, opened, watch)
        places = [step.place for step in planned.steps]
        fates = close_run(store, places, job.recipe.leftover, loaded["rejected"])
        past = open_run(store.root)
        outputs = write_outputs(past, out, job.provenance)
        return outcome(store, loaded, fates, outputs, paid_before, time.monotonic() - began, told_lines(past))


def refuse_experiments(recipe: Recipe) -> None:
    """Raise RecipeError for a recipe that is no run: it needs the truth, or only says how a model is evaluated."""
    if recipe.experiment != ExperimentSettings():
        raise RecipeError(
            f"recipe {recipe.name}: its [experiment] needs the reserved truth or learners of its own, which no run "
            "has: `regold bench lab` runs it"
        )
    if not recipe.stages and recipe.train is None:
        shown = " --shown FILE" if recipe.evaluate.neighbours else ""
        raise RecipeError(
            f"recipe {recipe.name}: it has no steps and trains nothing, so a run would keep every record as it is and "
            f"ask nothing. It says how a model is asked: regold evaluate HELD-OUT --model MODEL --recipe {recipe.name}"
            f"{shown}"
        )


def refuse_another_source(root: Path, path: Path, contents: str) -> None:
    """Raise UsageError where a run directory is of other data: neither the same place (rows appended) nor contents."""
    if not (root / "manifest.json").is_file():
        return
    source = open_run(root).manifest["source"]
    place = str(source.get("place") or Path(source["path"]).resolve())
    if str(path.resolve()) != place and contents != source.get("digest"):
        raise UsageError(f"{root} is the run of {place}: give another --into for {path}")


def load(store: Store, source: Source, part_size: int) -> dict[str, Any]:
    """Read the source into parts, once; rejected lines go to `rejects.jsonl` beside them."""
    folder = store.root / store.load
    done = folder / "load.json"
    if done.is_file():
        summary: dict[str, Any] = read_json(done)
        return summary
    shutil.rmtree(folder, ignore_errors=True)
    rejects: list[Reject] = []
    formats: set[str] = set()
    records = store.write_load(_rows(source, rejects, formats), part_size)
    if not records:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(f"holds no record that can be used ({len(rejects)} lines rejected)", source.path)
    write(folder / "rejects.jsonl", (asdict(r) for r in rejects))
    kind = " + ".join(sorted(formats))
    summary = {"records": records, "rejected": len(rejects), "format": kind, "turns": source.turns}
    write_json(done, summary)
    return summary


def _rows(source: Source, rejects: list[Reject], formats: set[str]) -> Iterator[Row]:
    for row in source.read():
        if isinstance(row, Reject):
            rejects.append(row)
        else:
            formats.add(row.format)
            yield row


async def probe(store: Store, recipe: Recipe, models: OpenModels) -> None:
    """Ask each engine the smallest requests that show it has what the recipe needs. Raises EngineError.

    What was shown is remembered, so that resuming sends no probe again.
    """
    remembered = store.root / "calls" / "probed.json"
    shown: list[str] = read_json(remembered) if remembered.is_file() else []
    for role, needs in recipe.needs().items():
        if role in models.roles and (key := digest(models.identity(role), needs)) not in shown:
            await models.roles[role].probe(needs)
            shown.append(key)
            write_json(remembered, shown)
        if role == "encoder" and models.encoder is not None and models.encoder.identity not in shown:
            await models.encoder.probe()
            shown.append(models.encoder.identity)
            write_json(remembered, shown)


async def _execute(
    job: Job, planned: Plan, models: OpenModels, watch: Callable[[Step, int], Callable[[int], None]]
) -> None:
    async with open_executor(job.executor, planned, models, job.models, job.workers) as executor:
        await run_steps(planned, executor, job.recipe.tolerate, watch)


def write_manifest(job: Job, planned: Plan, source_digest: str, format: str) -> None:
    """Write all that the run can be repeated from; keys are named by their environment variable, never stored."""
    steps = [
        {"number": p.number, "name": p.name, "fingerprint": p.fingerprint, "writes": dict(p.writes)}
        for p in (step.place for step in planned.steps)
    ]
    versions = {"regold": regold.__version__, "python": platform.python_version()}
    versions |= {"numpy": numpy.__version__, "pyarrow": pyarrow.__version__}
    source = {**asdict(job.source), "path": str(job.source.path), "place": str(job.source.path.resolve())}
    source |= {"digest": source_digest, "format": format}
    models = {role: asdict(spec) for role, spec in job.models.roles.items()}
    encoder = asdict(job.models.encoder) if job.models.encoder else None
    write_json(
        planned.store.root / "manifest.json",
        {
            "recipe": job.recipe.resolved(),
            "source": source,
            "load": planned.store.load,
            "part_size": job.part_size,
            "models": models,
            "encoder": encoder,
            "steps": steps,
            "versions": versions,
        },
    )
