"""Records of columnar files, batch by batch: parquet and Arrow."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from regold.errors import InputError
from regold.formats.rows import BadRow
from regold.formats.text_files import Entry
from regold.formats.values import kind

_BATCH = 512


def parquet(path: Path) -> Iterator[Entry]:
    """Yield the rows of a parquet file. Raises InputError for a damaged one."""
    try:
        with pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            yield from _rows(file.iter_batches(batch_size=_BATCH))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"not a readable parquet file: {_first_line(error)}", path) from None


def arrow(path: Path) -> Iterator[Entry]:
    """Yield the rows of an Arrow file, stream or random-access, as `save_to_disk` writes them."""
    try:
        with pa.memory_map(str(path)) as stream:
            if stream.read(6) == b"ARROW1":
                file = pa.ipc.open_file(stream)
                yield from _rows(file.get_batch(i) for i in range(file.num_record_batches))
            else:
                stream.seek(0)
                yield from _rows(pa.ipc.open_stream(stream))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"not a readable Arrow file: {_first_line(error)}", path) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


def _rows(batches: Iterator[Any]) -> Iterator[Entry]:
    line = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            for value in batch.slice(start, _BATCH).to_pylist():
                line += 1
                yield _entry(line, value)


def _entry(line: int, value: dict[str, Any]) -> Entry:
    try:
        return Entry(line, {name: plain(cell, name) for name, cell in value.items()})
    except BadRow as error:
        return Entry(line, None, str(error), str(value)[:2000])


def plain(value: Any, name: str) -> Any:
    """Return a cell as a JSON value: NaN becomes null, times and decimals become text. Raises BadRow for bytes."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(cell, name) for key, cell in value.items()}
    if isinstance(value, list | tuple):
        return [plain(cell, name) for cell in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)
    raise BadRow(f"the column {name} holds {kind(value)}, which has no place in a JSON record; leave the column out")
