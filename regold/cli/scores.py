"""`regold import-scores`: try a score file on a data file before a run takes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from regold.formats import Row
    from regold.formats.scores import Joined


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("import-scores")(import_scores)


def import_scores(
    data: o.Data,
    scores: Annotated[Path, typer.Argument(help="jsonl, json, csv or parquet: one row a record")],
    out: Annotated[Path | None, typer.Option(help="write the records with their scores here")] = None,
    column: o.Columns = None,
    by: o.By = "id",
    key: o.Key = "id",
    format: o.Format = None,
    on_bad_line: o.OnBadLine = "stop",
    as_json: o.AsJson = False,
) -> None:
    """Join a score file to a data file and tell what fits; `regold run RECIPE DATA --import SCORES` then uses it."""
    with exit_codes():
        from regold.formats import check_target, write
        from regold.formats.scores import join_scores

        if out is not None:
            check_target(out, data)
            check_target(out, scores)
        notes = o.notes_of(scores, column or (), key)
        rows = list(o.Reading(format, on_bad_line=on_bad_line).source(data).rows())
        joined = join_scores(scores, list(notes), [row.id for row in rows], o.choice("--by", by, ("id", "row")), key)
        if out is not None:
            write(out, _rows(rows, joined, notes))
        if as_json:
            about = {"columns": notes, "faults": joined.faults, "out": str(out) if out else None}
            print_json({"records": len(rows), **joined.counts(), **about})
            return
        pairs = ", ".join(f"{column} as {note}" for column, note in notes.items())
        say("\n".join([f"{pairs}: {joined.told()}", *joined.faults, *([f"written {out}"] if out else [])]))


def _rows(rows: Sequence[Row], joined: Joined, notes: Mapping[str, str]) -> Iterator[dict[str, object]]:
    nothing = [None] * len(notes)
    for row in rows:
        values = joined.scores.get(row.id, nothing)
        yield {"id": row.id, **row.source, **dict(zip(notes.values(), values, strict=True))}
