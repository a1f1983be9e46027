"""The checks by meaning: an encoder's vectors of a file, read again, compared with each other and with questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from random import Random

import numpy as np

from regold.engines import Encoder, EngineSpec, open_encoder
from regold.formats import Row
from regold.methods.alike import alike, closest
from regold.report.whole import Late, Whole

LEARNT = 10_000
"""Texts, drawn evenly, that an encoder learns from."""
CHUNK = 256
MOST = 20_000
"""Characters of a text that are encoded."""

Rows = Callable[[], Iterator[Row]]


def by_meaning(rows: Rows, whole: Whole, spec: EngineSpec, least: float, known: Mapping[str, str]) -> list[Late]:
    """Return the records close to an earlier one, and those whose question is close to a known one.

    `rows` opens the file anew; `least` is the cosine that counts as close. Memory holds the vectors, not the texts.
    """
    return asyncio.run(_found(rows, whole, spec, least, known))


async def _found(rows: Rows, whole: Whole, spec: EngineSpec, least: float, known: Mapping[str, str]) -> list[Late]:
    encoder = open_encoder(spec)
    try:
        count = len(whole.ids)
        drawn = set(Random(0).sample(range(count), LEARNT)) if count > LEARNT else range(count)
        learned = await encoder.learn([_text(row) for n, row in enumerate(rows()) if n in drawn])
        vectors = await _encoded(encoder, (_text(row) for row in rows()), learned)
        found = [
            Late("same-meaning", a, [b], f"close to record {whole.ids[b]} (cosine {cosine:.2f})")
            for a, (b, cosine) in alike(vectors, least).items()
            if whole.exact[a] != whole.exact[b] and not whole.goes_on(a)
        ]
        if known:
            names = list(known)
            base = await _encoded(encoder, (known[name][:MOST] for name in names), learned)
            asked = await _encoded(encoder, (_asked(row) for row in rows()), learned)
            for a, (b, cosine) in closest(asked, base, least).items():
                note = f"its question is close to {names[b]} (cosine {cosine:.2f})"
                found.append(Late("contamination-meaning", a, [], note, names[b]))
        return found
    finally:
        await encoder.close()


async def _encoded(encoder: Encoder, texts: Iterator[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
    parts, chunk = [], []
    for text in texts:
        chunk.append(text)
        if len(chunk) == CHUNK:
            parts.append(await encoder.encode(chunk, learned))
            chunk = []
    if chunk or not parts:
        parts.append(await encoder.encode(chunk, learned))
    return np.concatenate(parts).astype(np.float32, copy=False)


def _asked(row: Row) -> str:
    return "\n".join(m.content for m in row.messages[:-1])[:MOST]


def _text(row: Row) -> str:
    return f"{_asked(row)}\n\n{row.messages[-1].content}"[:MOST]
