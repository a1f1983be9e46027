"""Checks IFEval's verifiable instructions with lm-eval's own checks, and says which of them cannot run here."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from typing import Any

from regold.errors import UsageError

SENTENCES = frozenset({"length_constraints:number_sentences", "change_case:capital_word_frequency"})
"""Instructions that need nltk's sentence model."""
LONGEST = 50_000
"""Characters of an answer that are checked: the checks are regular expressions, and answers are hostile input."""


class MissingScorer(UsageError):
    """Report that a score cannot be computed here, with what to install or give."""


@cache
def missing() -> Mapping[str, str]:
    """Return the instructions that cannot be checked here, each with what to do. Raises MissingScorer if none can."""
    try:
        import langdetect
        import nltk
    except ModuleNotFoundError as error:
        raise MissingScorer(
            f"IFEval's checks need the package {error.name}: run  pip install 'lm_eval[ifeval]'"
        ) from None
    langdetect.DetectorFactory.seed = 0
    try:
        nltk.data.find("tokenizers/punkt_tab")
    except LookupError:
        how = "nltk's sentence model is not there: run  python -m nltk.downloader punkt_tab"
        return dict.fromkeys(SENTENCES, how)
    return {}


@cache
def _checks() -> Mapping[str, Any]:
    """Return lm-eval's checks by name, without the download that importing them would try."""
    absent = missing()
    import nltk

    download = nltk.download
    if absent:
        nltk.download = lambda *_, **__: False
    try:
        with redirect_stdout(io.StringIO()):  # it says that it has downloaded what it has not
            from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT
    except ModuleNotFoundError as error:
        raise MissingScorer(
            f"IFEval's checks need the package {error.name}: run  pip install 'lm_eval[ifeval]'"
        ) from None
    finally:
        nltk.download = download
    return dict(INSTRUCTION_DICT)


def follow(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """Score an answer by the instructions it follows, strictly and loosely (arXiv 2311.07911).

    `inst_*` holds a value for each instruction and `prompt_*` whether all hold; NaN where a check cannot run here.
    """
    said = str(results[0])[:LONGEST]
    strict = _followed(doc, [said])
    loose = _followed(doc, _variants(said))
    return {
        "prompt_strict": _all(strict),
        "inst_strict": strict,
        "prompt_loose": _all(loose),
        "inst_loose": loose,
    }


def _all(followed: Sequence[float]) -> float:
    """Return whether all hold; unknown where one was not checked, whatever the others: the rest stay a fair sample."""
    return math.nan if any(map(math.isnan, followed)) else float(all(followed))


def _followed(doc: Mapping[str, Any], texts: Sequence[str]) -> list[float]:
    settings = json.loads(doc["settings"])
    checked = zip(doc["instructions"], settings, strict=True)
    return [_one(name, given, doc["question"], texts) for name, given in checked]


def _one(name: str, given: Mapping[str, Any], prompt: str, texts: Sequence[str]) -> float:
    if name in missing():
        return math.nan
    check = _checks()[name](name)
    check.build_description(**{key: value for key, value in given.items() if value})
    if "prompt" in (check.get_instruction_args() or {}):
        check.build_description(prompt=prompt)
    return float(any(text.strip() and check.check_following(text) for text in texts))


def _variants(said: str) -> list[str]:
    """Return the forms in which an answer may be read loosely: without its first or last line, without asterisks."""
    lines = said.split("\n")
    cut = [said, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return [*cut, *(text.replace("*", "") for text in cut)]
