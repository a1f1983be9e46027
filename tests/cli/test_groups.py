"""A dataclass spreads into options and comes back whole."""

from dataclasses import dataclass
from inspect import signature
from typing import Annotated

import typer
from typer.testing import CliRunner

from regold.cli import app as regold
from regold.cli.groups import grouped


@dataclass(frozen=True)
class Pair:
    left: Annotated[int, typer.Option(min=1, help="the first")] = 1
    right: Annotated[list[str] | None, typer.Option("--right-one")] = None


@grouped
def command(name: str, pair: Pair, loud: bool = False) -> None:
    """Say what came."""
    typer.echo(f"{name} {pair} {loud}")


def test_fields_become_options_in_their_place() -> None:
    assert list(signature(command).parameters) == ["name", "left", "right", "loud"]
    app = typer.Typer()
    app.command()(command)
    run = CliRunner().invoke
    assert run(app, ["x"]).output == "x Pair(left=1, right=None) False\n"
    said = run(app, ["x", "--left", "3", "--right-one", "a", "--right-one", "b", "--loud"]).output
    assert said == "x Pair(left=3, right=['a', 'b']) True\n"
    assert run(app, ["x", "--left", "0"]).exit_code == 2
    helped = run(app, ["--help"]).output
    assert "Say what came." in helped
    assert "the first" in helped


def test_help_lists_options_under_the_sections_of_their_groups() -> None:
    helped = CliRunner().invoke(regold, ["repair", "--help"]).output
    titles = ["Arguments:", "The run:", "Models:", "Changing the recipe:", "Reading the data:", "Options:"]
    assert [line for line in helped.splitlines() if line in titles] == titles
    assert helped.index("Models:") < helped.index("--judge") < helped.index("Changing the recipe:")
    assert helped.count("--seed") == 1
