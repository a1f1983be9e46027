"""Scenarios: answers with several correct forms, and five wordings of what a judge is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from typing import Any

from regold.asking import ask_verdict
from regold.bench.stress.lab import SET, lab_engine, share
from regold.bench.stress.task import Task
from regold.engines import open_engine
from regold.lab.world import Item, World
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.prompts import Prompts, load_prompts
from regold.record import Message, Record, Status
from regold.stage import Context, Engines
from regold.stages.judge import JudgeAgreement
from regold.together import together

SENTENCES = (
    "The {a} of {c} is {v}.",
    "It is {v}, which is the {a} of {c}.",
    "{c} has {v} as its {a}, as far as is known.",
    "In {c}, the {a} goes by the name of {v}.",
    "{v} serves as the {a} in all of {c}.",
)
NUMBERS = ("{n}", "{n}.0", "The sum comes to {n} in all.", "{n} pieces", "That makes {n}.")
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


@dataclass(frozen=True)
class Pair:
    """Two answers to one question, and whether they say the same."""

    kind: str
    query: str
    first: str
    second: str
    same: bool


def pairs(items: int, seed: int) -> list[Pair]:
    """Return pairs of answers that say the same in two forms and, one for each, pairs that do not."""
    rng, world = Random(f"forms:{seed}"), World()
    found: list[Pair] = []
    for item in world.items(SET, items, seed, "train"):
        country, attribute = item.hops[-1]
        about = {"a": attribute, "c": country}
        right = world.values[item.hops[-1]]
        wrong = rng.choice([v for v in world.pools[attribute] if v != right])
        for value, same in ((right, True), (wrong, False)):
            one, other = rng.sample(SENTENCES, 2)
            found.append(
                Pair("sentence", item.query, one.format(v=right, **about), other.format(v=value, **about), same)
            )
        listed = [world.values[country, a] for a in ("capital", "river", "currency", "language")]
        changed = [wrong, *listed[1:]]
        query = f"Name the capital, river, currency and language of {country}."
        for values, same in ((listed, True), (changed, False)):
            found.append(Pair("list in any order", query, _listed(listed, rng), _listed(values, rng), same))
        number = rng.randint(11, 98)
        for total, same in ((number, True), (number + rng.choice((-10, -1, 1, 10)), False)):
            one, other = rng.sample(NUMBERS, 2)
            found.append(Pair("number", "What is the sum?", one.format(n=number), other.format(n=total), same))
    return found


def _listed(values: Sequence[str], rng: Random) -> str:
    some = rng.sample(list(values), len(values))
    return f"They are {', '.join(some[:-1])} and {some[-1]}."


def equivalent_forms(task: Task) -> list[dict[str, Any]]:
    """Judge pairs of forms with the check's own comparison alone, and with the lab's model as the judge."""
    made = pairs(task.items, task.seed)
    found = []
    for name, ask in (("text alone", False), ("with the judge", True)):
        agree = asyncio.run(_agreeing(made, ask))
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


async def _agreeing(made: Sequence[Pair], ask: bool) -> list[bool]:
    stage, engine = JudgeAgreement(views=("base",), ask=ask), open_engine(lab_engine())
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
    """Ask the same questions of a judge in five wordings: how right each is, and how often two of them agree."""
    rng = Random(f"check:{task.seed}")
    forms = [p for p in pairs(task.items, task.seed) if p.kind == "sentence"]
    items = World().items(SET, 2 * task.items, task.seed, "train")
    right = [n % 2 == 0 for n in range(len(items))]
    checks = [_shown(item, good, rng) for item, good in zip(items, right, strict=True)]
    agrees = [{"query": p.query, "first": p.first, "second": p.second} for p in forms]
    return [
        *_worded("agree", AGREE, ("SAME", "DIFFERENT"), agrees, [p.same for p in forms]),
        *_worded("check", CHECK, ("Yes", "No"), checks, right),
    ]


def _shown(item: Item, good: bool, rng: Random) -> dict[str, str]:
    return {"query": item.query, "response": item.answer if good else rng.choice(item.rivals)}


def _worded(
    prompt: str, texts: Sequence[str], legal: Sequence[str], shown: Sequence[Mapping[str, str]], truth: Sequence[bool]
) -> list[dict[str, Any]]:
    said = [asyncio.run(_verdicts(prompt, text, legal, shown)) for text in texts]
    rows: list[dict[str, Any]] = [
        {
            "setting": f"{prompt}, wording {number}",
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
    return [*rows, {"setting": f"{prompt}, all wordings", "n": len(shown), **agreed}]


async def _verdicts(
    prompt: str, text: str, legal: Sequence[str], shown: Sequence[Mapping[str, str]]
) -> list[str | None]:
    lab, engine = load_prompts("lab"), open_engine(lab_engine())
    try:
        ctx = _context(engine, replace(lab, texts={**lab.texts, prompt: text}))
        return await together([ask_verdict(ctx, "judge", prompt, legal, 16, **values) for values in shown])
    finally:
        await engine.close()
