"""How records and edits lie in parquet: the column types and the way there and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from regold.files import replacing
from regold.formats.rows import Row
from regold.record import Edit, Message, Messages, NoteType

ARROW: Mapping[NoteType, pa.DataType] = {
    NoteType.TEXT: pa.string(),
    NoteType.INTEGER: pa.int64(),
    NoteType.NUMBER: pa.float64(),
    NoteType.FLAG: pa.bool_(),
    NoteType.TEXTS: pa.list_(pa.string()),
    NoteType.VECTOR: pa.list_(pa.float32()),
}

LOADED = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.string()),
        ("options", pa.list_(pa.string())),
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("format", pa.string()),
        ("turn", pa.int64()),
        ("truth", pa.string()),
        ("noise", pa.string()),
        ("weight", pa.float64()),
    ]
)
"""A loaded record. `source` is the original row as JSON; `truth` and `noise` are reserved: no stage can read them."""

_EDIT = [
    ("row", pa.int32()),
    ("id", pa.string()),
    ("status", pa.string()),
    ("reason", pa.string()),
    ("messages", pa.string()),
    ("weight", pa.float64()),
    ("into", pa.string()),
]


def loaded_row(row: Row) -> dict[str, Any]:
    """Return a row that was read as one row of `LOADED`."""
    return {
        "id": row.id,
        "messages": dump_messages(row.messages),
        "options": list(row.options),
        "source": json.dumps(dict(row.source), ensure_ascii=False),
        "file": row.file,
        "line": row.line,
        "format": row.format,
        "turn": row.turn,
        "truth": row.truth,
        "noise": row.noise,
        "weight": row.weight,
    }


def edit_schema(writes: Mapping[str, NoteType]) -> pa.Schema:
    """Return the columns of a step's edits: the fixed ones, then one a note."""
    return pa.schema([*_EDIT, *((name, ARROW[NoteType(kind)]) for name, kind in writes.items())])


def edit_row(row: int, id_: str, edit: Edit) -> dict[str, Any]:
    """Return an edit as one row of `edit_schema`."""
    return {
        "row": row,
        "id": id_,
        "status": None if edit.status is None else str(edit.status),
        "reason": edit.reason,
        "messages": None if edit.messages is None else dump_messages(edit.messages),
        "weight": edit.weight,
        "into": edit.into,
        **edit.notes,
    }


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
    """Write rows as one parquet file, whole or not at all; the same rows give the same bytes."""
    table = pa.Table.from_pylist([_encodable(row) for row in rows], schema=schema)
    with replacing(path) as stream:
        pq.write_table(table, stream, compression="zstd")


def _encodable(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row whose texts UTF-8 can hold: half a surrogate pair becomes a question mark."""
    return {k: v.encode(errors="replace").decode() if isinstance(v, str) else v for k, v in row.items()}


def read_columns(path: Path, columns: Iterable[str] | None = None, schema: pa.Schema | None = None) -> pa.Table:
    """Read some columns of a parquet file; those of the schema that it lacks are empty."""
    return pq.read_table(path, columns=None if columns is None else list(columns), schema=schema)


def vectors(column: pa.ChunkedArray) -> list[Any]:
    """Return a vector column as numpy views, one a row; None where there is no vector."""
    chunk = column.combine_chunks()
    flat = chunk.flatten().to_numpy(zero_copy_only=False)
    lengths = [n or 0 for n in chunk.value_lengths().to_pylist()]
    starts = np.cumsum([0, *lengths])
    return [None if n == 0 else flat[start : start + n] for start, n in zip(starts, lengths, strict=False)]


def dump_messages(messages: Messages) -> str:
    """Return messages as JSON text, in the shape chat servers use."""
    return json.dumps([{"role": m.role, "content": m.content, **m.extra} for m in messages], ensure_ascii=False)


def load_messages(text: str) -> Messages:
    """Return the messages that `dump_messages` wrote."""
    return tuple(_message(m) for m in json.loads(text))


def _message(fields: dict[str, Any]) -> Message:
    role, content = fields.pop("role"), fields.pop("content")
    return Message(role, content, fields) if fields else Message(role, content)
