"""An encoder behind an OpenAI-compatible server's /v1/embeddings; texts that arrive together share a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regold.engines.base import EngineSpec
from regold.engines.client import Client, Faulty, base_urls, pinned
from regold.engines.gather import Gather
from regold.engines.hosts import Patience, shown
from regold.engines.probing import probe_each
from regold.engines.vectors import unit
from regold.engines.wire import Kind, opening
from regold.errors import EngineLacks, EngineRefused, EngineUnreachable, RecipeError, RequestFailed
from regold.together import together


class OpenAIEncoder:
    """One embedding model behind one or more OpenAI-compatible servers."""

    def __init__(self, spec: EngineSpec, patience: Patience | None = None) -> None:
        if not spec.model:
            raise RecipeError("no embedding model: give the name under which the server serves it")
        self.spec, self.urls, self.patience = spec, base_urls(spec), patience or Patience()
        self.client = Client(spec, self.urls, self.patience)
        self._gather: Gather[str, np.ndarray | RequestFailed] = Gather(self._batch, spec.batch, len, spec.concurrency)
        self._width: int | None = None

    @property
    def identity(self) -> str:
        """Model and revision, or else model and hosts."""
        return f"openai embeddings {pinned(self.spec, self.urls)}"

    async def learn(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Learn nothing."""
        return {}

    async def encode(self, texts: Sequence[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the texts' unit vectors; an empty text, which servers refuse, is the zero vector and is not sent."""
        rows = await together([self._gather(t) for t in texts if t.strip()])
        failed = next((r for r in rows if isinstance(r, RequestFailed)), None)
        if failed is not None:
            raise failed
        if self._width is None and texts:
            await self._batch(["width"])
        out = np.zeros((len(texts), self._width or 0), dtype=np.float32)
        if rows:
            out[[bool(t.strip()) for t in texts]] = np.stack([r for r in rows if isinstance(r, np.ndarray)])
        return out

    async def _batch(self, texts: Sequence[str]) -> Sequence[np.ndarray | RequestFailed]:
        body = {"model": self.spec.model, "input": list(texts), "encoding_format": "float"}
        try:
            return self._read(await self.client.post("/embeddings", body), len(texts))
        except Faulty as error:
            if error.fault.kind is Kind.MISSING:
                raise EngineRefused(
                    f"{shown(self.urls[0])} serves no embeddings of {self.spec.model}: {error}"
                ) from None
            if len(texts) == 1:
                return [error]
        # One text too long must not fail the others that happened to travel with it.
        alone = await together([self._batch([text]) for text in texts])
        return [answer for answers in alone for answer in answers]

    def _read(self, reply: Mapping[str, Any], count: int) -> list[np.ndarray | RequestFailed]:
        try:
            vectors = _vectors(reply["data"], count)
            if self._width not in (None, vectors.shape[1]):
                raise ValueError(f"vectors of length {vectors.shape[1]} after those of length {self._width}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EngineLacks(
                f"{shown(self.urls[0])}: /embeddings of {self.spec.model} answered {count} texts with "
                f"{error if isinstance(error, ValueError) else 'something else than vectors'}: "
                f"{opening(repr(reply).encode())}. Give another --encoder, or a server that embeds"
            ) from None
        self._width = vectors.shape[1]
        return list(unit(vectors))

    async def probe(self) -> None:
        """Probe every server on its own; one that does not answer is left aside while another does.

        Raises EngineRefused where the model is not served, EngineLacks for odd vectors, EngineUnreachable otherwise.
        """
        widths = await probe_each(self.urls, self._probe_one)
        if len(set(widths)) > 1:
            raise EngineLacks(f"the servers embed in vectors of different length: {', '.join(map(str, widths))}")

    async def _probe_one(self, url: str) -> int:
        one = OpenAIEncoder(replace(self.spec, base_urls=(url,)), self.patience)
        try:
            (answer,) = await one._batch(["word"])
        finally:
            await one.close()
        if isinstance(answer, RequestFailed):
            raise EngineUnreachable(f"{shown(url)} cannot embed even one word: {answer}")
        return len(answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._gather.close()
        await self.client.close()


def _vectors(rows: Sequence[Mapping[str, Any]], count: int) -> np.ndarray:
    """Return the vectors in the order of their texts, shape (count, d). Raises ValueError saying what is odd."""
    if sorted(row["index"] for row in rows) != list(range(count)):
        raise ValueError(f"{len(rows)} vectors, or their places are wrong")
    listed = [row["embedding"] for row in sorted(rows, key=lambda row: int(row["index"]))]
    if len({len(vector) for vector in listed}) != 1 or not listed[0]:
        raise ValueError("vectors of different length, or empty ones")
    vectors = np.asarray(listed, dtype=np.float32)
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError("vectors that are not all finite numbers")
    return vectors
