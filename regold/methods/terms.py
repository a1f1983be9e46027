"""Words, key terms and runs of words: what a text is about, and how much of it stands in another."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|\d+(?:[.,]\d+)+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_ASKING = frozenset(
    re.findall(
        r"\w+",
        "answer explain describe write give list name provide create tell following given make please task question "
        "generate find example examples sentence text use using include",
    )
)
"""Words of instructions that say what to do, not what about."""
_VAGUE = frozenset(
    re.findall(
        r"\w+",
        "able additionally based called certain come comes common day did different does doing don going good help "
        "include includes including just know known like look make makes making need new old possible provides set "
        "single small specific sure thing things time today type types typically use used uses using various want "
        "way ways well years yes",
    )
)
"""Words that stand in texts about anything."""


def words(text: str) -> list[str]:
    """Return the words of a text, folded; scripts without spaces give one word a character."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        found += list(word) if _UNSPACED.search(word) else [word]
    return found


def key_terms(text: str) -> frozenset[str]:
    """Return the words that say what a text is about: no stop words, no asking words, numbers always."""
    return frozenset(stem(word) for word in words(text) if _telling(word))


def telling_words(text: str) -> frozenset[str]:
    """Return the words that tell a domain as they are written, without numbers, short forms and vague words."""
    found = (word.replace("’", "'").removesuffix("'s") for word in words(text))
    return frozenset(
        w for w in found if _telling(w) and w not in _VAGUE and not any(c.isdigit() or c == "'" for c in w)
    )


def _telling(word: str) -> bool:
    if any(c.isdigit() for c in word) or _UNSPACED.search(word):
        return True
    return len(word) > 2 and word not in ENGLISH_STOP_WORDS and word not in _ASKING


def stem(word: str) -> str:
    """Return a word without the ending of a plural or a possessive, so that `rivers` covers `river`."""
    word = re.sub(r"['’]s?$", "", word)
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def share_found(terms: Collection[str], text: str) -> float:
    """Return the share of key terms that stand in a text, 1 where there are none to find."""
    if not terms:
        return 1.0
    return len(set(terms) & {stem(word) for word in words(text)}) / len(set(terms))


def stands_in(phrase: str, text: str) -> bool:
    """Return whether the words of a phrase stand in a text in a row, spelling of plurals aside."""
    sought, given = ([stem(w) for w in words(part)] for part in (phrase, text))
    return bool(sought) and f" {' '.join(sought)} " in f" {' '.join(given)} "


def runs(text: str, n: int) -> list[tuple[str, ...]]:
    """Return all runs of n words; a shorter text is one run."""
    found = words(text)
    if not found:
        return []
    return [tuple(found[i : i + n]) for i in range(max(1, len(found) - n + 1))]


def share_copied(text: str, source: str, n: int = 3) -> float:
    """Return the share of a text's runs of n words that stand in a source; 0 for a text without words."""
    mine, theirs = runs(text, n), set(runs(source, n))
    return sum(run in theirs for run in mine) / len(mine) if mine else 0.0


def share_repeated(text: str, n: int = 4) -> float:
    """Return the share of runs of n words that stood in the text before; 0 for fewer than ten runs."""
    found = runs(text, n)
    return 1 - len(set(found)) / len(found) if len(found) >= 10 else 0.0


def sub_questions(instruction: str) -> list[str]:
    """Return what an instruction asks for, part by part: its questions and numbered items, or the whole of it."""
    asked = re.findall(r"[^.?!\n]*\?", instruction)
    listed = re.findall(r"(?m)^\s*(?:\d{1,2}[.)]|[-*•])\s+(.+)$", instruction)
    found: Sequence[str] = [part.strip() for part in (*asked, *(item for item in listed if "?" not in item))]
    return [part for part in found if key_terms(part)] or [instruction.strip()]
