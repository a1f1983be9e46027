"""`regold inspect`, `corrupt` and `export`: what a file holds, known noise for experiments, files for trainers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say, say_error

if TYPE_CHECKING:
    from regold.formats import Inspection, Row


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("inspect")(inspect)
    app.command("corrupt")(corrupt)
    app.command("export")(export)


def inspect(
    data: o.Data,
    format: o.Format = None,
    response_column: o.ResponseColumn = None,
    diversity: Annotated[bool, typer.Option("--diversity", help="measure how varied the records are, too")] = False,
    against: Annotated[
        Path | None, typer.Option(help="measure how much of this file the records cover, and both files' diversity")
    ] = None,
    as_json: o.AsJson = False,
) -> None:
    """Tell a data file's format, columns and counts, and the lines that cannot be used."""
    with exit_codes():
        from dataclasses import asdict

        from regold.errors import InputError
        from regold.formats import inspect as look

        columns = {"response": response_column} if response_column else None
        found = look(data, format=format, columns=columns)
        measured = _measured(data, against, format, columns) if diversity or against else {}
        if as_json:
            print_json({**asdict(found), **({"coverage": measured} if measured else {})})
        else:
            _print_inspection(found, measured)
        if not found.records:
            raise InputError(f"no record that can be used; {found.rejected} lines rejected", data)


def _measured(
    data: Path, against: Path | None, format: str | None, columns: dict[str, str] | None
) -> dict[str, dict[str, float]]:
    from regold.errors import InputError
    from regold.report.coverage import compared_texts, text_diversity

    texts = _texts(data, format, columns)
    pool = _texts(against, format, None) if against else None
    if not texts or (against and not pool):
        raise InputError("holds no record that can be used", data if not texts else against)
    return compared_texts({"against": pool, "data": texts}) if pool else {"data": text_diversity(texts)}


def _texts(path: Path, format: str | None, columns: dict[str, str] | None) -> list[str]:
    from regold.formats import Row, read

    rows = read(path, format=format, columns=columns or {}, on_bad_line="skip")
    return ["\n\n".join(m.content for m in row.messages) for row in rows if isinstance(row, Row)]


def corrupt(
    data: o.Data,
    out: Annotated[Path, typer.Option(help="where the corrupted copy goes")],
    rate: Annotated[float, typer.Option(min=0, max=1, help="share to corrupt; exactly floor(rate x records)")],
    kind: Annotated[
        str,
        typer.Option(
            help="symmetric, pair, model, truncate, swap, fact, off-topic, empty, placeholder, repetition, free-text "
            "(a mixture of the seven before), instruction, structured or adversarial"
        ),
    ] = "symmetric",
    seed: Annotated[int, typer.Option(help="the same seed nests: the 30 % set lies inside the 50 % set")] = 0,
    within: Annotated[str | None, typer.Option(help="a column whose equal values share a pool of answers")] = None,
    by: Annotated[str | None, typer.Option(help="a column whose equal values go wrong together (structured)")] = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    format: o.Format = None,
    response_column: o.ResponseColumn = None,
    as_json: o.AsJson = False,
) -> None:
    """Put known noise into a copy of a data file; the truth goes into a reserved column that no stage can read."""
    with exit_codes():
        import asyncio

        from regold.corrupt import corrupt_file
        from regold.formats import check_target, read_rows

        check_target(out, data)
        columns = {"response": response_column} if response_column else {}
        rows = list(read_rows(data, format=format, columns=columns))
        wrong, margin = None, None
        if kind in ("model", "adversarial"):
            wrong, margin = asyncio.run(_confusable(o.Asked(model, base_url), rows, kind == "adversarial"))
        done = corrupt_file(
            rows, out, rate, kind, seed, within=within, columns=columns, model=wrong, by=by, margin=margin
        )
        if as_json:
            counts = {"records": done.records, "corrupted": done.corrupted}
            print_json({"out": str(out), **counts, "kind": kind, "rate": rate, "seed": seed})
        else:
            text = f"{done.corrupted} of {done.records} records corrupted ({kind}, seed {seed}): {out}"
            say(text)


async def _confusable(
    asked: o.Asked, rows: Sequence[Row], ranked: bool
) -> tuple[dict[str, str], dict[str, float] | None]:
    from regold.corrupt import confusable, margins
    from regold.engines import open_engine

    engine = open_engine(asked.student())
    try:
        wrong = await confusable(engine, rows, greedy=ranked)
        return wrong, await margins(engine, rows, wrong) if ranked else None
    finally:
        await engine.close()


def export(
    run: o.RunDir,
    to: Annotated[str, typer.Option(help="hf, trl, llamafactory, axolotl or openai")],
    out: Annotated[Path, typer.Option(help="the folder to write")],
    model: Annotated[
        str | None, typer.Option(help="the model that the trainer's configuration names; by default the run's")
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option(help="paper, ds2, qlora, full, or a TOML file with [train]; by default that of the run's recipe"),
    ] = None,
    as_json: o.AsJson = False,
) -> None:
    """Write a finished run's records to train on as a folder that a trainer reads, with its own configuration."""
    with exit_codes():
        from regold.output import export_run

        done = export_run(run, to, out, model, settings)
        if as_json:
            told = {"files": [str(f) for f in done.files], "usage": done.usage, "warnings": list(done.warnings)}
            print_json({"out": str(out), "to": to, "records": done.records, **told})
            return
        say(f"{done.records} records for {to}: {out}\nto use it: {done.usage}")
        for warning in done.warnings:
            say_error(f"warning: {warning}")


def _taken(found: Inspection) -> str:
    """Return where the response is taken from; of a preference pair, which side passes through."""
    names = {column.name for column in found.columns}
    other = "; rejected is kept as it is" if found.response == "chosen" and "rejected" in names else ""
    return f"taken from the column {found.response}{other}" if found.response else "none found"


def _print_inspection(found: Inspection, measured: Mapping[str, Mapping[str, float]]) -> None:
    lines = [
        f"format    {found.format or 'unknown: no record is readable'} ({found.container}, {len(found.files)} file(s))",
        f"records   {found.records}, rejected lines {found.rejected}",
        f"turns     {found.turns} assistant turns, {found.conversations} records with more than one",
        f"responses {_taken(found)}",
        f"          {found.empty} empty; {found.with_options} with options, {found.with_truth} with a known truth",
        "columns",
        *(
            f"    {c.name:20} {c.filled:>8} filled   {', '.join(f'{k} {n}' for k, n in c.types.items())}"
            for c in found.columns
        ),
    ]
    say("\n".join(lines))
    for reject in found.rejects:
        say(f"{reject.file}:{reject.line}: {reject.reason}")
    if found.rejected > len(found.rejects):
        say(f"... and {found.rejected - len(found.rejects)} more rejected lines")
    for side, figures in measured.items():
        say(f"{side:9} " + "  ".join(f"{name} {value:g}" for name, value in figures.items()))
