"""One trial on a pool with planted faults: a recipe's steps, training on as many rows as all, held-out questions."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from regold.engines import Engine, EngineSpec, Request, open_engine
from regold.fingerprint import digest
from regold.formats import Source
from regold.lab.arms import PROMPTS, Arm, reads_scores, recipe_of, spending
from regold.lab.ground import BATCH
from regold.lab.pool import TEXT_FAULTS, Entry, domain, neglected, pool_world
from regold.lab.pool_ground import PoolField
from regold.lab.recovery import Made, recovery
from regold.lab.several import told
from regold.lab.world import World
from regold.prompts import load_prompts
from regold.recipe import Recipe
from regold.record import TRAINED_ON, Fate, Message, Messages
from regold.run import Job, run
from regold.store.fates import PastRun, open_run
from regold.together import together
from regold.train import train

ANSWER_TOKENS = 96
MADE = (Fate.FUSED, Fate.REPAIRED)


@dataclass(frozen=True)
class Trained:
    """One row to train on with the fate of the record it came from."""

    id: str
    messages: Messages
    weight: float
    fate: Fate = Fate.KEPT


async def pool_trial(at: PoolField, arm: Arm, folder: Path, keep: bool = False, calls: int = 0) -> dict[str, Any]:
    """Do one trial in a folder of its own and return its figures as plain data.

    `calls` are those of the arm whose calls it spends. What lies in the folder, of a trial that was stopped, goes.
    """
    ground = at.ground
    shutil.rmtree(folder, ignore_errors=True)
    records = len({(entry.question, entry.response) for entry in at.entries()})
    recipe = recipe_of(
        spending(arm, calls, records), ground.rows, ground.seed, at.scores() if reads_scores(arm) else None
    )
    began = time.process_time()
    rows, facts = await _prepare(at, recipe, folder / "run")
    count = len(rows) if arm.whole else ground.rows
    chosen = drawn(rows, count, arm.ratio, ground.seed) if recipe.train else []
    facts["seconds"] = {"prepare": round(time.process_time() - began, 2)}
    key = digest([[r.messages, r.weight] for r in chosen], ground.settings)
    if key not in at.memory:
        at.memory[key] = await _score(at, chosen, folder / "model")
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    scored = at.memory[key]
    facts |= {"available": len(rows), **_quality(at, chosen)}
    facts["text_faults_left"] = _text_faults_left(at, rows) if recipe.train else None
    return {**facts, **scored, "seconds": {**facts["seconds"], **scored["seconds"]}}


def drawn(rows: Sequence[Trained], count: int, ratio: float | None, seed: int) -> list[Trained]:
    """Draw so many rows by chance, in their order; with a ratio, that share of them fused or mended."""
    rng = Random(f"rows:{seed}")
    if ratio is None:
        chosen = rng.sample(list(rows), min(count, len(rows)))
    else:
        made, kept = [r for r in rows if r.fate in MADE], [r for r in rows if r.fate not in MADE]
        wanted = round(count * ratio)
        chosen = rng.sample(made, min(wanted, len(made))) + rng.sample(kept, min(count - wanted, len(kept)))
    order = {row.id: place for place, row in enumerate(rows)}
    return sorted(chosen, key=lambda row: order[row.id])


async def _prepare(at: PoolField, recipe: Recipe, root: Path) -> tuple[list[Trained], dict[str, Any]]:
    if recipe.stages:
        report = await run(Job(Source(at.data), recipe, at.specs(), root), _unwatched, at.models())
        past = open_run(root)
        ends = list(past.ended())
        rows = [Trained(e.id, e.messages, e.weight, e.fate) for e in ends if e.fate in TRAINED_ON]
        facts: dict[str, Any] = {"calls": report.calls, "prompt_tokens": report.prompt_tokens}
        facts |= {"completion_tokens": report.completion_tokens}
        facts |= {"fates": dict(Counter(str(e.fate) for e in ends)), "recovery": _recovery(at, rows, past)}
        return rows, {**facts, **_fusion(past)}
    answers = recipe.experiment.truth == "answers"
    rows = [
        Trained(e.id, (Message("user", e.question), Message("assistant", e.truth if answers else e.response)), 1.0)
        for e in at.entries()
    ]
    return rows, {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0}


def _recovery(at: PoolField, rows: Sequence[Trained], past: PastRun) -> dict[str, int]:
    """Return what all fused and mended records are, measured against the planted truth."""
    entries = {entry.id: entry for entry in at.entries()}
    parents: dict[str, list[str]] = {}
    if any("fuse.parents" in step.writes for step in past.steps):
        for part in past.store.parts():
            found = past.store.column("fuse.parents", part, past.steps)
            parents.update(zip(past.store.loaded(part, ["id"])["id"].to_pylist(), found, strict=True))
    made = [
        Made(
            tuple(entries[i] for i in ((parents[row.id] if row.fate == Fate.FUSED else None) or [row.id])),
            row.messages[-1].content,
        )
        for row in rows
        if row.fate in MADE
    ]
    return recovery(made, pool_world(at.ground.world))


def _fusion(past: PastRun) -> dict[str, Any]:
    """Return how often each fate of a pair or a mended record came up."""
    written = {name for step in past.steps for name in step.writes}
    found: Counter[str] = Counter()
    for name in ("fuse.outcome", "mend.outcome"):
        if name in written:
            columns = [past.store.column(name, part, past.steps) for part in past.store.parts()]
            found.update(value for column in columns for value in column if value is not None)
    return {"outcomes": dict(found)} if found else {}


async def _score(at: PoolField, rows: Sequence[Trained], model: Path) -> dict[str, Any]:
    """Train on rows, or on none, and ask the held-out questions."""
    began = time.process_time()
    engine = at.engine
    if rows:
        train(str(at.ground.model), [(r.messages, r.weight) for r in rows], model, at.ground.settings, merge=True)
        engine = open_engine(EngineSpec("transformers", str(model), batch=BATCH))
    trained = time.process_time() - began
    try:
        answers = await _answers(engine, at.questions())
    finally:
        if rows:
            await engine.close()
    seconds = {"train": round(trained, 2), "evaluate": round(time.process_time() - began - trained, 2)}
    return {**_judged(at.questions(), answers, pool_world(at.ground.world)), "seconds": seconds}


async def _answers(engine: Engine, asked: Sequence[Entry]) -> list[str]:
    direct = load_prompts(PROMPTS)
    requests = [
        Request((Message("user", direct.render("direct", query=e.question)),), max_tokens=ANSWER_TOKENS) for e in asked
    ]
    return [said.text for said in await together([engine.generate(request) for request in requests])]


def _judged(asked: Sequence[Entry], answers: Sequence[str], world: World) -> dict[str, Any]:
    """Return for each question whether its answer is the full right one word for word, and its share of right facts.

    `new` is the share of right facts among those that pre-training never told: what training taught.
    """
    right = [" ".join(a.split()) == e.truth for e, a in zip(asked, answers, strict=True)]
    shares, new = [], []
    for entry, answer in zip(asked, answers, strict=True):
        true, said = set(told(entry.truth)), set(told(answer))
        shares.append(round(len(true & said) / len(true), 4))
        new += [one in said for one in sorted(true) if world.weights[one[0]] == 0]
    return {
        "new": round(sum(new) / len(new), 4) if new else None,
        "right": "".join(str(int(one)) for one in right),
        "facts": shares,
        "neglected": "".join(str(int(e.neglected)) for e in asked),
    }


def _quality(at: PoolField, rows: Sequence[Trained]) -> dict[str, Any]:
    """Return what can be said of training rows where the truth is known."""
    world, seed = pool_world(at.ground.world), at.ground.seed
    said = [told(row.messages[-1].content) for row in rows]
    statements = [one for row in said for one in row]
    true = [fact for fact, value in statements if world.values.get(fact) == value]
    bad, known = neglected(world, seed), set(domain(world, seed))
    rare = sum(any(country in row.messages[0].content for country in bad) for row in rows)
    return {
        "trained": len(rows),
        "made": sum(row.fate in MADE for row in rows),
        "facts_right": len(true) / len(statements) if statements else None,
        "facts_each": len(statements) / len(rows) if rows else None,
        "facts_taught": len({fact for fact in true if fact[0] in known}) / (6 * len(known)),
        "rare_share": rare / len(rows) if rows else None,
    }


def _text_faults_left(at: PoolField, rows: Sequence[Trained]) -> float | None:
    """Return the share of the responses with a planted fault of the text that are kept as they are."""
    planted = {entry.id: entry.response for entry in at.entries() if entry.fault in TEXT_FAULTS}
    left = sum(planted.get(row.id) == row.messages[-1].content for row in rows)
    return left / len(planted) if planted else None


def _unwatched(step: object, records: int) -> Any:
    return lambda done: None
