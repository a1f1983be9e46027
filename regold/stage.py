"""The verb: a stage reads one record and proposes one edit; what needs the whole data set is its fit."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator

from regold.engines.base import Completion, Encoder, Engine, Need, Request
from regold.errors import RecipeError
from regold.fingerprint import digest
from regold.prompts import Prompts
from regold.record import Edit, NoteType, Record, Status
from regold.store.table import Table

Role: TypeAlias = Literal["student", "second"]
"""Who can answer as a view: the model whose data is repaired, or another one beside it."""

Files: TypeAlias = Annotated[tuple[Path, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str | Path) else v)]
"""A field for files that a stage reads; a recipe may give one alone, or none."""


def numbered(files: Sequence[Path], step: str) -> dict[str, Path]:
    """Return evaluation files as `Stage.files` names them. Raises RecipeError for one that is not there."""
    for path in files:
        if not path.is_file():
            raise RecipeError(f"step {step}: there is no evaluation file {path}")
    return {f"against{n}": path for n, path in enumerate(files)}


@dataclass(frozen=True)
class Engines:
    """The models by role (`student`, `judge`, `rater`) and the encoder, as one part's worker sees them."""

    roles: Mapping[str, Engine]
    encoder: Encoder | None = None

    def __getitem__(self, role: str) -> Engine:
        try:
            return self.roles[role]
        except KeyError:
            raise RecipeError(f"no engine has the role {role!r}: give one with --{role} or --model") from None


@dataclass(frozen=True)
class Context:
    """What a stage may use beside the record: its fit's artifact, engines, prompts, other records, seeded chance."""

    artifact: Any
    engines: Engines
    prompts: Prompts
    seed: int
    lookup: Callable[[Sequence[str]], list[Record]]
    """Return records by id as committed by earlier steps, in the order asked; unknown ids raise KeyError."""

    async def ask(self, role: str, request: Request) -> Completion:
        """Ask the engine of a role."""
        return await self.engines[role].generate(request)

    def chance(self, *keys: str) -> random.Random:
        """Return a generator seeded by the run's seed and the keys, so that order of work never matters."""
        return random.Random(digest(self.seed, *keys))


@dataclass(frozen=True)
class Spend:
    """What a stage is expected to spend on one record that reaches it; the ground of `regold estimate`."""

    role: str
    calls: float
    prompt_tokens: float
    """Tokens sent, over all these calls."""
    completion_tokens: float
    """Tokens received, over all these calls."""


@dataclass(frozen=True)
class Lengths:
    """Mean lengths in tokens over a data set, and the tokens an estimate assumes for one reasoned answer."""

    query: float
    response: float
    reasoning: float = 200.0


class Stage(ABC):
    """A step of a recipe. Subclasses are frozen dataclasses whose fields are the recipe's settings.

    `fit` sees columns of the whole data set and returns an artifact: ids and numbers as JSON-like values or a dict of
    numpy arrays, never texts. `__call__` sees one record at a time, in any order, on any worker.
    """

    name: ClassVar[str]
    """The namespace of the stage's notes, such as `judge`; unique within a recipe."""
    version: ClassVar[int] = 1
    """Raise it when the same fields would now give other edits."""
    on: ClassVar[tuple[Status, ...]] = (Status.NEW,)
    """The statuses this stage maps over; all other records pass untouched."""
    fits: ClassVar[bool] = False
    """Whether `fit` does anything."""

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The notes this stage reads, by their full names; an earlier step must write each."""
        return {}

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """The notes this stage writes, by their full names."""
        return {}

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """What it asks of each engine role; the role `encoder` may need only EMBED."""
        return {}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The names of the prompts it uses; their contents enter its fingerprint."""
        return ()

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Return what one record that reaches this stage is expected to cost; nothing where no model is asked."""
        return ()

    @property
    def files(self) -> Mapping[str, Path]:
        """The fields that name a file it reads: each enters its fingerprint by contents, never by path."""
        return {}

    async def fit(self, table: Table, ctx: Context) -> Any:
        """Learn from the whole data set as earlier steps left it; every call gets it as `ctx.artifact`."""
        return None

    @abstractmethod
    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Propose one edit for one record. Whatever it raises becomes the record's FAILED reason."""
