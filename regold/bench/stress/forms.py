"""Scenarios: answers with several correct forms, and five wordings of what a judge is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from regold.asking import ask_verdict
from regold.bench.stress.judges import tuned_judge, unseen
from regold.bench.stress.lab import SET, lab_engine, share
from regold.bench.stress.pairs import Pair, pairs
from regold.bench.stress.task import Task
from regold.engines import open_engine
from regold.lab.ground import MODEL
from regold.lab.world import Item, World
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.prompts import Prompts, load_prompts
from regold.record import Message, Record, Status
from regold.stage import Context, Engines
from regold.stages.judge import JudgeAgreement
from regold.together import together

AGREE = (
    "{{query}}\n1: {{first}}\n2: {{second}}\nSAME or DIFFERENT?",
    "{{query}}\n1: {{first}}\n2: {{second}}\nDo both say the same? Reply SAME or DIFFERENT.",
    "Question: {{query}}\nFirst answer: {{first}}\nSecond answer: {{second}}\nSAME or DIFFERENT?",
    "1: {{first}}\n2: {{second}}\nAs answers to {{query}} are they SAME or DIFFERENT?",
    "Compare two answers to: {{query}}\n1: {{first}}\n2: {{second}}\nSay SAME or DIFFERENT.",
)
CHECK = (
    "{{query}}\nAnswer: {{response}}\nRight?",
    "{{query}}\nAnswer: {{response}}\nIs that right?",
    "{{query}}\nAnswer: {{response}}\nIs this answer right? Yes or No.",
    "Question: {{query}}\nAnswer: {{response}}\nRight?",
    "{{query}}\n{{response}} is the answer. Right?",
)
"""The first of each is the lab's own, in which its model may have been trained; the others it has never seen."""


def equivalent_forms(task: Task) -> list[dict[str, Any]]:
    """Judge pairs of forms by the check's own comparison alone, with the lab's model as the judge, and a tuned one.

    The tuned judge learnt to compare sentences in the lab's wording; lists and numbers it has never compared.
    """
    made = unseen(pairs(task.items, task.seed), task.items)
    found = []
    judges = {"text alone": None, "model as shipped": MODEL, "tuned judge": tuned_judge(task, "one-wording", AGREE[:1])}
    for name, judge in judges.items():
        agree = asyncio.run(_agreeing(made, judge))
        for kind in dict.fromkeys(p.kind for p in made):
            judged = [(p, a) for p, a in zip(made, agree, strict=True) if p.kind == kind]
            found.append(
                {
                    "setting": f"{kind}, {name}",
                    "n": len(judged),
                    "false_suspects": share(not a for p, a in judged if p.same),
                    "missed": share(a for p, a in judged if not p.same),
                    "never_judged": share(_told_apart(p) for p, _ in judged if p.same),
                }
            )
    return found


def _told_apart(pair: Pair) -> bool:
    """Tell whether the text alone decides that the answers differ, so that no judge is asked."""
    given, view = (read_answer(text, pair.first) for text in (pair.first, pair.second))
    return same_answer(given, view) is False


async def _agreeing(made: Sequence[Pair], judge: Path | None) -> list[bool]:
    stage, engine = JudgeAgreement(views=("base",), ask=judge is not None), open_engine(lab_engine(judge or MODEL))
    try:
        ctx = _context(engine, load_prompts("lab"))
        edits = await together([stage(_record(pair), ctx) for pair in made])
        return [edit.status == Status.CLEAN for edit in edits]
    finally:
        await engine.close()


def _record(pair: Pair) -> Record:
    messages = (Message("user", pair.query), Message("assistant", pair.first))
    return Record("pair", messages, notes={"base.answer": read_answer(pair.second, pair.first)})


def _context(engine: Any, prompts: Prompts) -> Context:
    return Context(None, Engines({"judge": engine}), prompts, 0, lambda ids: [])


def wordings(task: Task) -> list[dict[str, Any]]:
    """Ask the same questions of a judge in five wordings: how right each is, and how often two of them agree.

    `agree`: do two sentences say the same; by the model as shipped, and by judges tuned to the first wording alone and
    to all five. `check`: is this the answer; a lesson of the shipped model's pre-training, in the first wording alone.
    """
    rng = Random(f"check:{task.seed}")
    forms = [p for p in unseen(pairs(task.items, task.seed), task.items) if p.kind == "sentence"]
    items = World().items(SET, 2 * task.items, task.seed, "train")
    right = [n % 2 == 0 for n in range(len(items))]
    checks = [_shown(item, good, rng) for item, good in zip(items, right, strict=True)]
    agrees = [{"query": p.query, "first": p.first, "second": p.second} for p in forms]
    judges = {
        "as shipped": MODEL,
        "tuned to the first": tuned_judge(task, "one-wording", AGREE[:1]),
        "tuned to all five": tuned_judge(task, "five-wordings", AGREE),
    }
    same = [p.same for p in forms]
    found = [
        _worded(model, "agree", AGREE, ("SAME", "DIFFERENT"), agrees, same, name) for name, model in judges.items()
    ]
    found.append(_worded(MODEL, "check", CHECK, ("Yes", "No"), checks, right, "as shipped"))
    return [row for rows in found for row in rows]


def _shown(item: Item, good: bool, rng: Random) -> dict[str, str]:
    return {"query": item.query, "response": item.answer if good else rng.choice(item.rivals)}


def _worded(
    model: Path,
    prompt: str,
    texts: Sequence[str],
    legal: Sequence[str],
    shown: Sequence[Mapping[str, str]],
    truth: Sequence[bool],
    name: str,
) -> list[dict[str, Any]]:
    said = [asyncio.run(_verdicts(model, prompt, text, legal, shown)) for text in texts]
    rows: list[dict[str, Any]] = [
        {
            "setting": f"{prompt}, {name}, wording {number}",
            "n": len(shown),
            "right": share(v == legal[not t] for v, t in zip(verdicts, truth, strict=True)),
            "says_yes": share(v == legal[0] for v in verdicts),
            "unread": share(v is None for v in verdicts),
        }
        for number, verdicts in enumerate(said, start=1)
    ]
    both = [a == b and a is not None for one, other in combinations(said, 2) for a, b in zip(one, other, strict=True)]
    whole = [len(set(verdicts)) == 1 and None not in verdicts for verdicts in zip(*said, strict=True)]
    agreed = {"any_two_agree": share(both), "all_agree": share(whole)}
    return [*rows, {"setting": f"{prompt}, {name}, all wordings", "n": len(shown), **agreed}]


async def _verdicts(
    model: Path, prompt: str, text: str, legal: Sequence[str], shown: Sequence[Mapping[str, str]]
) -> list[str | None]:
    lab, engine = load_prompts("lab"), open_engine(lab_engine(model))
    try:
        ctx = _context(engine, replace(lab, texts={**lab.texts, prompt: text}))
        return await together([ask_verdict(ctx, "judge", prompt, legal, 16, **values) for values in shown])
    finally:
        await engine.close()
