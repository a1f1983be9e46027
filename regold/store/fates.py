"""How records end: one fate and one reason each, the ledger that adds up, and the trail of any record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from regold.errors import InputError
from regold.files import read_json, write_json
from regold.fingerprint import digest
from regold.record import Fate, Messages, NoteType, Status
from regold.store.columns import load_messages, write_rows
from regold.store.rundir import StepPlace, Store, read_manifest

_FATES = pa.schema(
    [
        ("id", pa.string()),
        ("fate", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("into", pa.string()),
        ("weight", pa.float64()),
    ]
)
_KEPT = (Status.NEW, Status.CLEAN, Status.HIGH)


@dataclass(frozen=True)
class Ended:
    """A record at the end of a run, with the row it came from."""

    id: str
    fate: Fate
    status: Status
    reason: str
    into: str | None
    weight: float
    messages: Messages
    options: tuple[str, ...]
    source: Mapping[str, Any]
    file: str
    line: int
    format: str
    turn: int | None
    truth: str | None
    noise: str | None


def fate_of(status: Status, leftover: Mapping[Status, Fate]) -> Fate:
    """Return the fate that a last status means; `leftover` decides for SUSPECT and LOW."""
    if status in _KEPT:
        return Fate.KEPT
    return leftover.get(status) or Fate(str(status))


def ended(store: Store, steps: Sequence[StepPlace], leftover: Mapping[Status, Fate]) -> Iterator[Ended]:
    """Yield every record of a finished run, in load order."""
    for part in store.parts():
        loaded = store.loaded(part).to_pylist()
        status, messages, weight = (store.column(name, part, steps) for name in ("status", "messages", "weight"))
        reasons, into = _last(store, steps, part, len(loaded))
        for i, row in enumerate(loaded):
            last = Status(status[i])
            fate = fate_of(last, leftover)
            reason = reasons[i] or "no step had anything to say against it"
            yield Ended(
                row["id"],
                fate,
                last,
                reason if last in _KEPT or str(last) == str(fate) else f"left {last} at the end: {reason}",
                into[i],
                weight[i],
                load_messages(messages[i]),
                tuple(row["options"] or ()),
                json.loads(row["source"]),
                row["file"],
                row["line"],
                row["format"],
                row["turn"],
                row["truth"],
                row["noise"],
            )


def _last(store: Store, steps: Sequence[StepPlace], part: int, size: int) -> tuple[list[str], list[str | None]]:
    """Return each record's last reason that came with a change of status, or else its last, and its merge target."""
    reasons, decided = [""] * size, [False] * size
    into: list[str | None] = [None] * size
    for step in steps:
        for edit in store.edits(step, part, ["row", "status", "reason", "into"]).to_pylist():
            row = edit["row"]
            if edit["reason"] and (edit["status"] is not None or not decided[row]):
                reasons[row] = f"{step.name}: {edit['reason']}" if edit["status"] != Status.FAILED else edit["reason"]
                decided[row] = edit["status"] is not None
            into[row] = edit["into"] or into[row]
    return reasons, into


def close_run(
    store: Store, steps: Sequence[StepPlace], leftover: Mapping[Status, Fate], rejected: int
) -> dict[str, int]:
    """Write `fates.parquet` and `ledger.json`; returns how many records met each fate."""
    rows = [
        {"id": e.id, "fate": e.fate, "status": e.status, "reason": e.reason, "into": e.into, "weight": e.weight}
        for e in ended(store, steps, leftover)
    ]
    counts = Counter(str(row["fate"]) for row in rows)
    fates = {str(fate): counts[str(fate)] for fate in Fate}
    write_rows(store.root / "fates.parquet", rows, _FATES)
    read = rejected + len(rows)
    counted = {"read": read, "rejected": rejected, "records": len(rows), "fates": fates}
    write_json(store.root / "ledger.json", {"of": _decided_by(steps, leftover), **counted})
    return fates


def _decided_by(steps: Sequence[StepPlace], leftover: Mapping[Status, Fate]) -> str:
    """Return the digest of all that decides a run's fates: its last step, which tells all above it, and `leftover`."""
    return digest(steps[-1].fingerprint if steps else "", {str(status): str(leftover[status]) for status in leftover})


@dataclass(frozen=True)
class PastRun:
    """A run as its manifest describes it."""

    store: Store
    steps: tuple[StepPlace, ...]
    leftover: Mapping[Status, Fate]
    manifest: Mapping[str, Any]

    def finished(self) -> bool:
        """Return whether every step is done with every part."""
        return all(self.store.has_edits(step, part) for step in self.steps for part in self.store.parts())

    def ended(self) -> Iterator[Ended]:
        """Yield every record as the run left it. Raises InputError while the run is not finished."""
        if not self.finished():
            raise InputError("this run is not finished: run its command again first", self.store.root)
        return ended(self.store, self.steps, self.leftover)


def open_run(root: Path) -> PastRun:
    """Open a run directory for reading. Raises InputError where it is none."""
    manifest = read_manifest(root)
    try:
        return _past_run(root, manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"is not the manifest of a Regold run ({error!r})", root / "manifest.json") from None


def _past_run(root: Path, manifest: Mapping[str, Any]) -> PastRun:
    steps = tuple(
        StepPlace(s["number"], s["name"], s["fingerprint"], {k: NoteType(v) for k, v in s["writes"].items()})
        for s in manifest["steps"]
    )
    leftover = {Status(k): Fate(v) for k, v in manifest["recipe"]["leftover"].items()}
    source, told = manifest["source"], (manifest["source"]["path"], manifest["recipe"]["name"], manifest["load"])
    if not (isinstance(source["columns"], Mapping) and all(isinstance(text, str) for text in told)):
        raise TypeError(f"{source}, {told}")
    return PastRun(Store(root, manifest["load"]), steps, leftover, manifest)


def trail(run: PastRun, id_: str) -> dict[str, Any]:
    """Return a record's whole trail as plain data: where it came from, each step's edit, before and after.

    Raises InputError where the run has no such record.
    """
    for part in run.store.parts():
        ids = run.store.loaded(part, ["id"])["id"].to_pylist()
        if id_ in ids:
            return _trail(run, part, ids.index(id_))
    raise InputError(f"the run has no record with the id {id_!r}", run.store.root)


def _trail(run: PastRun, part: int, row: int) -> dict[str, Any]:
    loaded = run.store.loaded(part).slice(row, 1).to_pylist()[0]
    before = json.loads(loaded["messages"])
    steps, messages, status = [], before, str(Status.NEW)
    for step in run.steps:
        if not run.store.has_edits(step, part):
            break
        for edit in run.store.edits(step, part).to_pylist():
            if edit["row"] == row:
                messages = json.loads(edit["messages"]) if edit["messages"] else messages
                status = edit["status"] or status
                steps.append(_step(step, edit))
    fate = str(fate_of(Status(status), run.leftover)) if run.finished() else None
    return {
        "id": loaded["id"],
        "file": loaded["file"],
        "line": loaded["line"],
        "options": loaded["options"] or [],
        "before": before,
        "steps": steps,
        "status": status,
        "fate": fate,
        "after": messages,
    }


def _step(step: StepPlace, edit: Mapping[str, Any]) -> dict[str, Any]:
    notes = {
        name: value
        for name, kind in step.writes.items()
        if (value := edit[name]) is not None and not (kind == NoteType.VECTOR and len(value) > 16)
    }
    changed = json.loads(edit["messages"]) if edit["messages"] else None
    fixed = {"step": step.name, "status": edit["status"], "reason": edit["reason"], "notes": notes}
    return {**fixed, "messages": changed, "into": edit["into"]}


def summary(run: PastRun) -> dict[str, Any]:
    """Return what a run is and what it came to, as plain data."""
    ledger = _ledger(run)
    steps = [step.folder for step in run.steps]
    kept = {"recipe": run.manifest["recipe"]["name"], "source": run.manifest["source"]["path"]}
    return {"run": str(run.store.root), **kept, "finished": run.finished(), "steps": steps, **ledger}


def _ledger(run: PastRun) -> dict[str, Any]:
    """Return the ledger of a run that was closed; nothing where it was stopped before that."""
    place = run.store.root / "ledger.json"
    if not (place.is_file() and run.finished()):
        return {}
    ledger: dict[str, Any] = read_json(place)
    return ledger if ledger.pop("of", None) == _decided_by(run.steps, run.leftover) else {}
