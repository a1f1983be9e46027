"""Options that stand in columns named `A`, `B`, `C` and so on, as the tables of MMLU and CMMLU have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from string import ascii_uppercase
from typing import Any

from regold.formats.values import as_text, like


def letter_columns(row: Mapping[str, Any]) -> str:
    """Return the letters that are columns of a row, from `A` on without a gap; none where there are fewer than two."""
    letters = "".join(takewhile(row.__contains__, ascii_uppercase))
    return letters if len(letters) > 1 else ""


def lettered_texts(row: Mapping[str, Any]) -> list[str | None]:
    """Return the options in the columns; empty cells at the end are no options. Raises BadRow for a list or object."""
    texts = [None if row[letter] is None else as_text(row[letter], letter) for letter in letter_columns(row)]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def with_lettered(row: dict[str, Any], options: Sequence[str]) -> dict[str, Any]:
    """Return the row with other options in its columns: further ones get new columns, cells left over become empty."""
    old = letter_columns(row)
    new = {letter: like(row.get(letter), text) for letter, text in zip(ascii_uppercase, options, strict=False)}
    return row | dict.fromkeys(old[len(new) :], "") | new
