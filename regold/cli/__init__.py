"""The command line. This is the one room that imports inside functions, so that `regold --help` stays light."""

from __future__ import annotations

from typing import Annotated

import typer

from regold.cli import (
    audit,
    bench,
    data,
    estimate,
    evaluate,
    explain,
    lab,
    look,
    models,
    produced,
    repair,
    scores,
    train,
)

app = typer.Typer(
    name="regold",
    help="Turns noisy fine-tuning data into gold: finds wrong responses, repairs them, shows its work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for room in (repair, estimate, data, scores, look, explain, produced, train, models, evaluate, bench, audit, lab):
    room.register(app)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"regold {version('regold')}")
        raise typer.Exit


@app.callback()
def _everything(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="print the version and stop")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line."""
    app()
