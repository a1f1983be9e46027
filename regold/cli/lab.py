"""`regold lab`: data of the closed world that the shipped models know, to try things without a model of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say
from regold.errors import UsageError

POOL = "pool"
NOISE = 0.3
group = typer.Typer(
    help="Data of the closed world that the shipped models know.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(group, name="lab")


@group.callback()
def _everything() -> None: ...


@group.command("sample")
def sample(
    out: Annotated[Path, typer.Option(help="the file to write: .jsonl, .json, .csv or .parquet")],
    set_name: Annotated[
        str,
        typer.Option(
            "--set", help="atlas-open, atlas-open-x, atlas-mc, atlas-mc-x, ledger or wire for robustft; pool for entp"
        ),
    ] = "atlas-open-x",
    records: Annotated[int, typer.Option(min=1, max=5000, help="how many")] = 300,
    noise: Annotated[
        float | None, typer.Option(min=0, max=1, help="share of wrong responses, 0.3 by default; a pool has its own")
    ] = None,
    seed: Annotated[int, typer.Option(help="another seed, other records")] = 0,
    as_json: o.AsJson = False,
) -> None:
    """Write a sample file with known faults for --model lab, or with --set pool for --model lab-fuse."""
    with exit_codes():
        from regold.formats import check_target
        from regold.lab.world import SETS

        check_target(out)
        o.choice("--set", set_name, (*SETS, POOL))
        if set_name == POOL and noise is not None:
            raise UsageError("--noise: the faults of a pool are its own; leave it out")
        faulty = _pool(out, records, seed) if set_name == POOL else _items(out, set_name, records, seed, noise)
        recipe, model = ("entp", "lab-fuse") if set_name == POOL else ("robustft", "lab")
        then = f"regold run {recipe} {out} --into runs/{out.stem} --model {model}"
        then += " --set judge.rule=majority" if recipe == "robustft" else ""
        if as_json:
            print_json({"out": str(out), "set": set_name, "records": records, "faulty": faulty, "next": then})
        else:
            say(f"{records} records, {faulty} of them faulty: {out}\nthen: {then}")


def _pool(out: Path, records: int, seed: int) -> int:
    from regold.lab.pool import pool, pool_world, write_pool

    entries = pool(pool_world(), records, seed)
    write_pool(out, entries)
    return sum(bool(entry.fault) for entry in entries)


def _items(out: Path, set_name: str, records: int, seed: int, noise: float | None) -> int:
    from regold.corrupt import corrupt_file
    from regold.formats import read_rows
    from regold.lab.data import WITHIN, write_items
    from regold.lab.world import World

    try:
        items = World().items(set_name, records, seed)
    except ValueError as error:
        raise UsageError(str(error)) from None
    write_items(out, items)
    rate = NOISE if noise is None else noise
    return corrupt_file(list(read_rows(out)), out, rate, "symmetric", seed, within=WITHIN).corrupted
