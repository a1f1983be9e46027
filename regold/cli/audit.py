"""`regold audit`: what is wrong with a file, told without any model."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say, watching
from regold.errors import UsageError

if TYPE_CHECKING:
    from regold.methods.checks import Check
    from regold.report.book import Audit


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("audit")(audit)


def audit(
    data: o.Data,
    out: Annotated[Path | None, typer.Option(help="a folder for audit.html, findings.jsonl and summary.json")] = None,
    checks: Annotated[
        str | None, typer.Option(help="names of checks or families, with commas, or none; all by default")
    ] = None,
    strictness: Annotated[str, typer.Option(help="lenient, normal or strict: how much doubt is reported")] = "normal",
    against: Annotated[list[Path] | None, typer.Option(help="an evaluation file to look for; repeat")] = None,
    words: Annotated[int, typer.Option(min=4, help="words in a row that count as taken from --against")] = 13,
    limit: Annotated[
        list[str] | None, typer.Option(help="FIELD.MEASURE=LOW..HIGH, such as response.words=3..2000; repeat")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="also look for like meanings: lexical, lab, or a sentence-transformers model")
    ] = None,
    alike: Annotated[float, typer.Option(min=0.5, max=1, help="the cosine that counts as a like meaning")] = 0.95,
    workers: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    format: o.Format = None,
    turns: o.Turns = "last",
    response_column: o.ResponseColumn = None,
    as_json: o.AsJson = False,
) -> None:
    """Find faults in a data file with no model: each with its evidence, counted, and shown on one page."""
    with exit_codes():
        from regold.files import write_json
        from regold.report.audit import Settings
        from regold.report.audit import audit as examine
        from regold.report.page import write_page
        from regold.report.whole import MEANT

        source = o.Reading(format, turns, "skip", response_column).source(data)
        chosen, late = _chosen(checks, o.choice("--strictness", strictness, ("lenient", "normal", "strict")))
        spec = o.encoder(encoder) if encoder else None
        if encoder is None and checks and (unmeant := [name for name in late if name in MEANT]):
            raise UsageError(f"--checks {unmeant[0]}: say what tells meanings, such as --encoder lexical")
        settings = Settings(
            chosen,
            late,
            against=tuple(against or ()),
            words=words,
            limits=tuple(limit or ()),
            encoder=spec,
            alike=alike,
            workers=workers,
            examples=out is not None,
        )
        with watching() as watch:
            found = examine(source, settings, out / "findings.jsonl" if out else None, watch("audit", 0))
        if out is not None:
            write_json(out / "summary.json", found.summary())
            write_page(found, out / "audit.html")
        files = {"out": str(out)} if out else {}
        print_json(found.summary() | files) if as_json else _print(found, out)


def _chosen(names: str | None, strictness: str) -> tuple[Sequence[Check], Sequence[str]]:
    """Return the checks of records and those of the whole file. Raises UsageError for a name that is neither."""
    from regold.methods.checks import CHECKS, FAMILIES, Strictness, choose
    from regold.report.whole import LATE

    level = Strictness[strictness.upper()]
    listed = [name.strip() for name in (names or "").split(",") if name.strip()]
    if listed == ["none"]:
        return (), ()
    if not listed:
        return choose((), level), tuple(LATE)
    for name in listed:
        if name not in CHECKS and name not in FAMILIES and name not in LATE:
            near = difflib.get_close_matches(name, [*CHECKS, *FAMILIES, *LATE], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            families = ", ".join([*FAMILIES, *LATE])
            raise UsageError(f"--checks: no check or family is called {name!r}{hint or '.'} Families: {families}")
    per_record = [name for name in listed if name not in LATE]
    return (choose(per_record, level) if per_record else ()), [name for name in listed if name in LATE]


def _print(found: Audit, out: Path | None) -> None:
    share = f" ({found.flagged / found.records:.1%})" if found.records else ""
    say(f"{found.flagged} of {found.records} records show a fault{share}; {found.rejected} lines could not be read")
    for name, count in found.counts.items():
        say(f"  {count:>7}  {name}")
    say(f"examples: {out / 'audit.html'}" if out else "see them: give --out FOLDER for a page with examples")
