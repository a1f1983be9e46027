"""The lab's encoder: the IDF-weighted mean of the lab model's own input embeddings."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MODEL = Path(__file__).parent / "model"
"""The shipped checkpoint; transformers loads it from here."""


class LabEncoder:
    """Encode texts without torch; rows are L2-normalised float32."""

    def __init__(self, folder: Path = MODEL) -> None:
        """Remember the checkpoint's folder; its files are read at the first use."""
        self.folder = folder

    @cached_property
    def identity(self) -> str:
        """Return what decides the vectors: digests of the weights, the tokenizer and the token weights."""
        files = ("model.safetensors", "tokenizer.json", "idf.json")
        digest = hashlib.sha256(b"".join(hashlib.sha256((self.folder / name).read_bytes()).digest() for name in files))
        return f"lab-encoder-{digest.hexdigest()[:16]}"

    @cached_property
    def _table(self) -> np.ndarray:
        embeddings = load_file(self.folder / "model.safetensors")["model.embed_tokens.weight"]
        weights = np.array(json.loads((self.folder / "idf.json").read_text()), dtype=np.float32)
        table: np.ndarray = embeddings * weights[:, None]
        return table

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self.folder / "tokenizer.json"))

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return an (n, width) array; listed options are left out, and a text without tokens is the zero vector."""
        coded = self._tokenizer.encode_batch([text.split("\nA. ", 1)[0] for text in texts])
        sums = np.stack([self._table[row.ids].sum(axis=0) for row in coded]) if coded else self._table[:0]
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.maximum(norms, 1e-12), dtype=np.float32)
