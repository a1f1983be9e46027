"""`regold show`: one record's whole trail, on the terminal or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say, say_error

LONGEST = 2000


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("show")(show)


def show(
    run: o.RunDir,
    id: Annotated[str | None, typer.Argument(help="a record's id; without it, the run's ledger")] = None,
    full: Annotated[bool, typer.Option("--full", help="print long texts whole")] = False,
    html: Annotated[bool, typer.Option("--html", help="write the record's story as a page, as `explain` does")] = False,
    as_json: o.AsJson = False,
) -> None:
    """Print a record's whole trail: views, verdict, neighbours, candidates, review, confidence, before and after."""
    with exit_codes():
        from regold.store.fates import open_run, summary, trail

        past = open_run(run)
        if id is None:
            found = summary(past)
            print_json(found) if as_json else _print_summary(found)
            return
        found = trail(past, id)
        if html:
            from regold.cli.explain import write_page

            say_error(f"the story of {id}: {write_page(run, id)}")
        print_json(found) if as_json else _print_trail(found, full)


def _print_summary(found: Mapping[str, Any]) -> None:
    for key, value in found.items():
        if isinstance(value, Mapping):
            say(f"{key}: " + ", ".join(f"{name} {count}" for name, count in value.items()))
        elif key == "told":
            say("\n".join(value))
        else:
            say(f"{key}: {value}")


def _print_trail(found: Mapping[str, Any], full: bool) -> None:
    say(f"record {found['id']}   ({found['file']}, line {found['line']})")
    _print_messages(found["before"], full)
    for step in found["steps"]:
        moved = f" -> {step['status']}" if step["status"] else ""
        say(f"\n[{step['step']}]{moved}  {step['reason']}")
        for name, value in step["notes"].items():
            say(_indented(f"{name.split('.', 1)[-1]}: {_shown(value)}", full))
    say(f"\nfate: {found['fate'] or 'the run is not finished'}")
    if found["after"] != found["before"]:
        say(_indented(f"before: {found['before'][-1]['content']}", full))
        say(_indented(f"after:  {found['after'][-1]['content']}", full))


def _print_messages(messages: Sequence[Mapping[str, Any]], full: bool) -> None:
    for message in messages:
        say(_indented(f"{message['role']}: {message['content']}", full))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_shown(v) for v in value)
    return str(value)


def _indented(text: str, full: bool) -> str:
    cut = text if full or len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters; --full prints all)"
    return "\n".join(f"    {line}" for line in cut.splitlines())
