"""Ground for ENTP's arms: one seed's pool, its held-out questions, and the model of fusion open."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regold.engines import Encoder, Engine, EngineSpec, open_encoder, open_engine
from regold.engines.weights import folder_digest
from regold.files import replacing
from regold.fingerprint import digest
from regold.lab.ground import BATCH
from regold.lab.ground import MODEL as FIRST
from regold.lab.influence import influence
from regold.lab.pool import Entry, held_out, pool, pool_world, write_pool
from regold.lab.remember import RememberingEngine
from regold.runner import Models, OpenModels
from regold.train import TrainSettings

MODEL = Path(__file__).parent / "model-fuse"
ROLES = ("student", "judge", "rater")
WANTED = 32
"""Held-out questions of a seed of their own that LESS-like scores look towards."""


@dataclass(frozen=True)
class PoolGround:
    """Where trials take place: one seed's pool and model, how much is drawn, trained on and asked."""

    folder: Path
    seed: int
    records: int = 500
    rows: int = 120
    """Rows that every arm trains on, as far as it has so many."""
    test: int = 300
    settings: TrainSettings = field(default_factory=TrainSettings)
    model: Path = MODEL
    world: int = 0


@dataclass
class PoolField:
    """A ground with its model open: what all trials on it share."""

    ground: PoolGround
    engine: Engine
    scorer: Engine
    encoder: Encoder
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was measured by what was trained, so that equal trainings are done once."""

    @classmethod
    def opened(cls, ground: PoolGround) -> PoolField:
        """Open the ground's model and encoder, and write its pool."""
        engine, scorer = (
            RememberingEngine(open_engine(EngineSpec("transformers", str(model), batch=BATCH)))
            for model in (ground.model, FIRST)
        )
        found = cls(ground, engine, scorer, open_encoder(EngineSpec("static", str(ground.model))))
        write_pool(found.data, found.entries())
        return found

    @property
    def data(self) -> Path:
        """Return the pool's file."""
        return self.ground.folder / "pool.jsonl"

    def entries(self) -> list[Entry]:
        """Return the pool."""
        return pool(pool_world(self.ground.world), self.ground.records, self.ground.seed)

    def questions(self) -> list[Entry]:
        """Return the held-out questions."""
        return held_out(pool_world(self.ground.world), self.ground.test, self.ground.seed)

    def scores(self) -> Path:
        """Return the file of LESS-like scores of the pool, written once for a pool and a model."""
        key = digest(folder_digest(self.ground.model), [(e.id, e.question, e.response) for e in self.entries()])
        out = self.ground.folder / f"influence-{key[:12]}.jsonl"
        if not out.is_file():
            wanted = held_out(pool_world(self.ground.world), WANTED, self.ground.seed + 10_000)
            found = influence(self.ground.model, self.entries(), wanted)
            with replacing(out) as stream:
                stream.write("".join(json.dumps({"id": i, "score": s}) + "\n" for i, s in found.items()).encode())
        return out

    def models(self) -> OpenModels:
        """Return the open models as a run takes them; the lab's first checkpoint scores, for want of a smaller one."""
        roles = {**dict.fromkeys(ROLES, self.engine), "scorer": self.scorer}
        return OpenModels(roles, self.encoder, in_flight=dict.fromkeys(roles, 8 * BATCH))

    def specs(self) -> Models:
        """Return how the models were opened, for the run's manifest."""
        own, first = (EngineSpec("transformers", str(m), batch=BATCH) for m in (self.ground.model, FIRST))
        roles = {**dict.fromkeys(ROLES, own), "scorer": first}
        return Models(roles, EngineSpec("static", str(self.ground.model)))

    async def close(self) -> None:
        """Release the models."""
        await self.engine.close()
        await self.scorer.close()
        await self.encoder.close()
