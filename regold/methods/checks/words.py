"""Compiles the word lists and alternatives that checks look for; all of them take linear time on any text."""

from __future__ import annotations

import re


def pattern(*alternatives: str) -> re.Pattern[str]:
    """Return one expression of several, line anchors meaning lines."""
    return re.compile("|".join(f"(?:{a})" for a in alternatives), re.MULTILINE)


def words(*listed: str) -> re.Pattern[str]:
    """Return an expression that finds any of the listed words or beginnings of words."""
    return re.compile("|".join((r"\b" if word[0].isalnum() else "") + re.escape(word) for word in listed))
