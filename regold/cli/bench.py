"""`regold bench ...`: the experiments, one command each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, say

bench = typer.Typer(
    help="Measure methods on the lab or on labelled files.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(bench, name="bench")


@bench.command("views")
def views(
    data: Annotated[Path, typer.Option(help="questions with options, groundtruth, error_type and predictions")],
    json: Annotated[Path, typer.Option(help="where every figure of every pair and triple goes")],
    seeds: Annotated[int, typer.Option(min=1, help="noise seeds a rate")] = 5,
    rates: Annotated[str, typer.Option(help="noise rates in per cent")] = "10,30,50,70",
    triples: Annotated[bool, typer.Option(help="measure every triple of models too")] = True,
    out: Annotated[Path | None, typer.Option(help="a folder for the page and the plots")] = None,
) -> None:
    """Measure the check on recorded answers of real models, every pair and triple of them as views."""
    with exit_codes():
        from regold.bench.views import run_views
        from regold.bench.views_report import write_views
        from regold.files import write_json

        found = run_views(data, o.rates(rates), seeds, triples)
        write_json(json, found)
        if out is not None:
            write_views(found, out)
        for s in found["summary"]:
            f1, head = s["f1"], f"{s['noise']!s:>8}  {s['size']} views  {s['rule']:9}"
            say(f"{head} F1 {f1['median']:.3f} ({f1['min']:.3f}-{f1['max']:.3f})")
        say(f"{len(found['results'])} figures, {found['seconds']} s: {json}")


@bench.command("audit")
def audit(
    data: Annotated[Path, typer.Option(help="the records, with ids")],
    labels: Annotated[Path, typer.Option(help="lines with id, noise (0 or 1) and, where known, confidence")],
    json: Annotated[Path, typer.Option(help="where every figure goes")],
    seed: Annotated[int, typer.Option(help="of the folds")] = 0,
) -> None:
    """Measure the text checks on labels from manual curation: curves, five folds, each check, strictness."""
    with exit_codes():
        from regold.bench.audit import bench_audit
        from regold.files import write_json

        found = bench_audit(data, labels, seed)
        write_json(json, found)
        parts = [("shipped", found["shipped"]["all"]), ("five-fold", found["five_fold"]["all"])]
        for name, at in [*parts, *found["strictness"].items(), *((f"  {c['check']}", c) for c in found["checks"])]:
            if at["flagged"]:
                say(f"{name:24} precision {at['precision']:.3f}  recall {at['recall']:.3f}  flagged {at['flagged']}")
        say("leave one out (normal strictness)")
        for at in found["leave_one_out"]:
            if 0 < at["flagged"] != found["strictness"]["normal"]["flagged"]:
                say(f"  {at['without']:22} precision {at['precision']:.3f}  recall {at['recall']:.3f}")
        say(f"{found['records']} records: {json}")
