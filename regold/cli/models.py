"""`regold demo`: show the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say, watching


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("demo")(demo)


def demo(
    into: Annotated[Path, typer.Option(help="where the demo keeps its runs")] = Path("runs/demo"),
    noise: Annotated[str, typer.Option(help="noise rates in per cent")] = "30,50,70",
    seeds: Annotated[int, typer.Option(min=1, help="seeds a noise rate")] = 3,
    items: Annotated[int, typer.Option(min=20, help="training records a run")] = 400,
    as_json: o.AsJson = False,
) -> None:
    """Inject noise, detect, repair, fine-tune and evaluate on the small real model that ships with Regold."""
    with exit_codes():
        from regold.cli.options import rates
        from regold.lab.demo import run_demo

        with watching() as watch:
            found = run_demo(into, rates(noise), seeds, items, watch)
        print_json(found.as_json()) if as_json else say(found.text())
