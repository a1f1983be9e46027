"""Write rows to a file: whole or not at all, in the container its name asks for."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeAlias

import zstandard

from regold.errors import InputError
from regold.files import disk, replacing
from regold.formats.columnar import write_parquet
from regold.formats.sources import container
from regold.formats.values import dump

WRITABLE = ".jsonl, .json, .csv, .tsv (each also .gz or .zst) or .parquet"

Rows: TypeAlias = Iterable[Mapping[str, Any]]
Add: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Adds one row to a file that is being written."""


def write(path: Path, rows: Rows) -> int:
    """Write rows in the container the name's suffix says and return how many, as `writing` does."""
    count = 0
    with writing(path) as add:
        for row in rows:
            add(row)
            count += 1
    return count


@contextmanager
def writing(path: Path) -> Iterator[Add]:
    """Yield what adds one row to a file; the file appears whole when the block ends well, or not at all.

    Memory stays bounded. csv and parquet have one set of columns: missing values become empty or null, values in csv
    that are no text become JSON, and a parquet column of mixed types becomes text.
    Raises InputError for an unknown suffix or a folder, DiskFull where there is no room.
    """
    check_target(path)
    with replacing(path) as stream, _WRITERS[container(path)](stream, path) as add:

        def to_disk(row: Mapping[str, Any]) -> None:
            with disk(path):
                add(row)

        yield to_disk


def check_target(path: Path, source: Path | None = None) -> None:
    """Raise InputError where `write` could not write the file, or it would touch the data read from `source`."""
    if container(path) not in _WRITERS:
        raise InputError(f"cannot write this kind of file; expected {WRITABLE}", path)
    if path.is_dir():
        raise InputError("this is a folder; name a file in it", path)
    if source is None:
        return
    if path.resolve() == source.resolve() or (path.exists() and source.exists() and path.samefile(source)):
        raise InputError("this is the file that is read; write to another", path)
    if source.is_dir() and path.resolve().is_relative_to(source.resolve()):
        raise InputError(f"this lies in the folder that is read ({source}); write outside it", path)


@contextmanager
def _text(stream: BinaryIO, path: Path) -> Iterator[TextIO]:
    """Wrap the stream in what the name's last suffix asks for; bytes depend on the content alone."""
    if path.suffix == ".gz":
        packed: Any = gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0)
    elif path.suffix == ".zst":
        packed = zstandard.ZstdCompressor().stream_writer(stream, closefd=False)
    else:
        packed = io.BufferedWriter(_Kept(stream))
    with io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
        yield text


class _Kept(io.RawIOBase):
    """A stream that stays open when its wrapper closes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._stream.write(data)


@contextmanager
def _json_lines(stream: BinaryIO, path: Path) -> Iterator[Add]:
    with _text(stream, path) as text:
        yield lambda row: text.write(dump(row) + "\n")


@contextmanager
def _json(stream: BinaryIO, path: Path) -> Iterator[Add]:
    with _text(stream, path) as text:
        breaks = chain(["\n"], repeat(",\n"))
        text.write("[")
        yield lambda row: text.write(next(breaks) + dump(row))
        text.write("\n]\n")


@contextmanager
def _separated(stream: BinaryIO, path: Path) -> Iterator[Add]:
    with _spilled(path.parent) as (add, again):
        yield add
        names = list(dict.fromkeys(name for row in again() for name in row))
        with _text(stream, path) as text:
            tabs = container(path) == "tsv"
            writer = csv.writer(text, delimiter="\t" if tabs else ",", lineterminator="\n")
            writer.writerow(names)
            for row in again():
                writer.writerow([_cell(row.get(name)) for name in names])


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else dump(value)


@contextmanager
def _parquet(stream: BinaryIO, path: Path) -> Iterator[Add]:
    with _spilled(path.parent) as (add, again):
        yield add
        write_parquet(stream, again)


@contextmanager
def _spilled(folder: Path) -> Iterator[tuple[Add, Callable[[], Iterator[dict[str, Any]]]]]:
    """Keep rows in a nameless file of `folder`, so that they can be gone through twice without holding them."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", dir=folder) as spill:

        def again() -> Iterator[dict[str, Any]]:
            spill.seek(0)
            return map(json.loads, spill)

        yield lambda row: spill.write(dump(row) + "\n"), again


_WRITERS: dict[str | None, Callable[[BinaryIO, Path], AbstractContextManager[Add]]] = {
    "jsonl": _json_lines,
    "json": _json,
    "csv": _separated,
    "tsv": _separated,
    "parquet": _parquet,
}
