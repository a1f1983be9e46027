"""Damaged characters, and responses in another language than the question."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from regold.methods.checks.exchange import FIELDS, Action, Check, Exchange, Span, Strictness

_DECODED = re.compile(
    r"â€(?:™|œ|\x9d|“|”|¢|¦|˜|š|\x9c|\x99|\x93|\x94)"
    r"|Ã(?:[©¨¡¢£¤¥§ª«®¯±²³´µ¶·¸¹º»¼½¾¿\xad‰“”•–—˜™š›œžŸ]|\x83|\x82)"
    r"|Â(?:[ °·®©«»£¢§±½¼¾¿¡]|\xa0)|ï»¿|ðŸ"
)
_BROKEN = re.compile("[\ufffd\ud800-\udfff]{1,200}|[\x00-\x08\x0b\x0e-\x1f\x7f]{1,200}")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|apos|rsquo|lsquo|ldquo|rdquo|mdash|ndash|hellip|#\d{2,5});")
_SCRIPTS = (
    "LATIN",
    "CYRILLIC",
    "GREEK",
    "ARABIC",
    "HEBREW",
    "DEVANAGARI",
    "HANGUL",
    "CJK",
    "THAI",
)
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK"}
"""Scripts that one language writes side by side count as one."""
_WORD = re.compile(r"[^\W\d_]{1,30}")
_COMMON = {
    "English": "the and of to in is that for with as are was it this be by on not from have you which their or an",
    "Spanish": "el la los las de que y en un una es por con para del se su lo como más pero al está son",
    "French": "le la les des et est un une du que qui dans pour pas sur avec au il elle ce sont nous vous ne",
    "German": "der die das und ist nicht ein eine zu den mit von auf für sich dem des im auch es sie ich wir als",
    "Italian": "il la di che è un una per non con del della sono si le gli nel più come anche ma dei alla",
    "Portuguese": "o a os as de que e em um uma é por com para do da se não mais como mas dos das ao são",
    "Dutch": "de het een en van is dat niet op te zijn met voor die er aan ook als bij maar om uit",
}
_OF = {
    word: name
    for name, words in _COMMON.items()
    for word in words.split()
    if sum(word in others.split() for others in _COMMON.values()) == 1
}
"""The common words that one language alone has."""
_ENGLISH = (" the ", " and ", " of ", " with ", " that ")
_NAMED = re.compile(
    r"\b(?:translat\w*|spanish|french|german|italian|portuguese|dutch|latin|chinese|mandarin|japanese|korean|russian|arabic|hindi|greek|hebrew|"
    r"language|languages|thai|turkish|swedish|polish|bilingual|foreign|symbol\w*|emoji|kanji|hiragana|katakana|formula|equation|unicode|transliterat\w*|pronounc\w*|haiku)\b"
)
READ = 2_000
"""Characters of each text that are read to tell its language."""


def mojibake(e: Exchange) -> Iterator[Span]:
    """Find UTF-8 that was read as another encoding."""
    for field in FIELDS:
        text = e.text(field)
        if text.isascii():
            continue
        for match in _DECODED.finditer(text):
            yield Span(field, match.start(), match.end())
            break


def broken_characters(e: Exchange) -> Iterator[Span]:
    """Find replacement characters, halves of characters and control characters."""
    for field in FIELDS:
        text = e.text(field)
        for match in _BROKEN.finditer(text):
            yield Span(field, match.start(), match.end())
            break


def html_entities(e: Exchange) -> Iterator[Span]:
    """Find entities such as `&amp;` in texts that are no HTML."""
    for field in FIELDS:
        text = e.text(field)
        if "&" not in text or "html" in e.asked or "xml" in e.asked or "</" in text or "<" in text:
            continue
        for match in _ENTITY.finditer(text):
            yield Span(field, match.start(), match.end())
            break


def other_script(e: Exchange) -> Iterator[Span]:
    """Find a response mostly in another script than the question, where no language is spoken of."""
    if e.said.isascii() or _NAMED.search(e.asked) or _NAMED.search(e.given[:READ]):
        return
    asked, said = main_script(f"{e.asked[:READ]} {e.given[:READ]}"), main_script(e.said[:READ])
    if asked and said and asked != said:
        place = next((i for i, c in enumerate(e.said) if script(c) == said), 0)
        yield Span("response", place, min(len(e.response), place + 60))


def stray_script(e: Exchange) -> Iterator[Span]:
    """Find a few letters of a far script inside a text of Latin letters, as a model's slip leaves them."""
    if e.said.isascii() or _NAMED.search(e.asked):
        return
    if (e.asked + e.given).isascii() and main_script(e.said[:READ]) == "LATIN":
        for match in re.finditer(
            "[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0900-\u097f]{1,40}", e.said
        ):
            yield Span("response", match.start(), match.end())
            return


def other_language(e: Exchange) -> Iterator[Span]:
    """Find a response whose common words are another language's than the question's, where none is spoken of."""
    if len(e.said) < 80 or _NAMED.search(e.asked) or _NAMED.search(e.given[:READ]):
        return
    if sum(word in e.said[:READ] for word in _ENGLISH) > 1 and (" the " in e.asked or e.asked.isascii()):
        return
    asked, said = language(f"{e.asked[:READ]} {e.given[:READ]}"), language(e.said[:READ])
    if asked and said and asked != said:
        yield Span("response", 0, min(len(e.response), 80))


def language(text: str) -> str | None:
    """Return the Latin-script language that a text's common words belong to; None where they do not tell."""
    counts: Counter[str] = Counter()
    words = _WORD.findall(text)
    for word in words:
        if word in _OF:
            counts[_OF[word]] += 1
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < max(4, len(words) / 12):
        return None
    return ranked[0][0] if len(ranked) == 1 or ranked[0][1] >= 3 * ranked[1][1] else None


def main_script(text: str) -> str | None:
    """Return the script of more than half of a text's letters; None where there are few."""
    if text.isascii():
        return "LATIN" if any(c.isalpha() for c in text) else None
    counts = Counter(script(c) for c in text if c.isalpha())
    if sum(counts.values()) < 6:
        return None
    name, most = counts.most_common(1)[0]
    return name if most * 2 > sum(counts.values()) else None


def script(character: str) -> str:
    """Return the script of a letter by its Unicode name; the kana count as CJK."""
    if character < "\u0250":
        return "LATIN"
    first = unicodedata.name(character, "OTHER").split(" ", 1)[0]
    return _TOGETHER.get(first) or (first if first in _SCRIPTS else "OTHER")


CHECKS = (
    Check("mojibake", "Characters were read in the wrong encoding.", Action.REPAIR, mojibake, Strictness.LENIENT),
    Check("broken-characters", "It holds characters that cannot be shown.", Action.SUSPECT, broken_characters),
    Check("html-entities", "HTML entities were left undecoded.", Action.REPAIR, html_entities),
    Check("other-script", "The response is in another script than the question.", Action.SUSPECT, other_script),
    Check("stray-script", "Letters of a foreign script stand in the response.", Action.SUSPECT, stray_script),
    Check("other-language", "The response is in another language than the question.", Action.SUSPECT, other_language),
)
