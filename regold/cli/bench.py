"""`regold bench ...`: the experiments, one command each."""

from __future__ import annotations

import typer

bench = typer.Typer(
    help="Measure methods on the lab or on labelled files.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(bench, name="bench")
