"""The run directory: parts fixed at load, one folder a step, edits only; this is the only writer of state."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from regold.errors import InputError, RecipeError, RunBusy
from regold.files import disk, read_json, replacing, write_json
from regold.formats.rows import Row
from regold.record import Edit, NoteType, Record, Status
from regold.store.columns import LOADED, dump_messages, edit_row, edit_schema, load_messages, read_columns, write_rows
from regold.store.table import Table

FIXED = ("status", "messages", "options", "weight")


@dataclass(frozen=True)
class StepPlace:
    """Where one step's work lies: its number, name, fingerprint and the notes it writes."""

    number: int
    name: str
    fingerprint: str
    writes: Mapping[str, NoteType]

    @property
    def folder(self) -> str:
        """Return the folder's name, such as `03-judge-1f2e3d4c`."""
        return f"{self.number:02d}-{self.name}-{self.fingerprint[:8]}"


@dataclass(frozen=True)
class Store:
    """One run directory and the load its steps build on."""

    root: Path
    load: str = ""
    """Name of the load's folder, such as `00-load-1f2e3d4c`."""

    # ---- the run as a whole

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run directory until the block or the process ends. Raises RunBusy where another process holds it."""
        with disk(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock(handle)
            for torn in (*self.root.glob(".*.tmp"), *self.root.glob("*/.*.tmp")):
                torn.unlink()
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 100, 0).decode(errors="replace").strip()
            raise RunBusy(f"{self.root}: process {holder} works in this run directory; wait for it or end it") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)

    def calls(self, role: str) -> Path:
        """Return the folder of a role's journal."""
        return self.root / "calls" / role

    # ---- the load

    def write_load(self, rows: Iterable[Row], size: int) -> int:
        """Write rows as parts of `size` records; returns how many records there are."""
        block: list[dict[str, Any]] = []
        parts = total = 0
        for row in rows:
            block.append(_loaded(row))
            total += 1
            if len(block) == size:
                write_rows(self._part(parts), block, LOADED)
                block, parts = [], parts + 1
        if block:
            write_rows(self._part(parts), block, LOADED)
        return total

    def _part(self, part: int) -> Path:
        return self.root / self.load / f"part-{part:05d}.parquet"

    def parts(self) -> list[int]:
        """Return the numbers of the load's parts."""
        return list(range(len(list((self.root / self.load).glob("part-*.parquet")))))

    def loaded(self, part: int, columns: Iterable[str] | None = None) -> pa.Table:
        """Read columns of one part as loaded."""
        return read_columns(self._part(part), columns)

    def ids(self) -> list[str]:
        """Return all ids in load order."""
        return [i for p in self.parts() for i in self.loaded(p, ["id"])["id"].to_pylist()]

    # ---- a step's artifact and edits

    def folder(self, step: StepPlace) -> Path:
        """Return a step's folder."""
        return self.root / step.folder

    def has_artifact(self, step: StepPlace) -> bool:
        """Return whether a step's fit is stored."""
        return any((self.folder(step) / f"artifact.{kind}").exists() for kind in ("json", "npz"))

    def write_artifact(self, step: StepPlace, artifact: Any) -> None:
        """Store a fit's result whole: a dict of arrays as npz, all else as JSON."""
        if isinstance(artifact, Mapping) and artifact and all(isinstance(v, np.ndarray) for v in artifact.values()):
            with replacing(self.folder(step) / "artifact.npz") as stream:
                np.savez(stream, **artifact)
        else:
            write_json(self.folder(step) / "artifact.json", artifact)

    def artifact(self, step: StepPlace) -> Any:
        """Read a fit's result; None where the step has no fit."""
        for kind in ("json", "npz"):
            path = self.folder(step) / f"artifact.{kind}"
            if path.exists():
                return _artifact(path, path.stat().st_mtime_ns)
        return None

    def _edits(self, step: StepPlace, part: int) -> Path:
        return self.folder(step) / f"edits-{part:05d}.parquet"

    def has_edits(self, step: StepPlace, part: int) -> bool:
        """Return whether a step is done with a part."""
        return self._edits(step, part).exists()

    def write_edits(self, step: StepPlace, part: int, edits: Sequence[tuple[int, str, Edit]]) -> None:
        """Commit a step's edits of one part (row in the part, id, edit): absent or complete."""
        rows = [edit_row(row, id_, edit) for row, id_, edit in sorted(edits, key=lambda e: e[0])]
        try:
            write_rows(self._edits(step, part), rows, edit_schema(step.writes))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise RecipeError(f"step {step.name} wrote a note of another type than it declares: {error}") from error

    def edits(self, step: StepPlace, part: int, columns: Iterable[str] | None = None) -> pa.Table:
        """Read columns of a step's edits of one part."""
        return read_columns(self._edits(step, part), columns)

    def forget(self, step: StepPlace, parts: Sequence[int] | None = None) -> None:
        """Remove a step's edits of some parts, or the step whole."""
        if parts is None:
            shutil.rmtree(self.folder(step), ignore_errors=True)
        else:
            for part in parts:
                self._edits(step, part).unlink(missing_ok=True)

    # ---- records as earlier steps left them

    def column(self, name: str, part: int, steps: Sequence[StepPlace]) -> list[Any]:
        """Return one column of one part as the steps left it: the load's values, each step's edits on top."""
        values = self._initial(name, part)
        for step in steps:
            if name in FIXED or name in step.writes:
                self._overlay(values, step, part, name)
        return values

    def _initial(self, name: str, part: int) -> list[Any]:
        if name in ("messages", "options", "file"):
            return list(self.loaded(part, [name])[name].to_pylist())
        rows = self.loaded(part, ["id"]).num_rows
        return [{"status": str(Status.NEW), "weight": 1.0}.get(name)] * rows

    def _overlay(self, values: list[Any], step: StepPlace, part: int, name: str) -> None:
        if name == "options":
            return
        edits = self.edits(step, part, ["row", name])
        column = edits[name]
        new = _vectors(column) if step.writes.get(name) == NoteType.VECTOR else column.to_pylist()
        for row, value in zip(edits["row"].to_pylist(), new, strict=True):
            if value is not None:
                values[row] = value

    def records(self, part: int, steps: Sequence[StepPlace], notes: Iterable[str]) -> list[Record]:
        """Return a part's records as the given steps left them, with only the named notes."""
        ids = self.loaded(part, ["id"])["id"].to_pylist()
        status, messages, options, weight = (self.column(name, part, steps) for name in FIXED)
        named = {name: self.column(name, part, steps) for name in notes}
        return [
            Record(
                id_,
                load_messages(messages[i]),
                tuple(options[i] or ()),
                Status(status[i]),
                MappingProxyType({name: column[i] for name, column in named.items()}),
                weight[i],
            )
            for i, id_ in enumerate(ids)
        ]

    def table(self, steps: Sequence[StepPlace]) -> Table:
        """Return the whole data set by columns as the given steps left it."""
        known = {*FIXED, "file", *(name for step in steps for name in step.writes)}

        def read(name: str) -> Sequence[Any]:
            if name not in known:
                raise KeyError(f"no earlier step writes {name!r}")
            values = [v for part in self.parts() for v in self.column(name, part, steps)]
            return Decoded(values, load_messages) if name == "messages" else values

        return Table(self.ids(), read)


class Decoded(Sequence[Any]):
    """A column decoded value by value, when looked at."""

    def __init__(self, values: Sequence[str], decode: Callable[[str], Any]) -> None:
        """Take the encoded values and how to decode one."""
        self._values, self._decode = values, decode

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: Any) -> Any:
        return self._decode(self._values[place])


def read_manifest(root: Path) -> dict[str, Any]:
    """Read a run's manifest. Raises InputError where the folder is no run directory."""
    path = root / "manifest.json"
    if not path.is_file():
        raise InputError("is not a run directory (it has no manifest.json)", root)
    try:
        manifest = read_json(path)
    except ValueError as error:
        raise InputError(f"is damaged or not Regold's ({error})", path) from None
    if not isinstance(manifest, dict) or not {"recipe", "source", "load", "steps"} <= set(manifest):
        raise InputError("is not the manifest of a Regold run", path)
    return manifest


def _loaded(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "messages": dump_messages(row.messages),
        "options": list(row.options),
        "source": _json(row.source),
        "file": row.file,
        "line": row.line,
        "format": row.format,
        "turn": row.turn,
        "truth": row.truth,
        "noise": row.noise,
    }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


def _vectors(column: pa.ChunkedArray) -> list[Any]:
    """Return a vector column as numpy views, one a row; None where there is no vector."""
    chunk = column.combine_chunks()
    flat = chunk.flatten().to_numpy(zero_copy_only=False)
    lengths = [n or 0 for n in chunk.value_lengths().to_pylist()]
    starts = np.cumsum([0, *lengths])
    return [None if n == 0 else flat[start : start + n] for start, n in zip(starts, lengths, strict=False)]


@lru_cache(maxsize=8)
def _artifact(path: Path, written_ns: int) -> Any:
    """Read an artifact; the time it was written tells a refitted one apart."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    return read_json(path)
