"""Responses that refuse, or speak of being a model, where neither was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span
from regold.methods.checks.words import pattern, words

_DOES = (
    r"(?:help (?:you|with)|assist|fulfil|fulfill|comply|provide|answer|complete|create|generate|perform|do that|access"
    r"|browse)\b"
)
_CANNOT = r"(?:cannot|can't|can not|won't|will not)"
_REFUSES = pattern(
    r"\bas an ai(?: language)?(?: model| assistant)?\b",
    r"\bi(?:'m| am) (?:just |only )?an? (?:ai|artificial intelligence|language model|large language)\b",
    rf"\bi(?:'m| am) (?:sorry|afraid),? (?:but )?(?:that )?i(?:'m| am)? (?:{_CANNOT}|unable|not able|do not|don't)\b",
    rf"\bi {_CANNOT} {_DOES}",
    rf"\bi(?:'m| am) (?:unable|not able) to {_DOES}",
    r"\b(?:cannot|can not|can't) be (?:completed|fulfilled|answered|performed|done|executed) by (?:an? )?(?:gpt|ai"
    r"|language|text)",
    r"\bgpt(?:-?[0-9])? (?:model|language model)s? (?:cannot|can't|is unable|is not able|does not)\b",
    r"\b(?:sorry|unfortunately|apologies),? (?:but )?i (?:cannot|can't|am unable|do not have|don't have|am not able)\b",
    r"\bi do(?: not|n't) have (?:access to|the ability to|enough information)\b",
    r"\bplease provide (?:me with )?(?:the|an?|more) (?:text|input|article|information|passage|list|details|context"
    r"|data)\b",
)
_HINTS = pattern(r"as an ai|i'm |i am |i can|i won|i will not|i do|sorry|gpt|please provide| by an")
_SPEECH = words(
    "email", "e-mail", "letter", "story", "poem", "song", "dialog", "conversation", "respond to", "response to",
    "reply", "chatbot", "customer", "script", "message", "apolog", "refus", "decline",
    "rewrite", "paraphras", "translate",
)  # fmt: skip
EDGE = 400
"""Characters at either end of a response in which a refusal is looked for."""


def refusal(e: Exchange) -> Iterator[Span]:
    """Find a refusal at either end of a response that is not a letter, a story or a dialogue."""
    last = max(EDGE, len(e.said) - EDGE)
    for start, text in ((0, e.said[:EDGE]), (last, e.said[last:])):
        match = _REFUSES.search(text) if _HINTS.search(text) else None
        if match and match[0] not in e.given and not _SPEECH.search(e.asked):
            yield Span("response", start + match.start(), start + match.end())
            return


CHECKS = (Check("refusal", "The response refuses, or speaks of being a model.", Action.SUSPECT, refusal),)
