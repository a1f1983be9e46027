"""Prompt sets: folders of text files with {{name}} placeholders, replaceable by a user, digested by content."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regold.errors import RecipeError
from regold.fingerprint import digest

SHIPPED = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_FENCE = frozenset({"fence"})
_SOURCES = frozenset({"first_response", "first_answer", "second_response", "second_answer"})
_DRAFT = frozenset({"instruction", "response"})


@dataclass(frozen=True)
class Slots:
    """The placeholders of a prompt: those it must have and those it may have."""

    needed: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


SLOTS: Mapping[str, Slots] = {
    "direct": Slots(frozenset({"query"}), _FENCE),
    "context": Slots(frozenset({"query"}), _FENCE),
    "reason": Slots(frozenset({"query"}), _FENCE),
    "reflect": Slots(),
    "agree": Slots(frozenset({"query", "first", "second"}), _FENCE),
    "check": Slots(frozenset({"query", "response"}), _FENCE),
    "rate": Slots(frozenset({"query", "response"}), _FENCE),
    "grade1": Slots(frozenset({"query", "response"}), _FENCE),
    "grade2": Slots(frozenset({"query", "response"}), _FENCE),
    "grade3": Slots(frozenset({"query", "response"}), _FENCE),
    "tag": Slots(frozenset({"query"}), _FENCE),
    "merge": Slots(frozenset({"first", "second", "aim"}), _FENCE | _SOURCES | _DRAFT | {"faults"}),
    "diagnose": Slots(frozenset({"first", "second"}) | _DRAFT, _FENCE | _SOURCES),
    "check_answer": Slots(_DRAFT, _FENCE),
    "update": Slots(_DRAFT, _FENCE | {"faults", "aim"}),
    "rate-value": Slots(frozenset({"query", "response"}), _FENCE),
    "rate-correct": Slots(frozenset({"query", "response"}), _FENCE),
    "review": Slots(frozenset({"query", "first", "second"}), _FENCE | {"first_rationale", "second_rationale"}),
}
"""The placeholders of the prompts that Regold's own stages fill; those of other prompts are not checked."""


@dataclass(frozen=True)
class Prompts:
    """A prompt set by name, each prompt's text as it stands in its file."""

    name: str
    texts: Mapping[str, str]

    def render(self, prompt: str, **values: str) -> str:
        """Fill a prompt in one pass, so that a placeholder inside a value stays text. Raises RecipeError."""

        def fill(match: re.Match[str]) -> str:
            try:
                return values[match[1]]
            except KeyError:
                known = ", ".join(sorted(values))
                raise RecipeError(
                    f"prompt {prompt!r} of set {self.name!r} asks for {{{{{match[1]}}}}}; known: {known}"
                ) from None

        return _PLACEHOLDER.sub(fill, self.text(prompt))

    def text(self, prompt: str) -> str:
        """Return a prompt as written. Raises RecipeError where the set lacks it."""
        try:
            return self.texts[prompt]
        except KeyError:
            raise RecipeError(
                f"prompt set {self.name!r} has no {prompt}.txt; it has: {', '.join(sorted(self.texts))}"
            ) from None

    def check(self, prompt: str) -> None:
        """Raise RecipeError where the set lacks a prompt, or a prompt lacks a placeholder or has an unknown one."""
        found = set(_PLACEHOLDER.findall(self.text(prompt)))
        slots = SLOTS.get(prompt)
        if slots is None:
            return
        where = f"prompt set {self.name!r}, {prompt}.txt"
        known = sorted(slots.needed | slots.optional)
        for name in sorted(found - set(known)):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {{{{{near[0]}}}}}?" if near else ""
            raise RecipeError(f"{where}: nothing fills {{{{{name}}}}}{hint}; known: {', '.join(known) or 'none'}")
        for name in sorted(slots.needed - found):
            raise RecipeError(f"{where}: lacks {{{{{name}}}}}, without which the model is not shown what it is asked")

    def digest(self, prompts: Sequence[str]) -> str:
        """Return the digest of the named prompts' texts; the set's name and place do not enter it."""
        return digest({p: self.text(p) for p in prompts})


def load_prompts(name: str) -> Prompts:
    """Load a shipped set by name or a folder of `*.txt` by path. Raises RecipeError where there is neither."""
    shipped = SHIPPED / name
    folder = shipped if re.fullmatch(r"[\w-]+", name) and shipped.is_dir() else Path(name)
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    if not files:
        known = ", ".join(sorted(p.name for p in SHIPPED.iterdir() if p.is_dir() and any(p.glob("*.txt"))))
        raise RecipeError(f"no prompt set {name!r}: give one of {known}, or a folder of .txt files")
    return Prompts(name, {f.stem: _text(f) for f in files})


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{file}: is not UTF-8 text ({error.reason} at byte {error.start})") from None
