"""Scores that take more than lm-eval gives: a judge's verdict on a free answer, and tests run in the sandbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from regold.engines.base import Engine, Request
from regold.errors import RequestFailed
from regold.evaluate.results import Item
from regold.evaluate.sandbox import Limits, run_program
from regold.evaluate.scorers import read_code
from regold.methods.statements import final_text
from regold.prompts import Prompts, load_prompts
from regold.record import Message
from regold.together import together

Answered: TypeAlias = tuple[Mapping[str, Any], str]
"""A question and what was said to it."""
GRADES: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "fact": {
        "CORRECT": {"correct": 1.0, "attempted": 1.0},
        "INCORRECT": {"correct": 0.0, "attempted": 1.0},
        "NOT_ATTEMPTED": {"correct": 0.0, "attempted": 0.0},
    },
    "truthful": {"TRUE": {"truthful": 1.0}, "FALSE": {"truthful": 0.0}},
}
"""Each judged score's verdicts and what they count."""
WITHOUT = {
    "fact": ("correct", "needs a judge: give --judge MODEL"),
    "truthful": ("truthful", "needs a judge: give --judge MODEL"),
    "code": ("pass@1", "not run: needs --run-code, which runs the model's programs in a sandbox"),
}
"""The score of each kind, and how to get it."""
_CUE = re.compile(r"verdict\W+([A-Z_]+)", re.IGNORECASE)
_IMPORTS = re.compile(r"^(?:import|from)\s.*$", re.MULTILINE)


@dataclass(frozen=True)
class Judge:
    """A model that grades free answers."""

    engine: Engine
    prompts: Prompts
    in_flight: int = 64

    @classmethod
    def of(cls, engine: Engine, in_flight: int = 64) -> Judge:
        """Take an engine with the shipped prompts."""
        return cls(engine, load_prompts("judge"), in_flight)

    async def grade(self, kind: str, answered: Sequence[Answered]) -> list[Mapping[str, float]]:
        """Return each answer's scores; an answer without a clear verdict gets NaN, and is left out of the mean."""
        slots = asyncio.Semaphore(self.in_flight)

        async def one(doc: Mapping[str, Any], said: str) -> Mapping[str, float]:
            prompt = self.prompts.render(kind, **_shown(doc, said))
            async with slots:
                try:
                    done = await self.engine.generate(Request((Message("user", prompt),), max_tokens=512))
                except RequestFailed:
                    return _unknown(kind)
            return verdict(kind, done.text) or _unknown(kind)

        return await together([one(doc, said) for doc, said in answered])


def _shown(doc: Mapping[str, Any], said: str) -> dict[str, str]:
    """Return what the judge is shown; a model's answer must not be able to close its own quotation."""
    shown = {
        "question": doc["question"],
        "reference": doc["answer"],
        "true": "\n".join(doc.get("true", ())),
        "false": "\n".join(doc.get("false", ())),
        "answer": final_text(said) or "",
    }
    return {name: text.replace("<", "‹").replace(">", "›") for name, text in shown.items()}


def verdict(kind: str, text: str) -> Mapping[str, float] | None:
    """Return the scores that a judge's text gives: its last `Verdict:`, or a text that is nothing but a verdict."""
    grades = GRADES[kind]
    named = [word.upper() for word in _CUE.findall(text)] or [text.strip().strip(".*\"'` ").upper()]
    return grades.get(named[-1].replace(" ", "_"))


def _unknown(kind: str) -> Mapping[str, float]:
    return {name: float("nan") for name in next(iter(GRADES[kind].values()))}


def program_of(doc: Mapping[str, Any], said: str) -> str | None:
    """Return the whole program that tests an answer; None where the answer holds none."""
    code = read_code(doc, said)
    if code is None:
        return None
    if doc["entry"]:
        defined = f"def {doc['entry']}" in code
        # What only goes on with a given function is put behind it; a whole function still needs the given imports.
        code = f"{chr(10).join(_IMPORTS.findall(doc['question']))}\n{code}" if defined else doc["question"] + code
    return "\n".join([doc["setup"], code, *doc["tests"]])


async def run_code(
    answered: Sequence[Answered], limits: Limits | None = None, at_once: int = 2
) -> list[Mapping[str, float]]:
    """Run each answer's program with its tests in the sandbox. Raises NoSandbox where there is none."""
    slots = asyncio.Semaphore(at_once)

    async def one(doc: Mapping[str, Any], said: str) -> Mapping[str, float]:
        program = program_of(doc, said)
        if program is None:
            return {"pass@1": 0.0}
        async with slots:
            return {"pass@1": float((await asyncio.to_thread(run_program, program, limits)).passed)}

    return await together([one(doc, said) for doc, said in answered])


def with_scores(items: Sequence[Item], scores: Sequence[Mapping[str, float]]) -> list[Item]:
    """Put later scores in front of each question's own."""
    return [
        replace(item, scores={**{name: (value,) for name, value in new.items()}, **item.scores})
        for item, new in zip(items, scores, strict=True)
    ]
