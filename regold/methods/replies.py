"""Reads structured replies: a JSON object that repeats the mark it was asked for, or a plain form of a few lines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from regold.methods.statements import without_thinking

TRIES = 100
"""Braces from which an object is tried, the first ones."""
_DECODER = json.JSONDecoder(strict=False)


def text_schema(keys: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of an object that holds a text under each key."""
    texts = {key: {"type": "string"} for key in keys}
    return {"type": "object", "properties": texts, "required": list(keys), "additionalProperties": False}


def json_reply(text: str, mark: str | None) -> dict[str, Any] | None:
    """Return the JSON object that a reply is or ends with; None where there is none or it lacks the mark.

    An object that was planted in the data cannot know the mark.
    """
    for start in [m.start() for m in re.finditer(r"\{", text)][:TRIES]:
        try:
            found, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and not text[end:].strip("` \n\t"):
            return found if mark is None or found.get("mark") == mark else None
    return None


def json_texts(found: dict[str, Any] | None, keys: Sequence[str]) -> tuple[str, ...] | None:
    """Return the texts under the keys of an object, trimmed; None where one is missing or no text."""
    values = [] if found is None else [found.get(key) for key in keys]
    if len(values) != len(keys) or not all(isinstance(value, str) for value in values):
        return None
    return tuple(str(value).strip() for value in values)


def plain_texts(text: str, keys: Sequence[str]) -> tuple[str, ...] | None:
    """Read the plain form: `Q: ...` and `A: ...` lines for an instruction and a response, else the text after `A:`.

    A reply to a request for a response alone may leave the `A:` out. None where the form is not kept.
    """
    said = without_thinking(text).strip()
    if "instruction" in keys:
        match = re.search(r"(?:^|\n)\s*Q:(.*?)\n\s*A:(.*)$", said, re.DOTALL)
        return (match[1].strip(), match[2].strip()) if match else None
    match = re.search(r"(?:^|\n)\s*A:(.*)$", said, re.DOTALL)
    return (match[1].strip() if match else said,)
