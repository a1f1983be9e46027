"""One trial: a recipe on one noisy set of the closed world, from its steps through training to held-out accuracy."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from regold.engines import Engine, EngineSpec, open_engine
from regold.evaluate import Evaluation, Question, evaluate
from regold.evaluate.neighbours import Neighbours
from regold.fingerprint import digest
from regold.formats import Source, read_rows
from regold.lab.ground import BATCH, Field
from regold.lab.noiseal import noiseal
from regold.lab.rewording import FRAMES
from regold.output import training_rows
from regold.prompts import load_prompts
from regold.recipe import Recipe, load_recipe
from regold.record import Messages
from regold.run import Job, run
from regold.store.fates import open_run
from regold.together import together
from regold.train import train
from regold.truth import detected, is_right, relabelled, repaired, share_right, truths_of_rows, truths_of_run

ANSWER_TOKENS = 16
PROMPTS = "lab"

Rows: TypeAlias = list[tuple[Messages, float]]
Truths: TypeAlias = Sequence[tuple[str, Sequence[str]]]
"""Each row's true response and options."""


@dataclass(frozen=True)
class Method:
    """A row of the experiment: a recipe with settings; `noisy` says whether the noise can change its result."""

    name: str
    recipe: str
    set: tuple[str, ...] = ()
    noisy: bool = True

    def load(self, seed: int) -> Recipe:
        """Load the recipe with the lab's prompts."""
        return load_recipe(self.recipe, self.set, prompts=PROMPTS, seed=seed)


async def trial(
    field: Field, method: Method, kind: str, noise: int, folder: Path, frames: bool = False, sampled: bool = True
) -> Any:
    """Do one trial in a folder of its own; returns plain data in which answers are strings of 0 and 1.

    `frames` asks the held-out questions in several wordings too; without `sampled` they are asked greedily alone.
    """
    recipe = method.load(field.ground.seed)
    if not sampled:
        recipe = replace(recipe, evaluate=replace(recipe.evaluate, temperature=0.0, samples=1))
    data = await field.noisy(kind, noise)
    began = _now()
    rows, facts = await _prepare(field, recipe, data, folder / "run")
    prepared = _since(began)
    learner, shown = recipe.experiment.learner, str(data) if recipe.evaluate.neighbours else ""
    if learner == "noiseal":
        shown = str(data)
    key = digest(rows if recipe.train else None, learner, asdict(recipe.evaluate), shown)
    if key not in field.memory or (frames and "frames" not in field.memory[key]):
        field.memory[key] = await _score(field, recipe, data, rows, folder, frames)
    if not field.ground.keep:
        shutil.rmtree(folder, ignore_errors=True)
    scored = field.memory[key]
    return {**facts, **scored, "seconds": {"prepare": prepared, **scored["seconds"]}}


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


def _since(began: tuple[float, float]) -> dict[str, float]:
    """Return seconds by the clock on the wall, and those of this process, which company on the machine changes less."""
    return {name: round(now - then, 2) for name, now, then in zip(("wall", "core"), _now(), began, strict=True)}


async def _prepare(field: Field, recipe: Recipe, data: Path, root: Path) -> tuple[Rows, dict[str, Any]]:
    """Run the recipe's steps, or take the file as the recipe's [experiment] says; with what can be told of the rows."""
    rows, truths, facts = await _repair(field, recipe, data, root) if recipe.stages else _given(recipe, data)
    if recipe.train is None:
        return rows, facts
    return rows, {**facts, "trained": len(rows), "labels_right": share_right(rows, truths)}


def _given(recipe: Recipe, data: Path) -> tuple[Rows, Truths, dict[str, Any]]:
    given = list(read_rows(data))
    if recipe.experiment.truth == "filter":
        given = [row for row in given if row.noise is None]
    truths = truths_of_rows(given)
    rows = [(row.messages, 1.0) for row in given]
    if recipe.experiment.truth == "answers":
        rows = [(_answered(m, truth), w) for (m, w), (truth, _) in zip(rows, truths, strict=True)]
    return rows, truths, {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0}


async def _repair(field: Field, recipe: Recipe, data: Path, root: Path) -> tuple[Rows, Truths, dict[str, Any]]:
    report = await run(Job(Source(data), recipe, field.specs(), root), _unwatched, field.models())
    past = open_run(root)
    rows, truths = training_rows(root), truths_of_run(past)
    facts: dict[str, Any] = {"detection": detected(past)}
    facts |= {name: getattr(report, name) for name in ("calls", "prompt_tokens", "completion_tokens")}
    if fixed := repaired(past):
        given = list(read_rows(data))
        facts["relabel"] = relabelled(fixed)
        facts["confidence"] = [[r.mean_nll, int(r.right), int(r.kept)] for r in fixed if r.mean_nll is not None]
        facts["before"] = await _surprise(field, [(row.messages, 1.0) for row in given], truths_of_rows(given))
        facts["after"] = await _surprise(field, rows, truths)
    return rows, truths, facts


async def _surprise(field: Field, rows: Rows, truths: Truths) -> list[list[float]]:
    """Return of each training row the mean NLL of its response under the untrained model, and whether it is right."""
    scores = await together([field.engine.score(m[:-1], m[-1].content) for m, _ in rows])
    rights = [is_right(m[-1].content, truth, options) for (m, _), (truth, options) in zip(rows, truths, strict=True)]
    pairs = [(s.mean_nll, int(right)) for s, right in zip(scores, rights, strict=True)]
    return [[round(nll, 4), right] for nll, right in pairs if nll is not None]


def _answered(messages: Messages, response: str) -> Messages:
    return (*messages[:-1], replace(messages[-1], content=response))


async def _score(field: Field, recipe: Recipe, data: Path, rows: Rows, folder: Path, frames: bool) -> dict[str, Any]:
    """Train what the recipe trains and ask it the held-out questions."""
    began, told = _now(), dict[str, Any]()
    model, settings = folder / "model", field.ground.settings
    if recipe.experiment.learner == "noiseal":
        told = await noiseal(field, data, model, settings)
    elif recipe.train is not None:
        train(str(field.ground.model), rows, model, settings, merge=True)
    trained, began = _since(began), _now()
    other = recipe.evaluate.model or (str(model) if recipe.train is not None else "")
    engine = open_engine(EngineSpec("transformers", other, batch=BATCH)) if other else field.engine
    try:
        told |= await _measured(field, recipe, data, engine, frames)
    finally:
        if other:
            await engine.close()
    return {**told, "seconds": {"train": trained, "evaluate": _since(began)}}


async def _measured(field: Field, recipe: Recipe, data: Path, engine: Engine, frames: bool) -> dict[str, Any]:
    how, prompts = recipe.evaluate, load_prompts(PROMPTS)
    near = await Neighbours.of(field.encoder, list(read_rows(data))) if how.neighbours else None

    async def ask(questions: list[Question], temperature: float, samples: int) -> Evaluation:
        asked = await near.before(questions, how.neighbours, prompts) if near else questions
        return await evaluate(engine, asked, None if near else prompts, temperature, samples, max_tokens=ANSWER_TOKENS)

    found = await ask(field.questions(), how.temperature, how.samples)
    told: dict[str, Any] = {"right": _bits(found)}
    if found.sampled:
        told["sampled"] = _bits(found.sampled)
    if frames:
        told["frames"] = [_bits(await ask(field.reworded(frame), 0.0, 1)) for frame in range(FRAMES)]
    return told


def accuracy(right: str) -> float:
    """Return the share of ones in a trial's string of 0 and 1."""
    return right.count("1") / len(right)


def _bits(found: Evaluation) -> str:
    return "".join(str(round(right)) for right in found.right)


def _unwatched(step: object, records: int) -> Any:
    return lambda done: None
