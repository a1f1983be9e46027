"""Texts that say nothing: empty ones, placeholders, templates that nobody filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Field, Span, Strictness, whole
from regold.methods.checks.words import words

_TAG = re.compile(r"[<\[({`\"' ]{0,6}\bno[ _-]?(?:in|out)put\b(?:s?[ ]{0,2}[>\])}`\"'.?]{0,6})")
_NOTHING = re.compile(
    r"(?:no|without|there is no)[ _-]?(?:additional |further |specific |other |extra )?(?:in|out)put"
    r"(?: (?:is )?(?:required|needed|provided|necessary|given|available|specified|applicable|for this task))?"
    r"|none|n[/.]?a|nil|null|not (?:applicable|required|needed|provided|available)|nan|tbd|todo|placeholder"
    r"|(?:your )?(?:in|out)put|(?:your )?(?:response|answer)(?: here)?|lorem ipsum|undefined"
)
_SHORT_ANSWERS = re.compile(
    r"none|null|nil|n[/.]?a|not (?:applicable|required|needed|provided|available)|nan|undefined"
)
_SIGNS = words("punctuat", "symbol", "sign", "operator", "character", "emoji", "mark", "separator", "fill")
_EDGES = " \t\r\n<>[](){}`\"'*_.:;!?-–—…#|/\\"
_UNFILLED = re.compile(
    r"[\[<{(][ ]{0,3}(?:please )?(?:insert|enter|add|paste|type|attach|put)\b[^\]\[<>{}()\n]{0,80}[\]>})]"
    r"|\{\{[^{}\n]{0,60}\}\}|[\[<]your (?:text|input|question|instruction)[^\]<>\n]{0,40}[\]>]"
)


def _empty(field: Field, text: str) -> Iterator[Span]:
    if not text.strip():
        yield Span(field, 0, len(text))


def empty_response(e: Exchange) -> Iterator[Span]:
    """Find a response of nothing but white space or punctuation that no instruction could ask for."""
    yield from _empty("response", e.response)
    bare = e.response.strip()
    if bare and len(bare) < 20 and not bare.strip(_EDGES) and not _SIGNS.search(e.asked):
        yield whole("response", e.response)


def empty_instruction(e: Exchange) -> Iterator[Span]:
    """Find an instruction of nothing, with no input that could stand for it."""
    if not e.input.strip():
        yield from _empty("instruction", e.instruction)


def placeholder_response(e: Exchange) -> Iterator[Span]:
    """Find a response that is a placeholder, or that carries the tag `<noinput>` or `<nooutput>`."""
    bare = e.said.strip(_EDGES) if len(e.said) < 120 else ""
    # "None" can be an answer: a short word of that kind is a placeholder only where it stands in brackets
    if bare and _NOTHING.fullmatch(bare) and (not _SHORT_ANSWERS.fullmatch(bare) or e.said.strip()[0] in "<[{"):
        yield whole("response", e.response)
        return
    yield from _tags("response", e.said, e.asked + e.given)


def placeholder_input(e: Exchange) -> Iterator[Span]:
    """Find an input, or its last paragraph, that only says that there is none."""
    last = e.given.rstrip().rfind("\n\n") + 1
    bare = e.given[last:].strip(_EDGES) if len(e.given) - last < 120 else ""
    if bare and _NOTHING.fullmatch(bare) and bare not in ("input", "output", "answer", "response"):
        span = whole("input", e.input[last:])
        yield Span("input", span.start + last, span.end + last)
        return
    yield from _tags("input", e.given, e.asked)
    if e.asked.rstrip()[-12:].strip(_EDGES).replace(" ", "").endswith("noinput"):
        yield from _tags("instruction", e.asked, "")


def _tags(field: Field, text: str, elsewhere: str) -> Iterator[Span]:
    """Find the tag itself, unless the exchange is about it."""
    if "<" not in text or "put" not in text:
        return
    for match in _TAG.finditer(text):
        if "<" in match[0] and not _TAG.search(elsewhere):
            yield Span(field, match.start() + len(match[0]) - len(match[0].lstrip()), match.end())


def unfilled_template(e: Exchange) -> Iterator[Span]:
    """Find a blank in an instruction or its input that a template left to be filled in, such as `[insert text]`."""
    for field, text in (("instruction", e.asked), ("input", e.given)):
        if "template" in e.asked or "placeholder" in e.asked:
            return
        for match in _UNFILLED.finditer(text):
            yield Span(field, match.start(), match.end())  # type: ignore[arg-type]


CHECKS = (
    Check("empty-response", "The response is empty.", Action.DROP, empty_response, Strictness.LENIENT),
    Check("empty-instruction", "Nothing is asked.", Action.DROP, empty_instruction, Strictness.LENIENT),
    Check(
        "placeholder-response",
        "The response is a placeholder, or carries one.",
        Action.DROP,
        placeholder_response,
        Strictness.LENIENT,
    ),
    Check(
        "placeholder-input",
        "The input only says that there is none; clear it.",
        Action.REPAIR,
        placeholder_input,
        Strictness.LENIENT,
    ),
    Check("unfilled-template", "A template's blank was left to be filled in.", Action.SUSPECT, unfilled_template),
)
