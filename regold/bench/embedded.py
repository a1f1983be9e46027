"""Embeds the records of a bench once: the vectors are kept in a file where one is named."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from regold.engines import EngineSpec, open_encoder
from regold.errors import InputError
from regold.files import replacing
from regold.fingerprint import digest


def embed(texts: Sequence[str], spec: EngineSpec, kept: Path | None = None) -> np.ndarray:
    """Return the texts' vectors, float32 (n, d): those of the file `kept` if they are of these texts by this encoder.

    Otherwise they are made, and the file is replaced. Raises InputError where it is not a file of vectors.
    """
    key = digest(asdict(spec), list(texts))
    if kept is not None and kept.exists() and (vectors := _read(kept, key)) is not None:
        return vectors
    vectors = asyncio.run(_made(texts, spec))
    if kept is not None:
        with replacing(kept) as stream:
            np.savez(stream, key=np.array(key), vectors=vectors)
    return vectors


def _read(kept: Path, key: str) -> np.ndarray | None:
    try:
        with np.load(kept, allow_pickle=False) as found:
            return np.asarray(found["vectors"], dtype=np.float32) if str(found["key"]) == key else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        raise InputError("no file of vectors; name another, or one that does not exist yet", kept) from None


async def _made(texts: Sequence[str], spec: EngineSpec) -> np.ndarray:
    encoder = open_encoder(spec)
    try:
        return await encoder.encode(texts, await encoder.learn(texts))
    finally:
        await encoder.close()
