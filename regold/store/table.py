"""The whole data set by columns, as earlier steps left it: what a fit reads and a stage looks up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from regold.record import Messages, Record, Status


class Table:
    """Columns over all records in load order; each is read from the run directory when first asked for."""

    def __init__(self, ids: Sequence[str], column: Callable[[str], Any]) -> None:
        """Take the ids and a reader of columns: status, messages, options, weight, file, or a note's full name."""
        self._ids = ids
        self._read = column
        self._columns: dict[str, Any] = {}
        self._rows: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def column(self, name: str) -> Sequence[Any]:
        """Return one column in load order; None where a record lacks the note. Raises KeyError for an unknown one."""
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]  # type: ignore[no-any-return]

    def ids(self, where: Iterable[Status] | None = None, order_by: Sequence[str] = ()) -> list[str]:
        """Return ids, of the given statuses, in load order or by the named columns; missing values sort last."""
        rows = self.rows(where)
        if order_by:
            columns = [self._ids if name == "id" else self.column(name) for name in order_by]
            rows = sorted(rows, key=lambda i: [(c[i] is None, c[i]) for c in columns])
        return [self._ids[i] for i in rows]

    def rows(self, where: Iterable[Status] | None = None) -> list[int]:
        """Return positions in load order, of the given statuses."""
        if where is None:
            return list(range(len(self)))
        wanted = {str(s) for s in where}
        return [i for i, status in enumerate(self.column("status")) if status in wanted]

    def vectors(self, name: str, rows: Sequence[int]) -> np.ndarray:
        """Return a vector column of some rows, float32 of shape (len(rows), d); a missing vector is zero."""
        column = self.column(name)
        width = next((len(v) for v in column if v is not None), 0)
        out = np.zeros((len(rows), width), dtype=np.float32)
        for place, row in enumerate(rows):
            if column[row] is not None:
                out[place] = column[row]
        return out

    def messages(self, row: int) -> Messages:
        """Return the messages of one row."""
        return self.column("messages")[row]  # type: ignore[no-any-return]

    def lookup(self, ids: Sequence[str]) -> list[Record]:
        """Return records by id, in the order asked, without notes. Raises KeyError for an unknown id."""
        if self._rows is None:
            self._rows = {id_: i for i, id_ in enumerate(self._ids)}
        status, options = self.column("status"), self.column("options")
        rows = [self._rows[i] for i in ids]
        return [Record(self._ids[r], self.messages(r), tuple(options[r] or ()), Status(status[r])) for r in rows]
