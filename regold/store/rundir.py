"""The run directory: parts fixed at load, one folder a step, edits only; this is the only writer of state."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from regold.errors import InputError, RecipeError, RunBusy
from regold.files import disk, read_json
from regold.formats.rows import Row
from regold.record import Edit, NoteType, Record, Status
from regold.store.artifacts import has_artifact, read_artifact, write_artifact
from regold.store.columns import (
    LOADED,
    edit_row,
    edit_schema,
    load_messages,
    loaded_row,
    read_columns,
    vectors,
    write_rows,
)
from regold.store.table import Table

FIXED = ("status", "messages", "options", "weight")
EDITED = ("status", "messages", "weight")
"""What any step may change."""
READABLE = ("id", "messages", "options", "file", "weight")
"""What steps may read of a load: not the reserved truth."""


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
            block.append(loaded_row(row))
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
        return read_columns(self._part(part), columns, LOADED)

    def ids(self) -> list[str]:
        """Return all ids in load order."""
        return [i for p in self.parts() for i in self.loaded(p, ["id"])["id"].to_pylist()]

    def places(self, ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return the part and the row of each id that the run has; no further part is read than they need."""
        found: dict[str, tuple[int, int]] = {}
        for part in self.parts() if ids else ():
            here = self.loaded(part, ["id"])["id"].to_pylist()
            found |= {id_: (part, row) for row, id_ in enumerate(here) if id_ in ids}
            if len(found) == len(ids):
                break
        return found

    # ---- a step's artifact and edits

    def folder(self, step: StepPlace) -> Path:
        """Return a step's folder."""
        return self.root / step.folder

    def has_artifact(self, step: StepPlace) -> bool:
        """Return whether a step's fit is stored."""
        return has_artifact(self.folder(step))

    def write_artifact(self, step: StepPlace, artifact: Any) -> None:
        """Store a fit's result whole."""
        write_artifact(self.folder(step), artifact)

    def artifact(self, step: StepPlace) -> Any:
        """Read a fit's result; None where the step has no fit."""
        return read_artifact(self.folder(step))

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
        return self.columns([name], part, steps)[name]

    def columns(self, names: Iterable[str], part: int, steps: Sequence[StepPlace]) -> dict[str, list[Any]]:
        """Return columns of one part as the steps left them; each file is read once."""
        wanted = list(names)
        loaded = self.loaded(part, {"id", *wanted} & {*READABLE})
        values = {name: self._initial(name, loaded) for name in wanted}
        for step in steps:
            changed = [name for name in values if name in EDITED or name in step.writes]
            if changed:
                self._overlay(values, step, part, changed)
        return values

    def _initial(self, name: str, loaded: pa.Table) -> list[Any]:
        if name == "weight":  # empty in the parts of a Regold that did not read weights
            return [1.0 if w is None else w for w in loaded[name].to_pylist()]
        if name in loaded.column_names:
            return list(loaded[name].to_pylist())
        return [str(Status.NEW) if name == "status" else None] * loaded.num_rows

    def _overlay(self, values: Mapping[str, list[Any]], step: StepPlace, part: int, names: Sequence[str]) -> None:
        edits = self.edits(step, part, ["row", *names])
        rows = edits["row"].to_pylist()
        for name in names:
            column = edits[name]
            new = vectors(column) if step.writes.get(name) == NoteType.VECTOR else column.to_pylist()
            for row, value in zip(rows, new, strict=True):
                if value is not None:
                    values[name][row] = value

    def records(self, part: int, steps: Sequence[StepPlace], notes: Iterable[str]) -> list[Record]:
        """Return a part's records as the given steps left them, with only the named notes."""
        notes = list(notes)
        values = self.columns(["id", *FIXED, *notes], part, steps)
        status, messages, options, weight = (values[name] for name in FIXED)
        return [
            Record(
                id_,
                load_messages(messages[i]),
                tuple(options[i] or ()),
                Status(status[i]),
                MappingProxyType({name: values[name][i] for name in notes}),
                weight[i],
            )
            for i, id_ in enumerate(values["id"])
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
