"""What a model folder is, by its contents: the digest of every file that decides an answer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from regold.fingerprint import digest, file_digest

DECIDING = (
    "*.safetensors",
    "*.safetensors.index.json",
    "pytorch_model*.bin",
    "adapter_model.bin",
    "*config*.json",
    "*/config.json",
    "modules.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
    "idf.*",
)


def folder_digest(folder: str | Path) -> str:
    """Return a 16-digit digest of a model folder's deciding files, names and contents; its place does not enter."""
    found = sorted({f for pattern in DECIDING for f in Path(folder).glob(pattern) if f.is_file()})
    return digest({f.name: _remembered(f, f.stat().st_size, f.stat().st_mtime_ns) for f in found})[:16]


@lru_cache(maxsize=4096)
def _remembered(file: Path, size: int, mtime_ns: int) -> str:
    # Weights take seconds to read; size and time tell whether they are still the same.
    return file_digest(file)
