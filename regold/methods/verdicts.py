"""Reads a verdict, one of a few legal words, out of a model's reply; anything else is no verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from regold.methods.statements import plain, statements, trimmed

TRIES = 100
"""Braces from which an object is tried, the last ones."""


def verdict_schema(legal: Sequence[str], before: Sequence[str]) -> Mapping[str, Any]:
    """Return the JSON schema of a verdict and of the texts that come before it, such as why."""
    texts = {name: {"type": "string"} for name in before}
    return {
        "type": "object",
        "properties": {**texts, "verdict": {"type": "string", "enum": list(legal)}},
        "required": [*texts, "verdict"],
        "additionalProperties": False,
    }


def json_verdict(text: str, legal: Sequence[str], mark: str | None = None) -> str | None:
    """Return the verdict in the JSON object that a reply is or ends with; None where there is no legal one.

    With a `mark`, the object must repeat it: a verdict that was planted in the data cannot know it.
    """
    for start in reversed([m.start() for m in re.finditer(r"\{", text)][-TRIES:]):
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and "verdict" in found and not text[end:].strip("` \n\t"):
            known = mark is None or found.get("mark") == mark
            return _legal(str(found["verdict"]).strip(), legal) if known else None
    return None


def plain_verdict(text: str, legal: Sequence[str]) -> str | None:
    """Return the verdict of a reply's last answer statement, or of a reply that is nothing but a verdict."""
    text = plain(text)
    said = statements(text)
    claim = trimmed(said[-1].content if said else text)
    match = re.match(r"(?:(?:candidate|answer|option|number)\s+)?\(?(\w+)(?![\w/]|[.,]\d)\)?", claim, re.IGNORECASE)
    return _legal(match[1], legal) if match and (said or match.end() == len(claim)) else None


def named_alone(text: str, claims: Mapping[str, str]) -> str | None:
    """Return the verdict whose claim is the only one that a reply names; None where it names none or several.

    Claims of one or two characters are option letters and the like, and are not looked for.
    """
    if any(len(claim.strip()) < 3 for claim in claims.values()):
        return None
    folded = plain(text).casefold()
    named = [v for v, claim in claims.items() if re.search(rf"(?<!\w){re.escape(claim.casefold())}(?!\w)", folded)]
    return named[0] if len(named) == 1 else None


def _legal(word: str, legal: Sequence[str]) -> str | None:
    return next((verdict for verdict in legal if verdict.casefold() == word.casefold()), None)
