"""Instructions that refer to a text which is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span

_THING = (
    r"(?:text|passage|paragraph|sentence|sentences|article|poem|story|list|words|numbers|code|email|letter|data|table"
    r"|dialogue|conversation|document|quote|statement|statements|excerpt|essay|report|review|tweet|equation|expression"
    r"|string|array|items|phrase|phrases|snippet|function|headline|speech|lyrics|transcript|dataset|input)"
)
_REFERS = re.compile(
    rf"\b(?:the|this|these) (?:following|below|given|provided|attached) (?:[a-z]{{1,14}} )?{_THING}\b"
    rf"|\b(?:following|given|provided) {_THING}\b|\b{_THING} (?:below|provided|given below|given above|attached)\b"
)
_HOLDS = re.compile(r"[.?!]\s+\S|[:\"'`\n=\[{<(]|\d[,;] ?\d|\b\w+, \w+, (?:and |or )?\w+|- ")
_MAKES = re.compile(
    r"\A(?:[a-z]+ly )?(?:write|create|generate|make|compose|design|develop|implement|construct|come up|build|produce"
    r"|give (?:me )?an?|code|devise|how|what|draft|suggest|describe how|explain how|program)\b"
    r"|\bgiven an?\b|\bwith the (?:following|given) "
)


def missing_input(e: Exchange) -> Iterator[Span]:
    """Find `the following text` and the like where no text follows."""
    if e.given.strip() or e.follows or len(e.instruction) > 300:
        return
    match = _REFERS.search(e.asked)
    if match and len(e.asked[match.end() :].split()) < 8 and not _HOLDS.search(e.asked) and not _MAKES.search(e.asked):
        yield Span("instruction", match.start(), match.end())


CHECKS = (Check("missing-input", "It refers to a text that is not there.", Action.SUSPECT, missing_input),)
