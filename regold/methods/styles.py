"""Writes an answer the way the given response wrote its own: `(B)`, `B. Paris`, `The answer is 42.`"""

from __future__ import annotations

import re
from collections.abc import Sequence

from regold.methods.answers import Kind, extract, kind_of
from regold.methods.choices import LETTERS, option_letter, same_words
from regold.methods.numbers import parse_number
from regold.methods.statements import HEAD, without_thinking

_OPENING = r"\W{0,9}(?:(?:so|therefore|thus|hence),?\s+)?(?:(?:the|my)\s+)?(?:(?:final|correct|right|best)\s+)*"
_LETTERED = re.compile(
    rf"^(?P<lead>{_OPENING}(?:answer|option|choice)?\s*(?:is|:)?\s*(?:option\s+|choice\s+)?\W{{0,9}})"
    r"(?P<letter>[A-Za-z])(?P<gap>[\W_]*)(?P<text>.*?)(?P<tail>[.\s*)\"']*)$",
    re.IGNORECASE | re.DOTALL,
)
_FRAMED = re.compile(
    rf"^(?P<lead>{_OPENING}answer\s*(?:is|:)\s*|####\s*)?(?P<answer>.+?)(?P<tail>[.\s*]*)$",
    re.IGNORECASE | re.DOTALL,
)


def restyled(answer: str, given: str, options: Sequence[str] = (), text: str | None = None) -> str:
    """Return an answer in the style of the given response.

    Where the given response is more than an answer, `text`, the whole text in which the answer stands, takes its place:
    a new answer under the old explanation would contradict it. A free text's answer is its response as it stands.
    """
    kind = kind_of(given, options)
    if kind == Kind.FREE:
        return answer
    if len(given) > HEAD:
        return without_thinking(text or "") or answer
    styled = _lettered(answer, given, options) if kind == Kind.CHOICE else _framed(answer, given, kind)
    return styled if styled is not None else without_thinking(text or "") or answer


def _lettered(answer: str, given: str, options: Sequence[str]) -> str | None:
    if extract(given, Kind.CHOICE, options) is None:
        return answer if len(given.split()) <= 1 else None
    text = options[LETTERS.index(answer)]
    if option_letter(given, options) is not None and len(given.strip()) > 1:
        return text
    match = _LETTERED.match(given)
    if match is None:
        return None
    letter = answer.lower() if match["letter"].islower() else answer
    if not match["text"]:
        return match["lead"] + letter + match["gap"] + match["tail"]
    told = options[LETTERS.index(match["letter"].upper())] if match["letter"].upper() in LETTERS[: len(options)] else ""
    if same_words(match["text"]) != same_words(told):
        return None
    return match["lead"] + letter + match["gap"] + text + ("" if text.endswith(".") else match["tail"])


def _framed(answer: str, given: str, kind: Kind) -> str | None:
    match = _FRAMED.match(given)
    if match is None or extract(match["answer"], kind) is None or "\n" in match["answer"].strip():
        return None
    if len(match["answer"].split()) > len((extract(given, kind) or "").split()) + 1:
        return None
    if kind == Kind.NUMBER:
        answer = _with_unit(answer, match["answer"])
    return (match["lead"] or "") + answer + ("" if answer.endswith(".") else match["tail"])


def _with_unit(answer: str, given: str) -> str:
    """Give a bare number the unit that the given response wrote, before or behind."""
    new, old = parse_number(answer), parse_number(given)
    if new is None or old is None or new.unit or not old.unit:
        return answer
    return re.sub(r"[-+]?[\d][\d,./]*", lambda _: answer, given, count=1)
