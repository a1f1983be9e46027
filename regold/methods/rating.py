"""Reads a rating out of a model's reply, and puts overall scores of 1 to 10 into the six classes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

AXES = ("rarity", "complexity", "informativeness", "overall", "correct")
"""What a rater may be asked: three sides of value and `overall` value, and whether the response is `correct`."""
CLASSES = 6
TRIES = 100
"""Braces from which an object is tried, the last ones."""

_SCORE: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)])
_ALONE = re.compile(
    r"\s*(?:rating|score|overall)?\s*[:=]?\s*(\d{1,2}(?:\.\d+)?)\s*(?:/\s*10|out of 10)?\s*[.!]?\s*", re.I
)

Scores = Mapping[str, float]
"""Scores of 1 to 10 by axis; an axis that could not be read is absent."""


def compress(overall: float) -> int:
    """Return the class 0-5 of an overall score: up to 4 is 0, 5 is 1, ... 8 is 4, 9 and more is 5 (ENTP)."""
    return min(max(math.floor(overall + 0.5) - 4, 0), CLASSES - 1)


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are there, None where none is."""
    known = [v for v in values if v is not None]
    return fmean(known) if known else None


@dataclass(frozen=True)
class RatingForm:
    """The form in which a prompt wants its rating: the axes it names, as JSON behind a mark, or in plain words."""

    axes: tuple[str, ...]
    as_json: bool
    before: tuple[str, ...]
    """The texts that go before the scores: why, and the mark."""

    @classmethod
    def of(cls, prompt: str) -> RatingForm:
        """Return the form that a prompt's text asks for; one that names no axis may be answered with any of them."""
        named = tuple(axis for axis in AXES if f'"{axis}"' in prompt)
        return cls(named or AXES, "JSON" in prompt, tuple(key for key in ("why", "mark") if f'"{key}"' in prompt))

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON schema that the reply must follow; None for a prompt that wants plain words."""
        if not self.as_json:
            return None
        texts = {key: {"type": "string"} for key in self.before}
        scores = {axis: {"type": "integer", "minimum": 1, "maximum": 10} for axis in self.axes}
        keys = [*texts, *scores]
        return {"type": "object", "properties": {**texts, **scores}, "required": keys, "additionalProperties": False}

    def example(self, mark: str) -> str:
        """Return what a reply must look like, for the repair turn."""
        if not self.as_json:
            return "one JSON object such as " + json.dumps(dict.fromkeys(self.axes, 5))
        return (
            json.dumps({key: mark if key == "mark" else "..." for key in self.before})[:-1]
            + "".join(f', "{axis}": 1 to 10' for axis in self.axes)
            + "}"
        )

    def read(self, reply: str, mark: str) -> dict[str, float]:
        """Return the scores that a reply gives in range; nothing from one that does not repeat a mark it was given."""
        found = _last_object(reply)
        if found is None:
            alone = None if self.as_json else _ALONE.fullmatch(reply)
            return _in_range({"overall": alone[1]}) if alone else {}
        if self.as_json and "mark" in self.before and found.get("mark") != mark:
            return {}
        return _in_range({axis: found[axis] for axis in self.axes if axis in found})

    def complete(self, scores: Scores) -> bool:
        """Return whether nothing that was asked is missing."""
        return all(axis in scores for axis in self.axes) if self.as_json else "overall" in scores or "correct" in scores


def _in_range(given: Mapping[str, Any]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for axis, value in given.items():
        try:
            scores[axis] = _SCORE.validate_python(None if isinstance(value, bool) else value)
        except ValidationError:
            continue
    return scores


def _last_object(text: str) -> dict[str, Any] | None:
    for start in reversed([m.start() for m in re.finditer(r"\{", text)][-TRIES:]):
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and not text[end:].strip("` \n\t"):
            return found
    return None
