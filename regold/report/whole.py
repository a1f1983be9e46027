"""The checks that need the whole file: duplicates, contradictions, and what an encoder finds alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from regold.methods.similar import Sketches, contradictions, goes_on, near_duplicates

LATE: Mapping[str, tuple[str, str]] = {
    "exact-duplicate": ("drop", "An earlier record says exactly the same."),
    "near-duplicate": ("drop", "An earlier record says nearly the same."),
    "contradiction": ("suspect", "The same question is answered otherwise elsewhere."),
    "same-meaning": ("suspect", "An earlier record is close to it by the encoder."),
    "contamination": ("drop", "It shares words with an evaluation set."),
    "contamination-meaning": ("suspect", "Its question is close to one of an evaluation set by the encoder."),
}
"""Action and what is wrong. Those of meaning run only with an encoder, contamination only with evaluation files."""
MEANT = ("same-meaning", "contamination-meaning")
"""Those that need an encoder."""
NAMED = 5
"""Other records that a finding names."""


@dataclass(frozen=True)
class Late:
    """One finding of the whole file; rows are places among the records read."""

    check: str
    row: int
    others: Sequence[int]
    note: str
    known: str = ""
    """The evaluation text it is close to, where it is that."""


@dataclass
class Whole:
    """Keeps of every record what tells duplicates and contradictions: hashes and a sketch, never a text."""

    ids: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    exact: list[bytes] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    sketches: list[Sketches] = field(default_factory=list)

    def goes_on(self, row: int) -> bool:
        """Return whether a later turn of the same conversation follows."""
        return goes_on(self.ids[row], "".join(self.ids[row + 1 : row + 2]))

    def duplicates(self, late: Sequence[str]) -> Iterator[Late]:
        """Yield what those of the checks find that need no encoder."""
        first: dict[bytes, int] = {}
        same: dict[int, int] = {}
        whole = [
            row for row in range(len(self.ids)) if not goes_on(self.ids[row], "".join(self.ids[row + 1 : row + 2]))
        ]
        for row in whole if "exact-duplicate" in late else ():
            if first.setdefault(self.exact[row], row) != row:
                same[row] = first[self.exact[row]]
        if "exact-duplicate" in late:
            yield from (Late("exact-duplicate", a, [b], f"same as record {self.ids[b]}") for a, b in same.items())
        if "near-duplicate" in late and self.sketches:
            near = near_duplicates(Sketches.joined(self.sketches).of(whole))
            pairs = ((whole[a], whole[b]) for a, b in near.items())
            yield from (
                Late("near-duplicate", a, [b], f"nearly record {self.ids[b]}") for a, b in pairs if a not in same
            )
        if "contradiction" in late:
            for a, others in contradictions([k.hex() for k in self.asked], [k.hex() for k in self.said]).items():
                named = ", ".join(self.ids[b] for b in others[:NAMED])
                yield Late("contradiction", a, others[:NAMED], f"answered otherwise in {named}")
