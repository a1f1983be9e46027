"""Prompt sets: folders of text files with {{name}} placeholders, replaceable by a user, digested by content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regold.errors import RecipeError
from regold.fingerprint import digest

SHIPPED = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


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
    return Prompts(name, {f.stem: f.read_text(encoding="utf-8").rstrip("\n") for f in files})
