"""Reads the answer out of a text: a legal option, a number, a few words, or the response part of a free text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from regold.methods.choices import read_choice
from regold.methods.numbers import find_numbers, parse_number, tidy
from regold.methods.statements import CONTENT, final_text, first_sentence, plain, stated_text, statements, trimmed

SHORT_WORDS = 5
"""A response of at most so many words is a short answer."""
STATED_WORDS = 12
"""A statement's content of at most so many words is a short answer."""
LONGEST = 50
"""Characters of the longest word that a short answer may have, on average."""
_VERDICT = re.compile(r"^\W*(yes|no|true|false|maybe)\b\s*(?:[,.:;!—–-]|$)", re.IGNORECASE)


class Kind(StrEnum):
    """What sort of answer a question wants; it decides how answers are read and compared."""

    CHOICE = "choice"
    NUMBER = "number"
    SHORT = "short"
    FREE = "free"


def kind_of(response: str, options: Sequence[str] = ()) -> Kind:
    """Return the kind of answer that a given response is, reading a closing answer statement where it has one."""
    if options:
        return Kind.CHOICE
    text = plain(response)
    answer = _closing(text) or text
    if parse_number(trimmed(first_sentence(answer))) is not None:
        return Kind.NUMBER
    return Kind.SHORT if _is_short(answer, SHORT_WORDS) else Kind.FREE


def extract(
    text: str, kind: Kind, options: Sequence[str] = (), finish: str = "stop", stated: bool = False
) -> str | None:
    """Return the last answer that a text states, or None: never a guess, and never anything from a cut-off text.

    A choice is its letter; a number or a short answer stands as the text wrote it; a free text is its response part.
    With `stated`, only an explicit statement counts; otherwise a text that is nothing but an answer counts too.
    """
    if finish == "length":
        return None
    if kind == Kind.CHOICE:
        return read_choice(text, options, stated)
    if kind == Kind.FREE:
        return stated_text(text) if stated else final_text(text)
    text = plain(text)
    read = _number if kind == Kind.NUMBER else _short
    for statement in reversed(statements(text)):
        found = read(statement.content)
        if found is not None:
            return found
    return None if stated else (_bare_number(text) if kind == Kind.NUMBER else _bare_short(text))


def read_answer(
    text: str, given: str, options: Sequence[str] = (), finish: str = "stop", stated: bool = False
) -> str | None:
    """Return a text's answer to a question whose given response is `given`.

    Where the question is open and the text states no answer of that response's kind, its response part is the answer:
    whether the two agree is then for a judge. A choice without a legal option is no answer.
    """
    kind = kind_of(given, options)
    found = extract(text, kind, options, finish, stated)
    return found if found is not None or kind == Kind.CHOICE else extract(text, Kind.FREE, (), finish, stated)


def _closing(text: str) -> str | None:
    """Return the content of an answer statement that ends a text."""
    end = len(text.rstrip(" \n\t.$*)}]\\"))
    return next((s.content for s in reversed(statements(text)) if s.end >= end), None)


def _is_short(text: str, words: int) -> bool:
    text = text.strip()
    return 0 < len(text) <= LONGEST * words and len(text.split()) <= words and "\n" not in text


def _number(content: str) -> str | None:
    """Return the number that a statement gives: all of it with its unit, or the first number after the last `=`."""
    content = tidy(content)
    whole = trimmed(first_sentence(content))
    if parse_number(whole) is not None:
        return whole
    numbers = find_numbers(content.rpartition("=")[2]) or find_numbers(content)
    return numbers[0][0] if numbers else None


def _bare_number(text: str) -> str | None:
    """Return the number that a text without a statement is, or the only one that its last line comes to."""
    text = tidy(text).strip()
    if parse_number(trimmed(text)) is not None:
        return trimmed(text)
    line = text.rpartition("\n")[2][-CONTENT:]
    numbers = find_numbers(line.rpartition("=")[2])
    return numbers[0][0] if len(numbers) == 1 else None


def _short(content: str) -> str | None:
    answer = trimmed(first_sentence(content))
    return answer if _is_short(answer, STATED_WORDS) else None


def _bare_short(text: str) -> str | None:
    verdict = _VERDICT.match(text)
    if verdict:
        return verdict[1]
    return trimmed(text) or None if _is_short(text, SHORT_WORDS) else None
