"""Responses that say the same thing over and over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span, Strictness

_WORD = re.compile(r"\S+")
_LINE = re.compile(r"\S[^\n]*")
_MARKS = " \t\n0123456789-*.()"
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")
_ASKED_FOR = re.compile(
    r"\b(?:repeat|repeti|loop|lyric|song|poem|chorus|pattern|print|verse|chant|haiku|times\b|rap(?:s|ping)?\b)"
)
MOST_WORDS = 4_000
"""Words of a text's end in which loops are looked for; a loop that fills a context stands there."""
LINES = 10
"""So often a line must stand that is shorter than a sentence."""


def _wanted(e: Exchange) -> bool:
    """Return whether something was asked for that says the same again and again."""
    return _ASKED_FOR.search(e.asked) is not None


def repeated_end(e: Exchange) -> Iterator[Span]:
    """Find a phrase of 1 to 40 words said at least three times in a row at the end (five times below four words)."""
    if _wanted(e):
        return
    said = e.said.split()[-MOST_WORDS:]
    for size in range(1, min(40, len(said) // 3) + 1):
        if not said[-1] == said[-1 - size] == said[-1 - 2 * size]:
            continue
        times = 1
        while (times + 1) * size <= len(said) and said[-(times + 1) * size : -times * size or None] == said[-size:]:
            times += 1
        if times >= (3 if size >= 4 else 5) and any(w[0].isalpha() for w in said[-size:]):
            words = list(_WORD.finditer(e.said))
            yield Span("response", words[-times * size].start(), words[-1].end())
            return


def repeated_sentence(e: Exchange) -> Iterator[Span]:
    """Find a sentence of five words or more that stands three times and makes a third of the response.

    A shorter line, bullets and numbers aside, must stand ten times and make half of all lines.
    """
    if len(e.said) < 60 or _wanted(e) or "```" in e.said:
        return
    spans: dict[str, list[tuple[int, int]]] = {}
    for match in _SENTENCE.finditer(e.said):
        sentence = match[0].strip(_MARKS)
        if len(sentence) > 24 and sentence.count(" ") >= 4:
            spans.setdefault(sentence, []).append((match.start(), match.end()))
    for sentence, places in spans.items():
        if len(places) >= 3 and len(places) * len(sentence) * 3 >= len(e.said):
            yield Span("response", *places[1])
            return
    yield from _repeated_line(e)


def _repeated_line(e: Exchange) -> Iterator[Span]:
    lines = [(match[0].lstrip(_MARKS).rstrip(), match.span()) for match in _LINE.finditer(e.said)]
    line, times = Counter(line for line, _ in lines).most_common(1)[0] if len(lines) >= LINES else ("", 0)
    if times >= LINES and times * 2 >= len(lines) and line[:1].isalpha():
        yield Span("response", *[span for text, span in lines if text == line][1])


def character_run(e: Exchange) -> Iterator[Span]:
    """Find one letter or sign ten times in a row."""
    if _wanted(e):
        return
    for character in set(e.said):
        place = e.said.find(character * 10) if character.isalnum() or character in "!?,;:'\"" else -1
        if place >= 0 and not character.isdigit():
            yield Span("response", place, place + 10)
            return


def few_words(e: Exchange) -> Iterator[Span]:
    """Find a response of 40 words or more of which one word makes a third."""
    words = e.said.split() if len(e.said) >= 80 else []
    if len(words) < 40 or len(set(words)) * 3 > len(words) * 2 or _wanted(e):
        return
    word, times = Counter(words).most_common(1)[0]
    if times * 3 >= len(words) and word.isalpha() and len(word) > 1:
        place = e.said.find(word)
        yield Span("response", place, place + len(word))


CHECKS = (
    Check("repeated-end", "The response ends in a loop.", Action.DROP, repeated_end, Strictness.LENIENT),
    Check("repeated-sentence", "The response says one sentence over and over.", Action.SUSPECT, repeated_sentence),
    Check("character-run", "One character stands ten times in a row.", Action.SUSPECT, character_run),
    Check("few-words", "One word makes a third of the response.", Action.SUSPECT, few_words),
)
