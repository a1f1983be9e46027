"""The counted half of the checklist: what can be seen of a merged record without asking a model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from regold.methods.checklist import Fault, Kind
from regold.methods.terms import key_terms, runs, share_copied, share_found, share_repeated, sub_questions, words

COPIED = 0.8
"""A version of which so much stands in one source, while the other is hardly covered, copies that source."""
LOST = 0.2
"""A source of whose own terms no more than this is covered is lost."""
LEAKED = 6
"""Words in a row that a version must not share with a prompt."""
FLOOR = 400
"""A response of at most so many words is never too long."""
_DANGLING = re.compile(r"(?:[,;:(–—-]|\b(?:and|or|the|a|an|of|to|with|in|for|by|as|that|which|is|are))$", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A record that goes into a merge: what it asks, the response it was given, and the model's fresh answer."""

    instruction: str
    response: str
    answer: str = ""


@dataclass(frozen=True)
class Draft:
    """One version of a merged record."""

    instruction: str
    response: str

    @property
    def text(self) -> str:
        """Return the whole of it."""
        return f"{self.instruction}\n{self.response}"


@dataclass(frozen=True)
class Counted:
    """What was counted of a draft."""

    coverage: float
    """Share of the key terms of the sources' instructions that stand in the draft."""
    answered: float
    """Share of the sources' sub-questions to which the response says something."""
    overlap: tuple[float, ...]
    """For each source, the share of the draft's three-word runs that stand in it."""
    length_ratio: float
    """Words of the response over those of the sources' longest responses together."""
    faults: tuple[Fault, ...]


def count(draft: Draft, sources: Sequence[Source], prompts: Sequence[str] = (), growth: float = 3.0) -> Counted:
    """Count a draft against its sources; `prompts` are the texts that must not leak into it.

    A response may have `growth` times the words of the sources' longest responses together, and never too many below
    400.
    """
    asked = frozenset().union(*(key_terms(s.instruction) for s in sources))
    overlap = tuple(round(share_copied(draft.text, _whole(s)), 4) for s in sources)
    size, given = len(words(draft.response)), sum(_longest(s) for s in sources)
    faults = [
        *_empty(draft),
        *_copied(draft, sources, overlap),
        *_unanswered(draft, sources),
        *_form(draft),
        *_leaked(draft, sources, prompts),
        *_language(draft, sources),
        *_length(draft, size, given, growth),
    ]
    parts = [(s, part) for s in sources for part in sub_questions(s.instruction)]
    answered = sum(_addressed(draft.response, s, part) for s, part in parts) / max(len(parts), 1)
    covered = round(share_found(asked, draft.text), 4)
    return Counted(covered, round(answered, 4), overlap, round(size / max(given, 1), 4), tuple(faults))


def _whole(source: Source) -> str:
    return f"{source.instruction}\n{source.response}\n{source.answer}"


def _longest(source: Source) -> int:
    return max(len(words(source.response)), len(words(source.answer)))


def _counted(kind: Kind, detail: str, major: bool) -> Fault:
    return Fault(kind, detail, major, "count")


def _empty(draft: Draft) -> list[Fault]:
    named = (("instruction", draft.instruction), ("response", draft.response))
    return [_counted(Kind.UNANSWERED, f"the {name} is empty", True) for name, text in named if not text.strip()]


def _copied(draft: Draft, sources: Sequence[Source], overlap: Sequence[float]) -> list[Fault]:
    if len(sources) != 2:
        return []
    found = []
    for one, other in ((0, 1), (1, 0)):
        own = key_terms(_whole(sources[other])) - key_terms(_whole(sources[one]))
        if own and overlap[one] >= COPIED and share_found(own, draft.text) <= LOST:
            found.append(_counted(Kind.UNANSWERED, f"copies source {one + 1}; source {other + 1} is lost", True))
    return found


def _unanswered(draft: Draft, sources: Sequence[Source]) -> list[Fault]:
    if not draft.response.strip():
        return []
    return [
        _counted(Kind.UNANSWERED, f"nothing of what source {place} is about is answered", True)
        for place, source in enumerate(sources, start=1)
        if not _addressed(draft.response, source, source.instruction)
    ]


def _addressed(response: str, source: Source, part: str) -> bool:
    """Return whether a response has a word of the source's answers, or half of the terms of what is asked."""
    known = key_terms(source.response) | key_terms(source.answer)
    known = known or frozenset(words(source.response)) | frozenset(words(source.answer))
    return not known or share_found(known, response) > 0 or share_found(key_terms(part), response) >= 0.5


def _form(draft: Draft) -> list[Fault]:
    text, found = draft.response.rstrip(), []
    if len(re.findall(r"(?m)^\s*```", text)) % 2:
        found.append(_counted(Kind.FORMAT, "a code fence is not closed", False))
    counts = Counter(text)
    for opening, closing in ("()", "[]", "{}"):
        if counts[opening] > counts[closing]:
            found.append(_counted(Kind.FORMAT, f"{opening} is not closed", False))
    last = text.rsplit("\n", 1)[-1].strip()
    if _DANGLING.search(last) and len(words(last)) > 3:
        found.append(_counted(Kind.FORMAT, f"cut off at {last[-30:]!r}", True))
    elif len(words(text)) > 40 and len(words(last)) > 8 and last[-1:].isalnum() and not re.match(r"[-*•\d]", last):
        found.append(_counted(Kind.FORMAT, f"does not end like a sentence: {last[-30:]!r}", False))
    return found


def _leaked(draft: Draft, sources: Sequence[Source], prompts: Sequence[str]) -> list[Fault]:
    known, told = {run for source in sources for run in runs(_whole(source), LEAKED)}, _told(tuple(prompts))
    shared = next((run for run in runs(draft.text, LEAKED) if run in told and run not in known), None)
    if shared is not None:
        return [_counted(Kind.FORMAT, f"holds words of the prompt: {' '.join(shared)!r}", True)]
    if re.search(r"\{\{\w+\}\}", draft.text) and not any("{{" in _whole(s) for s in sources):
        return [_counted(Kind.FORMAT, "holds a placeholder of the prompt", True)]
    return []


@lru_cache(maxsize=16)
def _told(prompts: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(run for prompt in prompts for run in runs(prompt, LEAKED) if len(run) == LEAKED)


def _language(draft: Draft, sources: Sequence[Source]) -> list[Fault]:
    mine, theirs = script(draft.response), {script(_whole(s)) for s in sources} - {""}
    if not mine or not theirs or mine in theirs:
        return []
    return [_counted(Kind.FORMAT, f"is written in {mine}, the sources in {', '.join(sorted(theirs))}", True)]


def script(text: str) -> str:
    """Return the script that most letters of a text belong to, such as LATIN; empty where it has none."""
    letters = Counter(unicodedata.name(c, "").split(" ")[0] for c in text if c.isalpha())
    return letters.most_common(1)[0][0] if letters else ""


def _length(draft: Draft, size: int, given: int, growth: float) -> list[Fault]:
    repeated, found = share_repeated(draft.response), []
    if size > max(FLOOR, growth * given):
        found.append(_counted(Kind.REDUNDANCY, f"grew to {size} words from {given}", True))
    if repeated > 0.3:
        found.append(_counted(Kind.REDUNDANCY, f"{repeated:.0%} of it repeats itself", repeated > 0.6))
    if size < 0.25 * given and given > 20:
        found.append(_counted(Kind.DEPTH, f"shrank to {size} words from {given}", False))
    return found
