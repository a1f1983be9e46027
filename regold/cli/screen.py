"""What a person sees while a run goes on: a bar on a terminal, a heartbeat line otherwise; errors as one line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import typer

from regold.errors import RegoldError, RunError

Watch: TypeAlias = Callable[[str, int], Callable[[int], None]]
"""Starts watching a named piece of work of so many records; returns the tick that counts them."""

BEAT_S = 5.0


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn Regold's errors into one line on stderr and the exit code: 1 run stopped with work kept, 2 usage."""
    try:
        yield
    except RunError as error:
        say_error(f"stopped: {error}")
        say_error("Everything done so far is kept; the same command resumes.")
        raise typer.Exit(1) from error
    except RegoldError as error:
        say_error(f"error: {error}")
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        say_error("stopped by you. Everything done so far is kept; the same command resumes.")
        raise typer.Exit(1) from error


def say(text: str) -> None:
    """Print text on stdout as it is; what could steer a terminal, as data may hold, is replaced."""
    typer.echo(_harmless(text))


def say_error(text: str) -> None:
    """Print text on stderr as it is; what could steer a terminal, as data may hold, is replaced."""
    typer.echo(_harmless(text), err=True)


def _harmless(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_json(value: Any) -> None:
    """Print one JSON object on stdout, with what could steer a terminal written as JSON's escapes."""
    text = json.dumps(value, ensure_ascii=False)
    sys.stdout.write("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text) + "\n")


@dataclass
class Heartbeat:
    """Prints a step's progress as plain lines, at most one every few seconds and one when it ends."""

    name: str
    total: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def __call__(self, records: int) -> None:
        """Count finished records."""
        self.done += records
        now = time.monotonic()
        if records and (now - self.last >= BEAT_S or self.done == self.total):
            self.last = now
            of = f"/{self.total}" if self.total else ""
            say_error(f"{self.name}: {self.done}{of} records, {now - self.began:.0f} s")


@contextmanager
def watching() -> Iterator[Watch]:
    """Yield a function that starts watching a named piece of work and returns its tick."""
    if not sys.stderr.isatty():
        yield Heartbeat
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (bars.TextColumn("{task.description:>10}"), bars.BarColumn(), bars.MofNCompleteColumn())
    times = (bars.TimeElapsedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, *times, console=Console(stderr=True)) as progress:

        def start(name: str, total: int) -> Callable[[int], None]:
            task = progress.add_task(name, total=total or None)
            return lambda records: progress.advance(task, records)

        yield start
