"""How records end: one fate and one reason each, the ledger that adds up, and the trail of any record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from regold.errors import InputError
from regold.files import read_json, write_json
from regold.fingerprint import digest
from regold.record import Fate, Messages, NoteType, Status
from regold.store.artifacts import told as told_by
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
_TOLD = ("id", "source", "file", "line", "format", "turn", "truth", "noise")
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


class End(NamedTuple):
    """How a record ends."""

    fate: Fate
    status: Status
    reason: str
    into: str | None
    weight: float


def ended(store: Store, steps: Sequence[StepPlace], leftover: Mapping[Status, Fate]) -> Iterator[Ended]:
    """Yield every record of a finished run, in load order."""
    for part in store.parts():
        values = store.columns(["messages", "options", "status", "weight"], part, steps)
        loaded = store.loaded(part, _TOLD).to_pydict()
        for i, end in enumerate(_ends(store, steps, leftover, part, values)):
            yield Ended(
                loaded["id"][i],
                end.fate,
                end.status,
                end.reason,
                end.into,
                end.weight,
                load_messages(values["messages"][i]),
                tuple(values["options"][i] or ()),
                json.loads(loaded["source"][i]),
                *(loaded[name][i] for name in _TOLD[2:]),
            )


def _ends(
    store: Store,
    steps: Sequence[StepPlace],
    leftover: Mapping[Status, Fate],
    part: int,
    values: Mapping[str, Sequence[Any]],
) -> Iterator[End]:
    """Yield how each record of a part ends, given its columns `status` and `weight` as the steps left them."""
    reasons, into = _last(store, steps, part, len(values["status"]))
    for status, reason, merged, weight in zip(values["status"], reasons, into, values["weight"], strict=True):
        yield _end(Status(status), leftover, reason, merged, weight)


def _end(last: Status, leftover: Mapping[Status, Fate], reason: str, into: str | None, weight: float) -> End:
    fate = fate_of(last, leftover)
    reason = reason or "no step had anything to say against it"
    told = reason if last in _KEPT or str(last) == str(fate) else f"left {last} at the end: {reason}"
    return End(fate, last, told, into, weight)


def _last(store: Store, steps: Sequence[StepPlace], part: int, size: int) -> tuple[list[str], list[str | None]]:
    """Return each record's last reason that came with a change of status, or else its last, and its merge target."""
    reasons, decided = [""] * size, [False] * size
    into: list[str | None] = [None] * size
    for step in steps:
        edits = store.edits(step, part, ["row", "status", "reason", "into"]).to_pydict()
        for row, status, reason, merged in zip(*edits.values(), strict=True):
            if reason and (status is not None or not decided[row]):
                reasons[row] = reason if status == Status.FAILED else f"{step.name}: {reason}"
                decided[row] = status is not None
            into[row] = merged or into[row]
    return reasons, into


def close_run(
    store: Store, steps: Sequence[StepPlace], leftover: Mapping[Status, Fate], rejected: int
) -> dict[str, int]:
    """Write `fates.parquet` and `ledger.json`; returns how many records met each fate."""
    rows: list[dict[str, Any]] = []
    for part in store.parts():
        values = store.columns(["id", "status", "weight"], part, steps)
        ends = _ends(store, steps, leftover, part, values)
        rows += ({"id": id_, **end._asdict()} for id_, end in zip(values["id"], ends, strict=True))
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
    place = run.store.places({id_}).get(id_)
    if place is None:
        raise InputError(f"the run has no record with the id {id_!r}", run.store.root)
    return _trail(run, *place)


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
    fate = why = None
    if run.finished():
        reasons, into = _last(run.store, run.steps, part, run.store.loaded(part, ["id"]).num_rows)
        end = _end(Status(status), run.leftover, reasons[row], into[row], 1.0)
        fate, why = str(end.fate), end.reason
    return {
        "id": loaded["id"],
        "file": loaded["file"],
        "line": loaded["line"],
        "options": loaded["options"] or [],
        "before": before,
        "steps": steps,
        "status": status,
        "fate": fate,
        "why": why,
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
    said = told_lines(run)
    about = {"told": said} if said else {}
    return {"run": str(run.store.root), **kept, "finished": run.finished(), "steps": steps, **about, **ledger}


def told_lines(run: PastRun) -> list[str]:
    """Return what the steps' fits have to tell a person, each line behind its step."""
    return [f"{step.name}: {line}" for step in run.steps for line in told_by(run.store.folder(step))]


def _ledger(run: PastRun) -> dict[str, Any]:
    """Return the ledger of a run that was closed; nothing where it was stopped before that."""
    place = run.store.root / "ledger.json"
    if not (place.is_file() and run.finished()):
        return {}
    ledger: dict[str, Any] = read_json(place)
    return ledger if ledger.pop("of", None) == _decided_by(run.steps, run.leftover) else {}
