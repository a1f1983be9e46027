"""Drops records that hold text of an evaluation set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Ge

from regold.formats import read_rows
from regold.methods.similar import Contamination
from regold.record import Edit, Record, Status
from regold.stage import Context, Files, Stage, numbered


@dataclass(frozen=True)
class Decontaminate(Stage):
    """Drop every record that shares a run of `words` words with a question of an evaluation file."""

    against: Files = ()
    """Files that `regold inspect` can read; their questions count, not their answers. None drops nothing."""
    words: Annotated[int, Ge(4)] = 13

    name: ClassVar[str] = "decontaminate"
    version: ClassVar[int] = 2
    on: ClassVar[tuple[Status, ...]] = (
        Status.NEW,
        Status.CLEAN,
        Status.HIGH,
        Status.LOW,
        Status.SUSPECT,
        Status.REPAIRED,
        Status.FUSED,
    )

    @property
    def files(self) -> Mapping[str, Path]:
        """The evaluation files."""
        return numbered(self.against, self.name)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Look for shared words in every turn."""
        for known in (contamination(path, self.words) for path in self.against):
            for message in record.messages:
                found = known.find(message.content)
                if found is not None:
                    name, start, end = found
                    return Edit(Status.DROPPED, f"shares words with {name}: {message.content[start:end][:120]!r}")
        return Edit()


@lru_cache(maxsize=16)
def contamination(path: Path, words: int) -> Contamination:
    """Return the n-grams of the questions of an evaluation file. Raises InputError as `read` does."""
    rows = read_rows(path, on_bad_line="skip")
    return Contamination({f"{path.name} {r.id}": "\n".join(m.content for m in r.messages[:-1]) for r in rows}, words)
