"""Tags what each instruction asks for; many tags are a complex instruction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from regold.asking import conversation, render
from regold.engines.base import Need, Request
from regold.record import Edit, Message, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage

MOST = 20
"""Tags that count; a reply that lists more only repeats itself."""


@dataclass(frozen=True)
class TagInstructions(Stage):
    """Note the tags that a model gives to an instruction's intents, and how many (InsTag, arXiv 2308.07074)."""

    max_tokens: Annotated[int, Gt(0)] = 128

    name: ClassVar[str] = "tag"
    on: ClassVar[tuple[Status, ...]] = (Status.NEW, Status.CLEAN, Status.HIGH, Status.LOW)
    needs: ClassVar[Mapping[str, frozenset[Need]]] = {"student": frozenset({Need.GENERATE})}
    prompts: ClassVar[tuple[str, ...]] = ("tag",)
    writes: ClassVar[Mapping[str, NoteType]] = {"tag.tags": NoteType.TEXTS, "tag.count": NoteType.NUMBER}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """One short list."""
        return (Spend("student", 1, lengths.query + 100, 20.0),)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Ask for the tags; a list that was cut off counts as none."""
        message = Message("user", render(ctx, "tag", query=conversation(record.query)))
        said = await ctx.ask("student", Request((message,), max_tokens=self.max_tokens))
        tags = [] if said.finish == "length" else read_tags(said.text)
        if not tags:
            return Edit(reason="no tags could be read")
        return Edit(reason=f"tags: {', '.join(tags)}", notes={"tag.tags": tags, "tag.count": float(len(tags))})


def read_tags(text: str) -> list[str]:
    """Return the tags of a list set apart by semicolons, commas or lines, folded, once each, in order."""
    parts = (re.sub(r"^[-*•\d.)\s]+|[\s.]+$", "", part).casefold() for part in re.split(r"[;,\n]", text))
    return list(dict.fromkeys(part for part in parts if 0 < len(part) <= 60))[:MOST]
