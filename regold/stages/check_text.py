"""Reads every record for faults that need no model to be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

from regold.methods.checks import CHECKS, FAMILIES, Action, Check, Exchange, Finding, Strictness, choose, examine
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage


@dataclass(frozen=True)
class CheckText(Stage):
    """Drop what is empty or a placeholder and mark SUSPECT what shows another fault, with the evidence.

    The last user turn and the response are read; a record that a check wants repaired becomes SUSPECT too.
    """

    checks: tuple[str, ...] = ()
    """Names of checks or of families of checks; empty for all that the strictness lets in."""
    strictness: Literal["lenient", "normal", "strict"] = "normal"
    """lenient: only what is a fault whatever the task; strict: also hints that are often harmless."""

    name: ClassVar[str] = "check"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)

    def __post_init__(self) -> None:
        unknown = [name for name in self.checks if name not in CHECKS and name not in FAMILIES]
        if unknown:
            raise ValueError(f"no check or family is called {unknown[0]!r}; families: {', '.join(FAMILIES)}")

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """The names of the checks that found something; each finding as `check field start end`."""
        return {"check.found": NoteType.TEXTS, "check.spans": NoteType.TEXTS}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Examine the record."""
        exchange = Exchange.of(record.messages, record.options)
        found = examine(exchange, _chosen(self.checks, self.strictness))
        if not found:
            return Edit()
        drop = any(f.action is Action.DROP for f in found)
        spans = [f"{f.check} {f.span.field} {f.span.start} {f.span.end}" for f in found]
        notes = {"check.found": list(dict.fromkeys(f.check for f in found)), "check.spans": spans}
        return Edit(Status.DROPPED if drop else Status.SUSPECT, _reason(found, exchange), notes=notes)


@lru_cache(maxsize=8)
def _chosen(names: tuple[str, ...], strictness: str) -> tuple[Check, ...]:
    return choose(names, Strictness[strictness.upper()])


def _reason(found: Sequence[Finding], exchange: Exchange) -> str:
    """Say the gravest finding with its evidence, and name the others."""
    first = min(found, key=lambda f: list(Action).index(f.action))
    evidence = " ".join(first.excerpt(exchange).split())
    others = [name for name in dict.fromkeys(f.check for f in found) if name != first.check]
    more = f" (also {', '.join(others)})" if others else ""
    return f"{first.check} in the {first.span.field}: {evidence!r}{more}"
