"""One parquet schema for rows of JSON values that may not agree with each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

_BATCH = 2000

Again = Callable[[], Iterator[dict[str, Any]]]
"""Goes through the rows from the start each time it is called."""


def write_parquet(stream: BinaryIO, again: Again) -> None:
    """Write rows as parquet, going through them two or three times."""
    types, promoted = _types(again())
    texts = {name for name, found in types.items() if found is None}
    texts |= _unfit(again(), {name: types[name] for name in promoted - texts})
    schema = pa.schema([(name, pa.string() if name in texts else found) for name, found in types.items()])
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in _batches(again()):
            rows = [_flat(row, texts) for row in batch] if texts else batch
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _types(rows: Iterator[dict[str, Any]]) -> tuple[dict[str, Any], set[str]]:
    """Return each column's type, None where only text can hold it, and the columns whose batches disagreed."""
    types: dict[str, Any] = {}
    promoted: set[str] = set()
    for batch in _batches(rows):
        for name in dict.fromkeys(name for row in batch for name in row):
            known = types.get(name, pa.null())
            types[name] = _merged(known, [row.get(name) for row in batch])
            if known not in (types[name], pa.null()):
                promoted.add(name)
    return types, promoted


def _merged(known: Any, values: list[Any]) -> Any:
    """Return the type that holds the values too, or None where only text does."""
    if known is None:
        return None
    try:
        found = pa.array(values).type
        whole = pa.unify_schemas([pa.schema([("", known)]), pa.schema([("", found)])], promote_options="permissive")
    except (pa.ArrowException, OverflowError):
        return None
    merged = whole.field("").type
    return None if _has_empty_struct(merged) else merged


def _unfit(rows: Iterator[dict[str, Any]], types: Mapping[str, Any]) -> set[str]:
    """Return the columns with values that the merged type cannot hold, such as large integers among fractions."""
    unfit: set[str] = set()
    for batch in _batches(rows) if types else ():
        for name, kind in types.items():
            try:
                pa.array([row.get(name) for row in batch], kind)
            except (pa.ArrowException, OverflowError):
                unfit.add(name)
    return unfit


def _has_empty_struct(kind: Any) -> bool:
    # parquet cannot hold a struct without fields
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_has_empty_struct(field.type) for field in kind)
    return pa.types.is_list(kind) and _has_empty_struct(kind.value_type)


def _flat(row: Mapping[str, Any], texts: set[str]) -> dict[str, Any]:
    return {name: _text(value) if name in texts else value for name, value in row.items()}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        yield batch
