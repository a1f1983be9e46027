"""Reads which of the legal options a text chooses; anything unclear is no choice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from regold.methods.statements import CONTENT, MOST, first_sentence, plain, statements, trimmed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ENDS = r"(?=$|[\s,:;)\]}>!?*。，、：；]|[.](?![A-Za-z])|[\"'’”](?![A-Za-z]))"
_FILLER = r"(?:(?:clearly|probably|therefore|indeed|most likely|definitely|simply|likely),?\s+)?"
_CALLED = r"(?:(?:the\s+)?(?:option|choice|letter|answer|number)\s+)?"
_HEAD = re.compile(rf"^{_FILLER}{_CALLED}[(\[{{<\"'“]{{0,4}}([A-Za-z]){_ENDS}", re.IGNORECASE)
_LONE = re.compile(r"(?<![A-Za-z0-9'’./-])([A-Z])(?![A-Za-z0-9'’/-]|\.[A-Za-z])")
_NOT = re.compile(
    r"^(?:definitely\s+|certainly\s+|clearly\s+)?(?:not|neither|n['’]t|cannot|can['’]t|wrong)\b", re.IGNORECASE
)
_RATHER = re.compile(
    r"\bbut\b|\brather\b(?!\s+than)|\binstead\b(?!\s+of)|\b(?:it|that)(?:['’]s|\s+is)\b|[;—–]", re.IGNORECASE
)
_INSTEAD = re.compile(
    r"(?:,?\s*(?:and\s+|but\s+)?not|\brather\s+than|\binstead\s+of|\bover)\s+(?:option\s+|choice\s+)?\(?[A-Z]\)?\b",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"^[)\]\"'.]*\s*(?:,|/|&|\band\b|\bor\b)\s*(?:also\s+)?(?:option\s+|choice\s+)?\(?([A-Z])(?![A-Za-z'’])"
)
_REASON = re.compile(r"^\s+(?:because|since|as|for|which|and|but|is|due|given|so|in|with|by|[-–—(])", re.IGNORECASE)
_CHOSEN = re.compile(
    r"\b(?:I|we)(?:\s+would|['’]d|\s+will|['’]ll)?\s+(?:choose|select|pick|go\s+with|opt\s+for)\s+(?=(?:option\s+|choice\s+)?[(\[\"']?[A-Z]\b)",
    re.IGNORECASE,
)
_CORRECT = re.compile(
    r"(?<![A-Za-z0-9'’])\(?([A-Z])\)?\.?\s+(?:is|must\s+be|would\s+be|seems|appears)\s+(?:clearly\s+|indeed\s+|also\s+)?(?P<no>not\s+)?(?:(?:the\s+)?(?:correct|right|best|true)\b|the\s+answer\b)"
)
_LINE = re.compile(
    rf"^[^\w(\[]{{0,9}}(?:(?:option|choice|answer)\s+)?[(\[\"'“*]{{0,4}}([A-Za-z]){_ENDS}[)\]\"'”*]{{0,4}}[.:)]{{0,2}}\s*(.*)$",
    re.IGNORECASE,
)


def legal_letters(options: Sequence[str]) -> str:
    """Return the letters of the options."""
    return LETTERS[: len(options)]


def read_choice(text: str, options: Sequence[str], stated: bool = False) -> str | None:
    """Return the letter chosen by the last statement that chooses one, else by the text as a whole; None where unclear.

    A later "the answer is not B" takes back an earlier B. With `stated`, only a statement counts, or a closing line
    that is a bare letter.
    """
    text = unicodedata.normalize("NFKC", plain(text))
    denied: set[str] = set()
    for content in reversed(_claims(text)):
        letter, refused = _claimed(content, options)
        if letter is not None:
            return letter if letter not in denied else None
        denied |= refused
    letter = _by_lines(text, options, stated)
    return letter if letter not in denied else None


def same_words(text: str) -> str:
    """Return a text in the form in which option texts are compared."""
    return re.sub(r"\s+", " ", trimmed(unicodedata.normalize("NFKC", plain(text)))).casefold()


def option_letter(text: str, options: Sequence[str]) -> str | None:
    """Return the letter of the one option whose text this is; None where none or several match."""
    words = same_words(text)
    hits = [letter for letter, option in zip(LETTERS, options, strict=False) if words and same_words(option) == words]
    return hits[0] if len(hits) == 1 else None


def _claims(text: str) -> list[str]:
    """Return what the text claims to be the answer, in order; a denial keeps its `not`."""
    found = [(s.start, s.content) for s in statements(text)]
    found += [(m.start(), text[m.end() : m.end() + CONTENT].partition("\n")[0]) for m in _CHOSEN.finditer(text)]
    found += [(m.start(), f"{'not ' if m['no'] else ''}{m[1]}") for m in _CORRECT.finditer(text)]
    return [content for _, content in sorted(found)][-MOST:]


def _claimed(content: str, options: Sequence[str]) -> tuple[str | None, set[str]]:
    """Return the letter that one statement claims and the letters it denies."""
    by_text = _leading_option(content, options)
    if by_text is not None:
        return by_text, set()
    if _NOT.match(content):
        return _after_denial(content, options)
    kept = _INSTEAD.sub(" ", content)
    head = _HEAD.match(kept)
    letter = _legal(head[1], options) if head else None
    if head is None or letter is None or _is_word(head[1], kept[head.end(1) :]):
        return None, set()
    return (None if _contradicts(letter, kept[head.end(1) :], options) else letter), set()


def _after_denial(content: str, options: Sequence[str]) -> tuple[str | None, set[str]]:
    """Read `not B but C`: what follows the turn is claimed, what precedes it is denied."""
    turn = _RATHER.search(content)
    before, after = (content[: turn.start()], content[turn.end() :]) if turn else (content, "")
    denied = {m for m in _LONE.findall(before) if _legal(m, options)}
    claimed = {m for m in _LONE.findall(after) if _legal(m, options)} - denied
    return (claimed.pop() if len(claimed) == 1 else None), denied


def _leading_option(content: str, options: Sequence[str]) -> str | None:
    """Return the option whose whole text a statement starts with; the longest, and never one of a single letter."""
    words = same_words(content)
    start = same_words(first_sentence(content))
    best: dict[str, str] = {}
    for letter, option in zip(LETTERS, options, strict=False):
        known = same_words(option)
        if len(known) > 1 and (known in (words, start) or re.match(re.escape(known) + r"(?!\w|[.,:/]\d)", words)):
            best[known] = "" if known in best else letter
    return best[max(best, key=len)] or None if best else None


def _contradicts(letter: str, rest: str, options: Sequence[str]) -> bool:
    """Tell whether a letter is followed by another letter as its equal, or by another option's text."""
    joined = _JOINED.match(rest)
    if joined and joined[1] != letter and _legal(joined[1], options):
        return True
    named = _leading_option(re.sub(r"^[\W_]+", "", rest), options) if re.match(r"^[\W_]*[.:)]", rest) else None
    return named is not None and named != letter


def _is_word(letter: str, rest: str) -> bool:
    """Tell the article `a` and the pronoun `I` from a letter by what follows."""
    followed = bool(re.match(r"^\s+\w", rest))
    if letter.islower():
        return followed
    return followed and letter in "AI" and not _REASON.match(rest)


def _legal(letter: str, options: Sequence[str]) -> str | None:
    return letter.upper() if letter.upper() in legal_letters(options) else None


def _by_lines(text: str, options: Sequence[str], stated: bool) -> str | None:
    """Read a text without a statement: one option's own text, or lines that name one and the same letter."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    closing = _line_letter(lines[-1], options, bare=True)
    if closing is not None or stated:
        return closing
    whole = option_letter(text, options)
    if whole is not None:
        return whole
    named = {letter for line in lines if (letter := _line_letter(line, options) or option_letter(line, options))}
    return named.pop() if len(named) == 1 else None


def _line_letter(line: str, options: Sequence[str], bare: bool = False) -> str | None:
    match = _LINE.match(line)
    letter = _legal(match[1], options) if match else None
    if match is None or letter is None:
        return None
    rest = match[2].strip()
    if not rest:
        return letter
    marked = re.match(r"^[)\]\"'”*]*[.:)]", line[match.end(1) :]) is not None
    if bare or not (marked or (match[1].isupper() and option_letter(rest, options) == letter)):
        return None
    return None if _contradicts(letter, f". {rest}", options) else letter
