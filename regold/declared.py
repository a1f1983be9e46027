"""What a recipe declares beside its steps: how its result is evaluated, and what only an experiment may do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt
from pydantic import TypeAdapter, ValidationError

from regold.errors import RecipeError

T = TypeVar("T")
_MEANT = {"description": "about", "steps": "step", "stage": "use"}
"""Names that others use for what a recipe calls otherwise."""


@dataclass(frozen=True)
class EvaluateSettings:
    """How what the recipe leads to is asked held-out questions: greedily, and sampled beside it."""

    temperature: Annotated[float, Ge(0)] = 0.5
    """Of the sampled answers that stand beside the greedy ones; 0 leaves them out. The papers evaluate at 0.5."""
    samples: Annotated[int, Gt(0)] = 1
    neighbours: Annotated[int, Ge(0)] = 0
    """The nearest training records, as they are given, shown before each question (SelfRAG in arXiv 2412.14922)."""
    model: str = ""
    """Another checkpoint to evaluate as it is, a folder or hub name; empty is the model that the recipe is run with."""


@dataclass(frozen=True)
class ExperimentSettings:
    """What needs the reserved truth, or learners of its own: resolved by the bench alone, refused by `regold run`."""

    truth: Literal["hidden", "answers", "filter"] = "hidden"
    """Train on every record with its true response (the clean oracle), or only on those whose response is true."""
    learner: Literal["sft", "noiseal"] = "sft"
    """NoiseAL trains learners of its own, which split, relabel and weigh the records by their losses."""


def build(kind: type[T], given: Any, where: str) -> T:
    """Build a settings class or stage from a TOML table. Raises RecipeError naming the place and the nearest name."""
    if not isinstance(given, Mapping):
        raise RecipeError(f"{where} = {given!r}: write it as a table")
    refuse_unknown(given, [f.name for f in fields(kind)], where)  # type: ignore[arg-type]
    try:
        return _adapter(kind).validate_python(dict(given))  # type: ignore[no-any-return, arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise RecipeError(f"{where}: {place} = {first.get('input')!r}: {first['msg']}") from error


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise RecipeError for the first name that is not known, with the nearest that is."""
    known = list(known)
    for key in given:
        if key not in known:
            listed = ", ".join(known) or "none"
            meant = _MEANT.get(key, key)
            raise RecipeError(f"{where}: has no setting {key!r}{nearest(meant, known)}; known: {listed}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name nearest to one, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
