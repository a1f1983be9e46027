"""Options in groups: a command takes a dataclass, and each of its fields becomes an option of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, get_type_hints

from typer.core import TyperCommand
from typer.models import OptionInfo

OTHERS = "Options"


class Sectioned(TyperCommand):
    """A command whose help lists its options in sections, each under the `section` of the dataclass it is from."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, each section, and last the options that belong to none."""
        found: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            own = "Arguments" if param.param_type_name == "argument" else getattr(param, "rich_help_panel", None)
            if record is not None:
                found.setdefault(own or OTHERS, []).append(record)
        for title in sorted(found, key=lambda title: title == OTHERS):
            with formatter.section(title):
                formatter.write_dl(found[title])


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
        hint = _sectioned(hints[field.name], getattr(kind, "section", None))
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hint)


def _sectioned(hint: Any, section: str | None) -> Any:
    """Return the annotation of an option with the title of its section."""
    about = []
    for one in getattr(hint, "__metadata__", ()):
        own = copy(one)
        if isinstance(own, OptionInfo):
            own.rich_help_panel = section
        about.append(own)
    return Annotated[(hint.__origin__, *about)] if about else hint
