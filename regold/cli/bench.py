"""`regold bench ...`: the experiments, one command each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, say, say_error, watching

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
    out: Annotated[Path | None, typer.Option(help="a folder for the page and the plot")] = None,
) -> None:
    """Measure the text checks on labels from manual curation: curves, five folds, each check, strictness."""
    with exit_codes():
        from regold.bench.audit import bench_audit
        from regold.bench.audit_report import write_audit
        from regold.files import write_json

        found = bench_audit(data, labels, seed)
        write_json(json, found)
        if out is not None:
            write_audit(found, out)
        parts = [("shipped", found["shipped"]["all"]), ("five-fold", found["five_fold"]["all"])]
        for name, at in [*parts, *found["strictness"].items(), *((f"  {c['check']}", c) for c in found["checks"])]:
            if at["flagged"]:
                say(f"{name:24} precision {at['precision']:.3f}  recall {at['recall']:.3f}  flagged {at['flagged']}")
        say("leave one out (normal strictness)")
        for at in found["leave_one_out"]:
            if 0 < at["flagged"] != found["strictness"]["normal"]["flagged"]:
                say(f"  {at['without']:22} precision {at['precision']:.3f}  recall {at['recall']:.3f}")
        say(f"{found['records']} records: {json}")


@bench.command("near-duplicates")
def near_duplicates(
    json: Annotated[Path, typer.Option(help="where every figure goes")],
    originals: Annotated[int, typer.Option(min=1, help="texts that get a copy each")] = 2000,
    threshold: Annotated[float, typer.Option(min=0.1, max=1, help="the Jaccard similarity that counts")] = 0.8,
    seed: Annotated[int, typer.Option(help="of the texts")] = 0,
    out: Annotated[Path | None, typer.Option(help="a folder for the page")] = None,
) -> None:
    """Measure near duplicates on generated texts with planted copies, against exact Jaccard and beside datasketch."""
    with exit_codes():
        from regold.bench.near_duplicates import bench_near_duplicates, write_near_duplicates
        from regold.files import write_json

        found = bench_near_duplicates(originals, seed, threshold)
        write_json(json, found)
        if out is not None:
            write_near_duplicates(found, out)
        for at in found["tools"]:
            precision = "-" if at["precision"] is None else f"{at['precision']:.3f}"
            recall = "-" if at["recall"] is None else f"{at['recall']:.3f}"
            say(f"{at['tool']:28} precision {precision}  recall {recall}  found {at['found']}")
        say(f"{found['true']} of {found['texts']} texts repeat an earlier one: {json}")


@bench.command("lab")
def lab(
    out: Annotated[Path, typer.Option(help="a folder for results.json, results.md and the plots")],
    into: Annotated[Path, typer.Option(help="where finished trials are kept, for resuming")] = Path("runs/bench-lab"),
    quick: Annotated[bool, typer.Option("--quick", help="a two-minute version")] = False,
    parts: Annotated[
        str | None, typer.Option(help="parts of the grid, such as methods,ablation; all by default")
    ] = None,
    sets: Annotated[str | None, typer.Option(help="only these sets, such as atlas-open-x,atlas-mc-x")] = None,
    rates: Annotated[str | None, typer.Option(help="noise rates in per cent, such as 30,50")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="seeds a cell")] = None,
    workers: Annotated[int, typer.Option(min=1, help="processes, one torch thread each")] = 2,
    world: Annotated[
        list[Path] | None, typer.Option(help="another world's model folder, for the headline rows")
    ] = None,
    world_seed: Annotated[int, typer.Option(help="seed of that world, where its folder does not say")] = 1,
    grid: Annotated[Path | None, typer.Option(help="another grid: TOML like regold/lab/grid.toml")] = None,
    other: Annotated[
        Path | None, typer.Option(help="another model folder of this world, evaluated as it is: one more row")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="say what there is to do and for how long, and stop")] = False,
    so_far: Annotated[bool, typer.Option("--so-far", help="write the results of what is done, and stop")] = False,
    json: Annotated[Path | None, typer.Option(help="write the results (or the plan) there too, as JSON")] = None,
) -> None:
    """Reproduce the papers' experiment grid on the small closed world: methods, noise, ablations, sensitivity."""
    with exit_codes():
        from regold.bench.lab import Asked, bench_lab, collect, forecast
        from regold.bench.lab_plan import plan_text
        from regold.files import write_json
        from regold.lab.grid import SHIPPED, world_of

        asked = Asked(
            into,
            quick,
            _listed(parts),
            _listed(sets),
            tuple(o.rates(rates)) if rates else None,
            seeds,
            {folder: world_of(folder, world_seed) for folder in world or ()},
            workers,
            grid or SHIPPED,
            other,
        )
        if plan:
            found = forecast(asked)
            say(plan_text(found))
        elif so_far:
            found = collect(asked, out)
        else:
            with watching() as watch:
                found = bench_lab(asked, out, watch, say_error)
        if json is not None:
            write_json(json, found)
        if not plan:
            say(f"{found['asked']['trials']} of {found['asked']['of']} trials: {out / 'results.md'}")


@bench.command("ratings")
def ratings(
    ratings: Annotated[Path, typer.Option(help="a row a record: id, and a column of classes 0-5 for each rater")],
    data: Annotated[Path, typer.Option(help="the records, with the same ids")],
    json: Annotated[Path, typer.Option(help="where every figure goes")],
    rater: Annotated[list[str] | None, typer.Option(help="a rater's column; repeat. Found by itself otherwise")] = None,
    encoder: o.EncoderName = None,
    pool: Annotated[Path | None, typer.Option(help="lines of classes for a whole pool: time it as well")] = None,
    vectors: Annotated[Path | None, typer.Option(help="keep the records' vectors in this file, for a rerun")] = None,
    recovery: Annotated[bool, typer.Option(help="measure the transition matrix on simulated raters too")] = True,
    threads: Annotated[int, typer.Option(min=1, help="threads for neighbours and algebra")] = 2,
    seed: Annotated[int, typer.Option(help="of folds, restarts and draws")] = 0,
    out: Annotated[Path | None, typer.Option(help="a folder for the page with its tables")] = None,
) -> None:
    """Correct each rater from its own scores and the texts alone, and measure it by the other raters."""
    with exit_codes():
        from regold.bench.ratings_page import run_ratings, shown, write_page
        from regold.files import write_json

        found = run_ratings(ratings, data, rater or (), o.encoder(encoder), pool, recovery, threads, seed, vectors)
        write_json(json, found)
        if out is not None:
            write_page(found, out)
        say(f"{shown(found)}\n{json}")


def _listed(text: str | None) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else None


@bench.command("stress")
def stress(
    json: Annotated[Path, typer.Option(help="where every figure of every seed goes")],
    into: Annotated[Path, typer.Option(help="where the bench keeps its runs")] = Path("runs/stress"),
    only: Annotated[str | None, typer.Option(help="some of the scenarios, such as withheld,forms")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="seeds a scenario")] = 3,
    items: Annotated[int, typer.Option(min=20, help="records a run")] = 300,
    out: Annotated[Path | None, typer.Option(help="a folder for the page")] = None,
) -> None:
    """Measure the recipe robustft on the lab where it is hard; what is done is kept, the same command resumes."""
    with exit_codes():
        from regold.bench.stress import run_stress
        from regold.bench.stress_report import write_stress
        from regold.files import write_json

        found = run_stress(into, only.split(",") if only else (), seeds, items, say_error)
        write_json(json, found)
        if out is not None:
            write_stress(found, out)
        say(f"{len(found['results'])} rows, {found['seconds']} s: {json}")


@bench.command("front")
def front(
    data: Annotated[Path, typer.Option(help="the pool, as `regold run` reads it")],
    ratings: Annotated[Path, typer.Option(help="a score file with recorded ratings 0-5, as `--import` takes it")],
    column: Annotated[list[str], typer.Option(help="column=note of the score file; repeat for several raters")],
    json: Annotated[Path, typer.Option(help="where every figure goes")],
    into: Annotated[Path, typer.Option(help="the run directory")] = Path("runs/front"),
    out: Annotated[Path | None, typer.Option(help="write the page (Markdown) there")] = None,
    encoder: o.EncoderName = None,
    sets: o.Sets = None,
    pairs: Annotated[int, typer.Option(min=0, help="pairs to show, by their ids and the words of their cluster")] = 10,
    texts: Annotated[bool, typer.Option("--texts", help="show the first words of what the pairs ask too")] = False,
) -> None:
    """Run the front half of entp on a real pool: ledger, time and memory of each step, clusters, pairs, coverage."""
    with exit_codes():
        from regold.bench.front import bench_front, page
        from regold.files import replacing, write_json
        from regold.run import Job

        asked = o.Asked(encoder=encoder)
        recipe = o.Changes(sets=sets, import_=ratings, column=column).recipe("entp-front", asked)
        job = Job(o.Reading().source(data), recipe, asked.models(recipe.needs()), into)
        with watching() as watch:
            found = bench_front(job, pairs, watch, texts)
        write_json(json, found)
        if out is not None:
            with replacing(out) as stream:
                stream.write(page(found).encode())
        say(page(found))


@bench.command("entp")
def entp(
    out: Annotated[Path, typer.Option(help="a folder for results.json, results.md and the plots")],
    into: Annotated[Path, typer.Option(help="where finished trials are kept, for resuming")] = Path("runs/bench-entp"),
    quick: Annotated[bool, typer.Option("--quick", help="small pools, two seeds, the arms alone")] = False,
    groups: Annotated[
        str | None, typer.Option(help="bound,arm,whole,selection,clusters,ratio,checks; all by default")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="seeds an arm")] = None,
    workers: Annotated[int, typer.Option(min=1, help="processes, one torch thread each")] = 1,
    arms: Annotated[Path | None, typer.Option(help="other arms: TOML like regold/lab/arms.toml")] = None,
    json: Annotated[Path | None, typer.Option(help="write the results there too, as one JSON file")] = None,
) -> None:
    """Compare ENTP's arms and selection baselines on a pool with planted faults, trained on the same number of rows."""
    with exit_codes():
        from regold.bench.entp import Asked, bench_entp
        from regold.files import write_json
        from regold.lab.arms import SHIPPED

        asked = Asked(into, quick, _listed(groups), seeds, workers, arms or SHIPPED)
        with watching() as watch:
            found = bench_entp(asked, out, watch, say_error)
        if json is not None:
            write_json(json, found)
        for row in found["rows"]:
            at = row["exact"]
            say(f"{row['arm']:24} {at['mean']:.3f} [{at['low']:.3f}, {at['high']:.3f}]  {row['calls']:.0f} calls")
        say(f"{found['asked']['trials']} trials: {out / 'results.md'}")
