"""Scores what a model said to a benchmark's question; the task files name these functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from regold.evaluate.said import finish_of
from regold.methods.agreement import normalised, same_answer
from regold.methods.answers import Kind, extract, read_answer
from regold.methods.choices import LETTERS
from regold.methods.mathematics import math_answer, same_math
from regold.methods.numbers import parse_number
from regold.methods.overlap import rouge_l, span_scores
from regold.methods.statements import final_text, plain, statements

Doc: TypeAlias = Mapping[str, Any]
Scores: TypeAlias = dict[str, Any]
Reader: TypeAlias = Callable[[Doc, str], str | None]
Likelihoods: TypeAlias = Sequence[tuple[float, bool]]

_AND = re.compile(r"\s*(?:,|;|\band\b)\s*")
_FENCED = re.compile(r"```[ \t]*(?:python3?|py)?[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)


def mean_of_all(values: Iterable[float | Sequence[float]]) -> float:
    """Return the mean of numbers, of which a question may give several."""
    return float(np.mean(np.concatenate([np.atleast_1d(np.asarray(v, dtype=float)) for v in values])))


def read_letter(doc: Doc, said: str) -> str | None:
    """Return the letter of the option that a text chooses, as the check of the views reads it."""
    return extract(said, Kind.CHOICE, doc["options"], finish_of(said))


def choice(doc: Doc, results: Sequence[str]) -> Scores:
    """Score a chosen letter; unclear is wrong, and counted as unread."""
    found = read_letter(doc, results[0])
    return {"acc": float(found == doc["answer"]), "unread": float(found is None)}


def read_number(doc: Doc, said: str) -> str | None:
    """Return the number that a text gives as its answer."""
    return extract(said, Kind.NUMBER, (), finish_of(said))


def number(doc: Doc, results: Sequence[str]) -> Scores:
    """Score a number by value, whatever its commas and units."""
    found = read_number(doc, results[0])
    return {"exact_match": float(_same_number(found, doc["answer"])), "unread": float(found is None)}


def _same_number(found: str | None, wanted: str) -> bool:
    numbers = parse_number(found or ""), parse_number(wanted)
    return numbers[0] is not None and numbers[1] is not None and numbers[0].value == numbers[1].value


def read_math(doc: Doc, said: str) -> str | None:
    """Return the formula that a text gives as its answer."""
    return None if finish_of(said) == "length" else math_answer(said)


def mathematics(doc: Doc, results: Sequence[str]) -> Scores:
    """Score a formula: the same text, the same parts or the same value."""
    found = read_math(doc, results[0])
    return {"exact_match": float(same_math(found, doc["answer"])), "unread": float(found is None)}


def read_bbh(doc: Doc, said: str) -> str | None:
    """Return the answer to a task of BIG-Bench Hard: an option's letter, brackets, a number or words."""
    if doc["options"]:
        return extract(said, Kind.CHOICE, doc["options"], finish_of(said))
    if doc["category"].startswith("dyck"):
        return None if finish_of(said) == "length" else _brackets(_last(said)) or None
    if doc["category"] == "word_sorting":
        return None if finish_of(said) == "length" else _last(said) or None
    return read_answer(said, doc["answer"], (), finish_of(said))


def bbh(doc: Doc, results: Sequence[str]) -> Scores:
    """Score a task of BIG-Bench Hard; `undecided` is what only a person could compare, and counts as wrong."""
    found, wanted, options = read_bbh(doc, results[0]), doc["answer"], doc["options"]
    if options:
        letter = LETTERS[options.index(wanted)] if wanted in options else wanted.strip("()")
        verdict: bool | None = found == letter
    elif doc["category"].startswith("dyck"):
        verdict = found == _brackets(wanted)
    else:
        verdict = same_answer(found, wanted)
    right = float(verdict is True)
    return {"exact_match": right, "unread": float(found is None), "undecided": float(verdict is None)}


def _brackets(text: str) -> str:
    return "".join(c for c in text if c in "()[]{}<>")


def _last(said: str) -> str:
    text = plain(said)
    stated = statements(text)
    return stated[-1].content if stated else text.strip().rpartition("\n")[2]


def read_span(doc: Doc, said: str) -> str | None:
    """Return the few words that a text gives as its answer, or its response part where it states none."""
    return extract(said, Kind.SHORT, (), finish_of(said)) or extract(said, Kind.FREE, (), finish_of(said))


def spans(doc: Doc, results: Sequence[str]) -> Scores:
    """Score spans by exact match and F1 against the best gold answer; where it has several, at commas and `and` too."""
    found, golds = read_span(doc, results[0]), json.loads(doc["golds"])
    said = [] if found is None else [found]
    scores = [span_scores(said, golds)]
    if found is not None and max(map(len, golds)) > 1:
        scores.append(span_scores([part for part in _AND.split(found) if part], golds))
    return {
        "em": max(em for em, _ in scores),
        "f1": max(f1 for _, f1 in scores),
        "unread": float(found is None),
    }


def likelihoods_of_truth(doc: Doc, results: Likelihoods) -> Scores:
    """Score TruthfulQA's mc1 and mc2 from the log-likelihoods of the true, then the false answers.

    mc1 is whether the best answer is likelier than every false one; mc2 the share of probability on true answers.
    """
    logs = np.array([log for log, _ in results], dtype=float)
    true, false = logs[: len(doc["true"])], logs[len(doc["true"]) :]
    odds = np.exp(logs - logs.max())
    return {"mc1": float(true[0] > false.max()), "mc2": float(odds[: len(true)].sum() / odds.sum())}


def truthful(doc: Doc, results: Sequence[str]) -> Scores:
    """Score a free answer: is it nearer, by ROUGE-L, to a true reference than to every false one?"""
    said = final_text(results[0]) or ""
    gap = max(rouge_l(said, t) for t in doc["true"]) - max(rouge_l(said, f) for f in doc["false"])
    return {"rouge_acc": float(gap > 0), "rouge_diff": gap}


def short(doc: Doc, results: Sequence[str]) -> Scores:
    """Score a short fact by exact match and F1 of words; whether a differing text is right takes a judge."""
    found = read_span(doc, results[0])
    em, f1 = span_scores([] if found is None else [found], [[doc["answer"]]])
    same = found is not None and normalised(found) == normalised(doc["answer"])
    return {"em": max(em, float(same)), "f1": f1, "unread": float(found is None)}


def read_code(doc: Doc, said: str) -> str | None:
    """Return the program in a text: its last fenced block that defines what is asked, else all of it."""
    blocks = [block for block in _FENCED.findall(said) if block.strip()]
    entry = doc["entry"]
    defining = [block for block in blocks if f"def {entry or ''}" in block]
    if blocks:
        return str((defining or blocks)[-1])
    return said if said.strip() else None


def code(doc: Doc, results: Sequence[str]) -> Scores:
    """Say only whether there is a program; running it takes a sandbox, and is done where that is asked for."""
    return {"unread": float(read_code(doc, results[0]) is None)}


READERS: Mapping[str, Reader] = {
    "choice": read_letter,
    "number": read_number,
    "mathematics": read_math,
    "bbh": read_bbh,
    "spans": read_span,
    "short": read_span,
    "code": read_code,
    "truthful": lambda doc, said: final_text(said),
    "instructions": lambda doc, said: str(said),
}
"""What is read from an answer before it is scored, by the scorer's name."""
