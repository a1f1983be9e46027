"""`regold repair` and `regold run`: a data file in, what to train on out; `validate` before either."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

import regold.cli.options as o
from regold.cli.groups import Sectioned, grouped
from regold.cli.screen import exit_codes, print_json, say, say_error, watching

if TYPE_CHECKING:
    from regold.outcome import Report
    from regold.recipe import Recipe
    from regold.run import Job

RecipePlace = Annotated[str, typer.Argument(help="a shipped recipe, a TOML file, or a run to repeat")]


@dataclass(frozen=True)
class How:
    """Where a run is kept, what it writes, and where it works."""

    section: ClassVar[str] = "The run"

    out: Annotated[
        Path | None, typer.Option(help="where the records to train on go; all others lie beside it, with reasons")
    ] = None
    into: Annotated[Path | None, typer.Option(help="the run directory; by default runs/<file stem>-<fingerprint>")] = (
        None
    )
    part_size: Annotated[int, typer.Option(min=1, help="records a part, fixed at load")] = 1000
    executor: Annotated[str, typer.Option("--executor", help="local or ray")] = "local"
    workers: Annotated[int, typer.Option(min=1, help="workers of the ray executor")] = 2
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="try records again that failed")] = False
    provenance: Annotated[bool, typer.Option("--provenance", help="add _regold columns: id, fate, reason, weight")] = (
        False
    )
    as_json: o.AsJson = False


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("repair", cls=Sectioned)(repair)
    app.command("run", cls=Sectioned)(run)
    app.command("validate")(validate)


@grouped
def repair(
    data: o.Data, how: How, asked: o.Asked, changes: o.Changes, reading: o.Reading, recipe: o.RecipeName = "robustft"
) -> None:
    """Find and repair the noisy responses of a data file; the same command resumes."""
    _go(recipe, data, how, asked, changes, reading)


@grouped
def run(recipe: RecipePlace, data: o.Data, how: How, asked: o.Asked, changes: o.Changes, reading: o.Reading) -> None:
    """Run any recipe on a data file; `repair` is this with the recipe robustft."""
    _go(recipe, data, how, asked, changes, reading)


def _go(name: str, data: Path, how: How, asked: o.Asked, changes: o.Changes, reading: o.Reading) -> None:
    with exit_codes():
        from regold.run import Job

        recipe = changes.recipe(name, asked)
        executor = o.choice("--executor", how.executor, ("local", "ray"))
        job = Job(
            reading.source(data),
            recipe,
            asked.models(recipe.needs()),
            how.into,
            how.out,
            how.part_size,
            executor,
            how.workers,
            how.retry_failed,
            how.provenance,
        )
        _tell(_run(job), how.as_json)


def validate(
    recipe: RecipePlace,
    prompts: o.PromptSet = None,
    sets: o.Sets = None,
    as_json: o.AsJson = False,
) -> None:
    """Refuse a broken recipe before anything is paid; print what a sound one will do."""
    with exit_codes():
        from regold.recipe import load_recipe

        found = load_recipe(recipe, sets or (), prompts=prompts)
        if as_json:
            print_json({"valid": True, **found.resolved()})
        else:
            _list_steps(found)


def _run(job: Job) -> Report:
    import asyncio

    from regold import run as room

    with watching() as watch:
        return asyncio.run(room.run(job, lambda step, records: watch(step.place.name, records)))


def _tell(report: Report, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json())
        return
    fates = ", ".join(f"{count} {fate}" for fate, count in report.fates.items() if count)
    again = f" ({report.new_calls} now)" if report.new_calls != report.calls else ""
    lines = [
        f"{report.records} records: {fates}" + (f"; {report.rejected} lines rejected" if report.rejected else ""),
        f"calls {report.calls}{again}, {report.prompt_tokens} prompt and {report.completion_tokens} completion tokens, "
        f"{report.seconds:.1f} s",
        *report.told,
        f"train on   {report.out}",
        f"the others {report.rest}",
        *([f"rejected   {report.rejects}"] if report.rejects else []),
        f"the run    {report.run}   (regold show {report.run} ID prints a record's trail)",
    ]
    say("\n".join(lines))
    for warning in report.warnings:
        say_error(f"look:      {warning}")


def _list_steps(recipe: Recipe) -> None:
    say(f"recipe {recipe.name} is sound. {recipe.about}".rstrip())
    for number, step in enumerate(recipe.resolved()["step"], start=1):
        settings = ", ".join(f"{key}={value}" for key, value in step.items() if key != "use" and value not in ([], ""))
        name = recipe.stages[number - 1].name
        say(f"{number:3d}  {name:10} {step['use']}" + (f"  ({settings})" if settings else ""))
