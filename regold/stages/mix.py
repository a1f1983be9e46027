"""Chooses what the training set is mixed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from regold.record import Edit, Record, Status
from regold.stage import Context, Stage


@dataclass(frozen=True)
class ChooseMix(Stage):
    """Keep the fused records, the HIGH ones, or both, which is the hybrid set (ENTP).

    A record that was mended alone counts as fused: it too was made from a weak one.
    """

    keep: Literal["fused", "high", "high+fused"] = "high+fused"

    name: ClassVar[str] = "mix"
    on: ClassVar[tuple[Status, ...]] = (Status.HIGH, Status.FUSED, Status.REPAIRED)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Drop a record that the mix leaves out."""
        part = "high" if record.status == Status.HIGH else "fused"
        return Edit() if part in self.keep.split("+") else Edit(Status.DROPPED, f"{part}: not in the mix {self.keep!r}")
