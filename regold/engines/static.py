"""An encoder made of a model's own input embeddings: the IDF-weighted mean of a text's tokens; numpy, no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from regold.engines.base import EngineSpec
from regold.engines.vectors import unit
from regold.engines.weights import folder_digest
from regold.errors import EngineRefused

TABLES = ("embed_tokens.weight", "word_embeddings.weight", "wte.weight", "tok_embeddings.weight")
TYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}
LISTED = "\nA. "
"""Where a question's listed options begin: their words would drown the question's in a mean."""


class StaticEncoder:
    """A folder with `model.safetensors`, `tokenizer.json` and perhaps `idf.npy` or `idf.json`, one weight a token."""

    def __init__(self, spec: EngineSpec) -> None:
        self.folder = Path(spec.model)
        missing = [f for f in ("model.safetensors", "tokenizer.json") if not (self.folder / f).is_file()]
        if missing:
            raise EngineRefused(f"{self.folder}: a static encoder needs {missing[0]} there")

    @cached_property
    def identity(self) -> str:
        """Return the digest of weights, tokenizer and token weights."""
        return f"static 1 {folder_digest(self.folder)}"

    async def learn(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Return the tokens' inverse document frequencies as `idf` where the folder brings none."""
        if self._idf is not None:
            return {}
        seen = np.zeros(len(self._table))
        for row in self._tokens(texts):
            seen[np.unique(row)] += 1
        return {"idf": np.log((len(texts) + 1) / (seen + 1)).astype(np.float32)}

    async def encode(self, texts: Sequence[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the texts' unit vectors; a text without tokens is the zero vector."""
        idf = self._idf if self._idf is not None else learned["idf"]
        out = np.zeros((len(texts), self._table.shape[1]), dtype=np.float32)
        for i, row in enumerate(self._tokens(texts)):
            out[i] = idf[row] @ self._table[row]
        return unit(out)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        asked = [text.split(LISTED, 1)[0] for text in texts]
        return [row.ids for row in self._tokenizer.encode_batch(asked, add_special_tokens=False)]

    @cached_property
    def _tokenizer(self) -> Any:
        return Tokenizer.from_file(str(self.folder / "tokenizer.json"))

    @cached_property
    def _table(self) -> np.ndarray:
        return read_embeddings(self.folder / "model.safetensors")

    @cached_property
    def _idf(self) -> np.ndarray | None:
        packed, listed = self.folder / "idf.npy", self.folder / "idf.json"
        if packed.is_file():
            return np.asarray(np.load(packed, allow_pickle=False), dtype=np.float32)
        if listed.is_file():
            return np.asarray(json.loads(listed.read_text(encoding="utf-8")), dtype=np.float32)
        return None

    async def probe(self) -> None:
        """Read the weights and the tokenizer. Raises EngineRefused where they hold no embeddings."""
        _ = self._table, self._idf, self._tokens(["word"])

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def read_embeddings(file: Path) -> np.ndarray:
    """Return the input embedding matrix of a safetensors file as float32, shape (tokens, width).

    Raises EngineRefused where it holds none. Only the matrix is read: 8 bytes of length, a JSON header, raw numbers.
    """
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        name = next((n for n in header if n.endswith(TABLES)), None)
        if name is None:
            raise EngineRefused(f"{file}: holds no input embeddings (looked for {', '.join(TABLES)})")
        start, end = header[name]["data_offsets"]
        stream.seek(8 + length + start)
        raw, kind = stream.read(end - start), header[name]["dtype"]
    if kind == "BF16":
        numbers = (np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
    elif kind in TYPES:
        numbers = np.frombuffer(raw, dtype=TYPES[kind]).astype(np.float32)
    else:
        raise EngineRefused(f"{file}: its embeddings are of type {kind}; use F32, F16 or BF16")
    return numbers.reshape(header[name]["shape"])
