"""Responses that stop before they end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span, Strictness

_OPEN_WORDS = frozenset(
    (
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "nor",
        "into",
        "because",
        "although",
        "whether",
        "its",
        "their",
        "your",
        "my",
    )
)
_LAST_WORD = re.compile(r"[a-z']{1,20}\Z")
_ENDED = tuple(".!?…:;\"'”’)]}>|*`~_-=+#/\\%°。！？」』）,—–$€£^&@")
_PROSE = re.compile(r"[.!?][\"')\]”’]{0,3}\s")
_CODE = re.compile(r"[{};]\s*\n|^\s{2,}\S|=>|</|\bdef |\breturn\b|\bSELECT\b|^#include", re.MULTILINE)
LONG = 120
"""Words from which a response without an end mark counts as cut off by a limit of tokens."""


def open_end(e: Exchange) -> Iterator[Span]:
    """Find prose that ends in a comma or a word that cannot end a sentence."""
    text = e.response.rstrip()
    word = _LAST_WORD.search(e.said[max(0, len(text) - 24) : len(text)])
    if not (word and word[0] in _OPEN_WORDS) and not text.endswith(","):
        return
    last = text[text.rfind("\n") + 1 :]
    prose = len(text) >= 60 and len(last.split()) >= 6 and _PROSE.search(text) and not _CODE.search(text[-400:])
    if prose and not e.asked.startswith(("complete", "fill", "continue")):
        yield Span("response", len(text) - (len(word[0]) if word else 1), len(text))


def cut_off(e: Exchange) -> Iterator[Span]:
    """Find a long text of sentences whose last line ends without any mark: lists, verses and code aside."""
    text = e.response.rstrip()
    if len(text) < 200 or text.endswith(_ENDED) or _CODE.search(text):
        return
    last = text[text.rfind("\n") + 1 :]
    if len(last.split()) < 8 or "#" in last or text.count(" ") < LONG or len(_PROSE.findall(text)) < 3:
        return
    lines = [line for line in text.split("\n")[:-1] if len(line.split()) >= 8]
    if all(line.rstrip().endswith(_ENDED) for line in lines) and (lines or _PROSE.search(last)):
        yield Span("response", len(text) - len(last[-30:]), len(text))


CHECKS = (
    Check("open-end", "The response stops in the middle of a sentence.", Action.SUSPECT, open_end, Strictness.NORMAL),
    Check("cut-off", "The response seems cut off: its last sentence has no end.", Action.SUSPECT, cut_off),
)
