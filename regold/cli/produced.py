"""`regold produced`: what a run made out of other records, and a blind sheet for people to score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say
from regold.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("produced")(produced)


def produced(
    run: o.RunDir,
    sheet: Annotated[
        Path | None, typer.Option(help="write a sample here (csv) to be scored blindly; the key lies beside it")
    ] = None,
    records: Annotated[int, typer.Option(min=1, help="records in the sample")] = 50,
    seed: Annotated[int, typer.Option(help="of the sample and its order")] = 0,
    filled: Annotated[Path | None, typer.Option(help="read a sheet that was scored, with its key beside it")] = None,
    as_json: o.AsJson = False,
) -> None:
    """Tell how sound the fused and mended records of a run are; write or read a blind sample sheet."""
    with exit_codes():
        from regold.report.produced import made, read_sheet, summarize_produced, write_sheet
        from regold.store.fates import open_run

        if sheet is not None and sheet.exists():
            raise UsageError(f"{sheet} is already there, perhaps with people's scores in it: name another file")
        found = list(made(open_run(run)))
        told = summarize_produced(found, seed)
        if sheet is not None:
            key, items = write_sheet(found, sheet, records, seed)
            told |= {"sheet": str(sheet), "key": str(key), "items": items}
        if filled is not None:
            told["people"] = read_sheet(filled, seed)
        print_json(told) if as_json else _print(told)


def _print(told: Mapping[str, Any]) -> None:
    if not told["made"]:
        say("No record was made out of others in this run: there is nothing to measure.")
        return
    outcomes = ", ".join(f"{n} {name}" for name, n in told["outcomes"].items())
    say(f"{told['made']} records were made: {outcomes}")
    say(f"{told['sound']} without a finding, {told['taken_out']} taken out")
    for name, count in told["found"].items():
        say(f"    {name:20} {count}")
    say("mean: " + ", ".join(f"{name} {value:g}" for name, value in told["mean"].items() if value is not None))
    for who in ("second_rater", "people"):
        if (judged := told.get(who)) is not None:
            low, high = judged["interval"]
            say(
                f"{who.replace('_', ' ')}: {judged['records']} records, {judged['before']:.2f} before, "
                f"{judged['after']:.2f} after; difference {judged['difference']:+.2f} [{low:+.2f}, {high:+.2f}]"
            )
    if "sheet" in told:
        say(f"{told['items']} texts to score: {told['sheet']} (the key, not for the scorer: {told['key']})")
