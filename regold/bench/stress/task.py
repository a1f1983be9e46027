"""What one scenario is given: a folder of its own, a seed, a number of records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = 1000
"""Added to a seed for questions about another part of the world."""


@dataclass(frozen=True)
class Task:
    """One seed of one scenario."""

    folder: Path
    seed: int
    items: int
