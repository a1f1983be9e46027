"""`regold show`: one record's whole trail, on the terminal or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say, say_error

if TYPE_CHECKING:
    from regold.store.fates import PastRun

LONGEST = 2000
BEGINNING = 100
NEIGHBOURS = "relabel.neighbours"


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
            if as_json:
                from regold.truth import known_truth

                truth = known_truth(past) if past.finished() else None
                print_json({**summary(past), **({"known_truth": truth} if truth else {})})
                return
            from regold.report.ledger import ledger_lines

            for line in ledger_lines(past):
                say(line)
            return
        found = trail(past, id)
        if html:
            from regold.cli.explain import write_page

            say_error(f"the story of {id}: {write_page(run, id)}")
        print_json(found) if as_json else _print_trail(found, full, _neighbours(past, found))


def _print_trail(found: Mapping[str, Any], full: bool, near: Mapping[str, str]) -> None:
    say(f"record {found['id']}   ({found['file']}, line {found['line']})")
    _print_messages(found["before"], full)
    for step in found["steps"]:
        if not (step["status"] or step["reason"] or step["notes"]):
            continue
        moved = f" -> {step['status']}" if step["status"] else ""
        say(f"\n[{step['step']}]{moved}  {step['reason']}".rstrip())
        for name, value in step["notes"].items():
            said = [f"{i}: {near[i]}" if i in near else i for i in value] if name == NEIGHBOURS else value
            say(_indented(f"{name.split('.', 1)[-1]}:{_shown(said)}", full))
    why = f"   ({found['why']})" if found["why"] else ""
    say(f"\nfate: {found['fate'] or 'the run is not finished'}{why}")
    if found["after"] != found["before"]:
        say(_indented(f"before: {found['before'][-1]['content']}", full))
        say(_indented(f"after:  {found['after'][-1]['content']}", full))


def _neighbours(past: PastRun, found: Mapping[str, Any]) -> dict[str, str]:
    """Return the beginnings of the texts that the record's neighbours were asked, by id."""
    from regold.store.columns import load_messages

    wanted = {i for step in found["steps"] for i in step["notes"].get(NEIGHBOURS, ())}
    texts = {}
    for id_, (part, row) in past.store.places(wanted).items():
        messages = load_messages(past.store.loaded(part, ["messages"])["messages"][row].as_py())
        asked = " ".join(next((m.content for m in messages if m.role == "user"), "").split())
        texts[id_] = asked if len(asked) <= BEGINNING else f"{asked[:BEGINNING]} ..."
    return texts


def _print_messages(messages: Sequence[Mapping[str, Any]], full: bool) -> None:
    for message in messages:
        say(_indented(f"{message['role']}: {message['content']}", full))


def _shown(value: Any) -> str:
    """Return a note's value after its colon: in its line, or texts one under the other."""
    if isinstance(value, list):
        shown = [_shown(v)[1:] for v in value]
        apart = any(" " in text or "\n" in text for text in shown)
        return "".join(f"\n    - {text}" for text in shown) if apart else f" {', '.join(shown)}"
    return f" {value:.4g}" if isinstance(value, float) else f" {value}"


def _indented(text: str, full: bool) -> str:
    cut = text if full or len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters; --full prints all)"
    return "\n".join(f"    {line}" for line in cut.splitlines())
