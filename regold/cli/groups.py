"""Options in groups: a command takes a dataclass, and each of its fields becomes an option of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Spread a command's dataclass parameters into options, in their place; options come back as dataclasses."""
    hints = get_type_hints(command)
    kinds: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @wraps(command)
    def spread(**given: Any) -> None:
        groups = {name: kind(**{f.name: given.pop(f.name) for f in fields(kind)}) for name, kind in kinds.items()}
        command(**given, **groups)

    whole = signature(command, eval_str=True)
    listed = [own for p in whole.parameters.values() for own in (_fields(kinds[p.name]) if p.name in kinds else [p])]
    only = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in listed]
    spread.__signature__ = whole.replace(parameters=only)  # type: ignore[attr-defined]
    return spread


def _fields(kind: Any) -> Iterator[Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
