"""Runs a model's program where it can do no harm, or refuses: no network, no file outside, no process, little time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regold.errors import UsageError

JAIL = Path(__file__).with_name("jail.py")
PASSED, RAISED, LEFT, UNJAILED = 42, 43, 44, 45
"""Exit codes of the jail; any other means that the program was killed."""
_VERDICTS = {PASSED: "passed", RAISED: "raised", LEFT: "left early"}
_ISOLATE = ("--user", "--map-root-user", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
_PROBE = """
import os, socket, tempfile
def refused(act):
    try:
        act()
    except OSError:
        return True
    return False
assert refused(lambda: socket.socket())
assert refused(lambda: open({outside!r}, "w"))
assert refused(lambda: os.fork())
with open("inside", "w") as file:
    file.write("x")
"""


class NoSandbox(UsageError):
    """Report that programs cannot be run safely here, and are therefore not run."""


@dataclass(frozen=True)
class Limits:
    """What a program may use: seconds of wall and processor time, and megabytes of memory and of files."""

    seconds: int = 10
    memory_mb: int = 1024
    files_mb: int = 16


@dataclass(frozen=True)
class Verdict:
    """How a program ended: `passed`, `raised`, `left early`, `killed` or `time limit`."""

    how: str

    @property
    def passed(self) -> bool:
        """Tell whether the program ran to its end without an exception."""
        return self.how == "passed"


def run_program(program: str, limits: Limits | None = None) -> Verdict:
    """Run a program in the sandbox. Raises NoSandbox where there is none."""
    check_sandbox()
    return _run(program, limits or Limits())


@cache
def check_sandbox() -> None:
    """Show that the sandbox holds: a program that tries to get out must fail to. Raises NoSandbox otherwise."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        raise NoSandbox("programs are run only on Linux with util-linux's `unshare`; nothing was run")
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder) / "outside"
        verdict = _run(_PROBE.format(outside=str(outside)), Limits())
        if not verdict.passed or outside.exists():
            raise NoSandbox(
                f"no sandbox here ({verdict.how}): it needs user namespaces and seccomp, which this machine or "
                "container refuses; nothing was run"
            )


def _run(program: str, limits: Limits) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="regold-") as folder:
        settings = (folder, *map(str, (limits.seconds, limits.memory_mb, limits.files_mb)))
        process = subprocess.Popen(  # noqa: S603  what the sandbox is for
            [shutil.which("unshare") or "unshare", *_ISOLATE, "--", sys.executable, "-I", "-S", str(JAIL), *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            process.communicate(program.encode(errors="replace"), timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            return Verdict("time limit")
        finally:
            process.kill()
            process.wait()
    if process.returncode in (UNJAILED, 1):
        return Verdict("not confined")
    return Verdict(_VERDICTS.get(process.returncode, "killed"))
