"""Checks of one exchange that need no model: each names itself, shows its evidence and proposes an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from regold.methods.checks import (
    blank,
    code,
    ending,
    language,
    leak,
    links,
    loops,
    media,
    missing,
    moment,
    privacy,
    refusals,
    sums,
    tasks,
)
from regold.methods.checks.exchange import (
    FIELDS,
    Action,
    Check,
    Exchange,
    Field,
    Finding,
    Span,
    Strictness,
)

FAMILIES: Mapping[str, Sequence[Check]] = {
    "blank": blank.CHECKS,
    "ending": ending.CHECKS,
    "leak": leak.CHECKS,
    "media": media.CHECKS,
    "links": links.CHECKS,
    "moment": moment.CHECKS,
    "missing": missing.CHECKS,
    "loops": loops.CHECKS,
    "language": language.CHECKS,
    "sums": sums.CHECKS,
    "tasks": tasks.CHECKS,
    "code": code.CHECKS,
    "refusals": refusals.CHECKS,
    "privacy": privacy.CHECKS,
}
"""The checks by family, one file each."""

CHECKS: Mapping[str, Check] = {check.name: check for checks in FAMILIES.values() for check in checks}
"""All checks by name."""


MOST = 20
"""Spans of one check that are kept for one exchange."""


def choose(names: Iterable[str] = (), strictness: Strictness = Strictness.NORMAL) -> tuple[Check, ...]:
    """Return checks by the names of checks or families, or all; those above the strictness are left out unless named.

    Raises KeyError for a name that is neither.
    """
    names = list(names)
    if not names:
        return tuple(check for check in CHECKS.values() if check.level <= strictness)
    chosen: dict[str, Check] = {}
    for name in names:
        if name in CHECKS:
            chosen[name] = CHECKS[name]
        else:
            chosen |= {check.name: check for check in FAMILIES[name] if check.level <= strictness}
    return tuple(chosen.values())


def examine(exchange: Exchange, checks: Sequence[Check]) -> list[Finding]:
    """Return what the checks find in one exchange, in the order of the checks; of one check at most `MOST` spans."""
    return [Finding(check.name, check.action, span) for check in checks for span in islice(check.find(exchange), MOST)]


__all__ = [
    "CHECKS",
    "FAMILIES",
    "FIELDS",
    "Action",
    "Check",
    "Exchange",
    "Field",
    "Finding",
    "Span",
    "Strictness",
    "choose",
    "examine",
]
