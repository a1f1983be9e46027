"""Questions that only a look at the world of that day, or a life of one's own, could answer."""

from __future__ import annotations

from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span, Strictness
from regold.methods.checks.words import pattern, words

_DAY = r"(?:today|tomorrow|tonight|outside|now|right now|this week|currently)"
_PLACE = r"(?:restaurant|hospital|store|shop|gas station|hotel|cafe|coffee|airport|bank|school|park|library)"
_NOW = pattern(
    rf"\b(?:weather|temperature|forecast)\b[^.?!\n]{{0,40}}\b{_DAY}\b",
    r"\bwhat is the weather like\b",
    r"\b(?:today|tomorrow|tonight|current|currently|right now)\b[^.?!\n]{0,40}\b(?:weather|temperature (?:in|outside)"
    r"|forecast|stock price|exchange rate|share price)\b",
    r"\b(?:current|latest) (?:stock price|share price|exchange rate|price of|time in|time\?|score|weather"
    r"|temperature (?:in|outside)|revenue|market (?:situation|cap|value)"
    r"|(?:american |u\.?s\.? )?(?:president|prime minister)\b)",
    r"\bwhat (?:time|day|date) is it\b|\bwhat is (?:today's|the current) (?:date|time|day)\b",
    r"\bsearch (?:the (?:web|internet|website)|online|google)\b|\bgoogle (?:the|for)\b|\bbrowse the\b",
    rf"\b(?:nearest|closest|nearby) {_PLACE}|\b{_PLACE}s? (?:nearby|near me|near you|close to me)\b",
)
_FICTION = words("code", "function", "program", "write a story", "script", "sentence", "poem", "dialog", "conversation")
_OWN = pattern(
    r"\byou (?:recently|just|last|personally) |\byou (?:had|ate|visited|saw|watched|read|did|met|bought) "
    r"(?:yesterday|recently|today|last)|\byour (?:grandmother|grandfather|mother|father|boss|childhood|hometown|wife"
    r"|husband)"
)
_ROLE = words("imagine", "pretend", "suppose", "if you", "scenario", "assume", "role")


def of_the_moment(e: Exchange) -> Iterator[Span]:
    """Find a question for weather, prices, office holders, the nearest shop or a search of the web."""
    match = _NOW.search(e.asked)
    if match and e.given.count(" ") <= 12 and not _FICTION.search(e.asked):
        yield Span("instruction", match.start(), match.end())


def own_life(e: Exchange) -> Iterator[Span]:
    """Find a question about the model's own life, which it does not have."""
    match = _OWN.search(e.asked)
    if match and not _ROLE.search(e.asked):
        yield Span("instruction", match.start(), match.end())


CHECKS = (
    Check("of-the-moment", "Only a look at the world of that day could answer it.", Action.SUSPECT, of_the_moment),
    Check(
        "own-life", "It asks for an experience that a model has not had.", Action.SUSPECT, own_life, Strictness.STRICT
    ),
)
