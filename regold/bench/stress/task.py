"""What one scenario is given: a folder of its own, a seed, a number of records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """One seed of one scenario."""

    folder: Path
    seed: int
    items: int
