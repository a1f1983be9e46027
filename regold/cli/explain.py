"""`regold explain`: one record's whole story as a page, or what became of the whole pool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("explain")(explain)


def explain(
    run: o.RunDir,
    id: Annotated[str | None, typer.Argument(help="a record's id; without it, the whole pool's story")] = None,
    out: Annotated[Path | None, typer.Option(help="the page; by default explain-<id>.html in the run")] = None,
    coverage: Annotated[bool, typer.Option(help="measure coverage and diversity before and after")] = True,
    as_json: o.AsJson = False,
) -> None:
    """Write one record's whole story as an HTML page; without an id, print parts, clusters, fusion and coverage."""
    with exit_codes():
        from regold.store.fates import open_run

        past = open_run(run)
        if id is None:
            from regold.report.pool import summarize

            found = summarize(past, coverage)
            print_json(found) if as_json else _print_pool(found)
            return
        from dataclasses import asdict

        from regold.report.story import story

        told = story(past, id)
        place = write_page(run, id, out)
        print_json({"page": str(place), **asdict(told)}) if as_json else say(_titled(id, str(told.record["id"]), place))


def write_page(run: Path, id: str, out: Path | None = None) -> Path:
    """Write a record's page and return where it lies. Raises InputError where the run has no such record."""
    from regold.files import replacing
    from regold.report.story import page, story
    from regold.store.fates import open_run

    told = story(open_run(run), id)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in id)[:80]
    place = out or run / f"explain-{safe}.html"
    with replacing(place) as stream:
        stream.write(page(told).encode(errors="replace"))
    return place


def _print_pool(found: Mapping[str, Any]) -> None:
    mixed = found["mix"]
    for warning in found["warnings"]:
        say(f"warning: {warning}")
    say(f"{found['records']} records: " + ", ".join(f"{n} {part}" for part, n in found["parts"].items()))
    say("fates: " + ", ".join(f"{n} {fate}" for fate, n in found["fates"].items()))
    say(
        f"mix: {mixed['high']} high, {mixed['fused']} fused, {mixed['mended']} mended alone; "
        f"fusion ratio {mixed['ratio']:.3f}"
    )
    say(f"{len(found['clusters'])} clusters, {found['pairs']} pairs")
    for one in found["clusters"]:
        say(f"    {one['cluster']:24} {one['records']:7}  {', '.join(one['words'])}")
    if found["fusion"]["rounds"]:
        _print_fusion(found["fusion"])
    for side, measured in found.get("coverage", {}).items():
        say(f"{side:14} " + "  ".join(f"{name} {value:g}" for name, value in measured.items()))


def _print_fusion(fusion: Mapping[str, Any]) -> None:
    say("outcomes: " + ", ".join(f"{n} {outcome}" for outcome, n in fusion["outcomes"].items()))
    say(f"{'cycle':8} {'round':>5} {'versions':>8} {'accepted':>8} {'unread':>6}  mean loss (major, minor, uncovered)")
    for one in fusion["rounds"]:
        loss = "-" if one["mean_loss"] is None else ", ".join(f"{value:.2f}" for value in one["mean_loss"])
        say(f"{one['cycle']:8} {one['round']:5} {one['versions']:8} {one['accepted']:8} {one['unread']:6}  {loss}")
    for why, count in fusion["stopped"].items():
        say(f"    ended {count:6} times: {why}")


def _titled(asked: str, shown: str, place: Path) -> str:
    """Say whose story a page tells: that of a merged record is told where it went."""
    return (
        f"the story of {asked}: {place}" if asked == shown else f"{asked} was merged into {shown}, whose story: {place}"
    )
