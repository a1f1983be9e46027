"""What a run came to: fates, calls, places, and what its owner should look at before training on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.parquet as pq

from regold.engines.journal import Journal, Tally
from regold.output import Outputs
from regold.record import Fate, Status
from regold.store import Store

FEW = 0.1
"""Below this share of agreement with the given responses a model more likely does not know the subject."""


@dataclass(frozen=True)
class Report:
    """What a run came to. Calls and tokens are all that its journals hold; `new_calls` were paid this time."""

    run: str
    records: int
    rejected: int
    fates: Mapping[str, int]
    calls: int
    new_calls: int
    lost_calls: int
    """Calls in flight when an earlier attempt died: sent, never answered."""
    repeated_calls: int
    """Answers paid for more than once: none, unless workers share a file system that has no locks."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    out: str
    rest: str
    rejects: str | None
    told: Sequence[str] = ()
    """What the steps' fits have to tell."""
    warnings: Sequence[str] = ()
    """What its owner should look at before training on it."""

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def tally(store: Store) -> Tally:
    """Return what all the journals of a run say was paid."""
    total = Tally()
    folder = store.root / "calls"
    for role in sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []:
        journal = Journal(store.calls(role))
        journal.refresh()
        for name, value in vars(journal.tally).items():
            setattr(total, name, getattr(total, name) + value)
    return total


def outcome(
    store: Store,
    loaded: Mapping[str, Any],
    fates: Mapping[str, int],
    outputs: Outputs,
    paid_before: int,
    seconds: float,
    told: Sequence[str] = (),
) -> Report:
    """Return what a finished run came to, this time and in all."""
    paid = tally(store)
    return Report(
        run=str(store.root),
        records=loaded["records"],
        rejected=loaded["rejected"],
        fates=fates,
        calls=paid.answered,
        new_calls=paid.answered - paid_before,
        lost_calls=paid.lost,
        repeated_calls=paid.repeated,
        prompt_tokens=paid.prompt_tokens,
        completion_tokens=paid.completion_tokens,
        seconds=round(seconds, 2),
        out=str(outputs.kept),
        rest=str(outputs.rest),
        rejects=str(outputs.rejects) if outputs.rejects else None,
        told=told,
        warnings=_warnings(store, fates),
    )


def _warnings(store: Store, fates: Mapping[str, int]) -> list[str]:
    ended = pq.read_table(store.root / "fates.parquet", columns=["fate", "status"]).to_pydict()
    suspects = [fate for fate, status in zip(ended["fate"], ended["status"], strict=True) if status == Status.SUSPECT]
    still = suspects.count(Fate.KEPT)
    agreed = fates.get(Fate.KEPT, 0) - still
    asked = agreed + fates.get(Fate.REPAIRED, 0) + len(suspects)
    said = []
    if agreed < FEW * asked:
        said.append(
            f"the model agrees with only {agreed} of {asked} given responses. If most of them are right, it does not "
            "know the subject, and its repairs are guesses: read some before training"
        )
    if still:
        said.append(f"{still} of the records kept are still suspect: the recipe's [leftover] lets them through")
    return said
