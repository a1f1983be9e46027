"""Ways to spoil one text: cut it, repeat it, change a number or a name in it; and texts that answer nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from random import Random

_DIGITS = re.compile(r"\d")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}|\A[A-Z][a-z]{2,}(?=[.!]?\Z)")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")

PLACEHOLDERS = (
    "N/A",
    "TODO",
    "[Insert answer here]",
    "<noinput>",
    "No response",
    "...",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "As an AI language model, I cannot answer this.",
)
OFF_TOPIC = (
    "The harbour was quiet that morning, and only the gulls were awake.",
    "To keep a bicycle chain running smoothly, wipe it dry and oil it once a month.",
    "Our office is closed on public holidays; please call again on the next working day.",
    "Sourdough needs patience: feed the starter at the same hour every day.",
    "The match ended in a draw after both keepers saved a penalty in extra time.",
    "Store the paint above freezing and stir it well before the second coat.",
    "She tuned the old radio until a waltz came through the static.",
    "Parking is free after six o'clock on the upper deck.",
)
OFF_TOPIC_QUESTIONS = (
    "How often should a bicycle chain be oiled?",
    "What should I feed a sourdough starter?",
    "Where can I park after six o'clock?",
    "Write two sentences about a quiet harbour in the morning.",
    "Which paint is best for a garden fence?",
    "How do I tune an old radio?",
)


def truncated(text: str, chance: Random) -> str | None:
    """Return the first 20 to 70 % of the words, of a single word's letters; None where nothing would be left."""
    words = [m.end() for m in re.finditer(r"\S+", text)]
    share = chance.uniform(0.2, 0.7)
    if len(words) > 1:
        return text[: words[max(1, int(share * len(words))) - 1]]
    bare = text.strip()
    return bare[: max(1, int(share * len(bare)))] if len(bare) > 1 else None


def repeated(text: str, chance: Random) -> str | None:
    """Return the text up to one of its first sentences, which then repeats 4 to 9 times; None for a blank text."""
    sentences = [m for m in _SENTENCE.finditer(text) if m[0].strip()]
    if not sentences:
        return None
    last = chance.choice(sentences[:3])
    return text[: last.end()] + f" {last[0].strip()}" * chance.randint(4, 9)


def fact(text: str, names: Sequence[str], chance: Random) -> str | None:
    """Return the text with one digit or one name changed; None where it has neither."""
    digits, found = list(_DIGITS.finditer(text)), list(_NAME.finditer(text))
    others = [m for m in found if any(name != m[0] for name in names[:2])]
    if not digits and not others:
        return None
    if digits and (not others or chance.random() < 0.5):
        return _other_digit(text, chance.choice(digits), chance)
    spot = chance.choice(others)
    drawn = chance.randrange(len(names) - (spot[0] in names))
    name = names[drawn] if names[drawn] != spot[0] else names[-1]
    return text[: spot.start()] + name + text[spot.end() :]


def _other_digit(text: str, spot: re.Match[str], chance: Random) -> str:
    # 0 only where the number does not begin with it
    inside = text[spot.start() - 1 : spot.start()].isdigit() or text[spot.end() : spot.end() + 1] in ("", ".", " ")
    digit = chance.choice([d for d in "0123456789" if d != spot[0] and (inside or d != "0")])
    return text[: spot.start()] + digit + text[spot.end() :]


def names(texts: Iterable[str]) -> list[str]:
    """Return the distinct names that occur in texts, sorted: capitalised words inside a sentence or alone."""
    return sorted({m[0] for text in texts for m in _NAME.finditer(text)})
