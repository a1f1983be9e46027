"""Coverage and diversity of sets of texts, in the lexical space of the first of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from regold.engines.lexical import LexicalEncoder
from regold.methods.coverage import compared, diversity

MOST = 5000
"""Texts of a set that are measured, drawn by a fixed seed."""


def compared_texts(sides: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Return coverage and diversity of sets of texts against the first, the pool; none may be empty."""
    few = {name: _drawn(texts) for name, texts in sides.items()}
    found = compared(asyncio.run(_encoded(few)), few)
    return {name: {**measured, "records": float(len(sides[name]))} for name, measured in found.items()}


def text_diversity(texts: Sequence[str]) -> dict[str, float]:
    """Return how varied the texts of one set are."""
    few = _drawn(texts)
    vectors = asyncio.run(_encoded({"all": few}))["all"]
    return {"records": float(len(texts)), "measured": float(len(few)), **diversity(vectors, few)}


def _drawn(texts: Sequence[str]) -> Sequence[str]:
    if len(texts) <= MOST:
        return texts
    return [texts[row] for row in np.sort(np.random.default_rng(0).permutation(len(texts))[:MOST])]


async def _encoded(sides: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    encoder = LexicalEncoder()
    learned = await encoder.learn(next(iter(sides.values())))
    return {name: await encoder.encode(texts, learned) for name, texts in sides.items()}
