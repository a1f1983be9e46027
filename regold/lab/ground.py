"""Ground for trials: one set and seed of the closed world, its files, and its model open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regold.corrupt import confusable, corrupt_file
from regold.engines import Encoder, Engine, EngineSpec, open_encoder, open_engine
from regold.evaluate import Question
from regold.formats import Row, read_rows
from regold.lab.data import WITHIN, write_items
from regold.lab.remember import RememberingEngine
from regold.lab.rewording import reworded
from regold.lab.world import Item, World
from regold.record import Message
from regold.runner import Models, OpenModels
from regold.train import TrainSettings

MODEL = Path(__file__).parent / "model"
BATCH = 64


@dataclass(frozen=True)
class Ground:
    """Where trials take place: a model and its world, one set, one seed, and how much is asked and trained."""

    folder: Path
    set: str
    seed: int
    items: int = 400
    test: int = 500
    settings: TrainSettings = field(default_factory=TrainSettings)
    model: Path = MODEL
    world: int = 0
    keep: bool = False
    """Whether runs and trained models stay on disk."""


@dataclass
class Field:
    """A ground with its model open: everything that trials on it share."""

    ground: Ground
    engine: Engine
    encoder: Encoder
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was measured by what was trained and how it was asked, so that equal trainings are done once."""

    @classmethod
    def opened(cls, ground: Ground) -> Field:
        """Open the ground's model and encoder."""
        engine = RememberingEngine(open_engine(EngineSpec("transformers", str(ground.model), batch=BATCH)))
        return cls(ground, engine, open_encoder(EngineSpec("static", str(ground.model))))

    def questions(self) -> list[Question]:
        """Return the held-out questions, written once."""
        return [Question.of(row) for row in read_rows(self._file("test"))]

    def reworded(self, frame: int) -> list[Question]:
        """Return the held-out questions in another wording."""
        world = World(self.ground.world)
        items = [reworded(world, item, frame) for item in self._items("test")]
        asked = zip(self.questions(), items, strict=True)
        return [q._replace(messages=(Message("user", item.query),)) for q, item in asked]

    def kinds(self) -> list[str]:
        """Return the kind of each held-out question."""
        return [item.kind for item in self._items("test")]

    async def noisy(self, kind: str, noise: int) -> Path:
        """Return the training file with so many per cent of wrong responses, written once."""
        out = self.ground.folder / f"{kind}-{noise}.jsonl"
        if not out.is_file():
            rows = list(read_rows(self._file("train")))
            wrong = await confusable(self.engine, rows) if kind == "model" else None
            corrupt_file(rows, out, noise / 100, kind, self.ground.seed, within=self._within(rows, kind), model=wrong)
        return out

    def _within(self, rows: Sequence[Row], kind: str) -> str | None:
        return WITHIN if kind in ("symmetric", "pair", "swap") and any(WITHIN in row.source for row in rows) else None

    def _items(self, split: str) -> list[Item]:
        n = self.ground.items if split == "train" else self.ground.test
        return World(self.ground.world).items(self.ground.set, n, self.ground.seed, split)

    def _file(self, split: str) -> Path:
        path = self.ground.folder / f"{split}.jsonl"
        if not path.is_file():
            write_items(path, self._items(split))
        return path

    def models(self) -> OpenModels:
        """Return the open models as a run takes them."""
        roles = {"student": self.engine, "judge": self.engine}
        return OpenModels(roles, self.encoder, in_flight=dict.fromkeys(roles, 8 * BATCH))

    def specs(self) -> Models:
        """Return how the models were opened, for the run's manifest."""
        engine = EngineSpec("transformers", str(self.ground.model), batch=BATCH)
        return Models({"student": engine, "judge": engine}, EngineSpec("static", str(self.ground.model)))

    async def close(self) -> None:
        """Release the model."""
        await self.engine.close()
        await self.encoder.close()
