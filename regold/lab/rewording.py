"""The same question in another wording: how far an answer hangs on the way it is asked."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from regold.lab.world import Item, World, backward, forward

FRAMES = 5
"""Wordings compared; a kind of question with fewer repeats one."""


class _Numbered(Random):
    """Chance that always picks the same place in a list."""

    def __init__(self, place: int) -> None:
        super().__init__(0)
        self._place = place

    def choice(self, seq: Any) -> Any:
        return seq[self._place % len(seq)]


def reworded(world: World, item: Item, frame: int) -> Item:
    """Return an item of Atlas asked in frame `frame` of the `-x` wordings, its options as they are.

    Items of other sets come back as they are.
    """
    if not item.hops:
        return item
    chance, (country, attribute) = _Numbered(frame), item.hops[-1]
    if item.kind == "backward":
        other = backward(world, chance, country, attribute, strange=True)
    else:
        via = item.hops[0][1] if item.kind == "two-hop" else None
        other = forward(world, chance, country, attribute, via, strange=True)
    return replace(item, question=other.question)
