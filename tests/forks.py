"""Starts `regold` over and over from one parent that has its libraries loaded: each start is a process of its own.

`python tests/forks.py` reads a command line as a JSON list, prints the process it forked for it, and prints how that
ended (a negative number is a signal); then it reads the next.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO

LOADED = ("regold.run", "regold.stages", "regold.executors.local", "regold.engines.openai", "regold.engines.lexical")
SEEN_S = 0.02


class Forks:
    """The parent, as a test sees it."""

    def __init__(self, asks: IO[bytes], tells: IO[bytes]) -> None:
        self._asks, self._tells = asks, tells

    def kill_when(self, words: list[str], due: Callable[[], bool], pause: float, limit_s: float = 60) -> bool:
        """Start a command, kill it a pause after it is due; returns whether it was still at work."""
        self._asks.write(json.dumps(words).encode() + b"\n")
        process, deadline = int(self._tells.readline()), time.monotonic() + limit_s
        while not self._ended(SEEN_S) and not due() and time.monotonic() < deadline:
            pass
        if not self._ended(pause):
            os.kill(process, signal.SIGKILL)
        return int(self._tells.readline()) == -signal.SIGKILL

    def _ended(self, within_s: float) -> bool:
        return bool(select.select([self._tells], [], [], within_s)[0])


@contextmanager
def forking(folder: Path, environment: dict[str, str]) -> Iterator[Forks]:
    """Run a parent of forks in a folder until the block ends."""
    command = [sys.executable, __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0, cwd=folder, env=environment) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        try:
            yield Forks(parent.stdin, parent.stdout)
        finally:
            parent.kill()


def main() -> None:
    """Load everything, then fork for each line."""
    for name in LOADED:
        import_module(name)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _become(json.loads(line))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _become(words: list[str]) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    code = 1
    try:
        import_module("regold.cli").app(words)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
