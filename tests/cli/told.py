"""Runs the real command and checks what it tells of a mistake; `pytest -s` prints the table of all that were tried."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from typer.testing import CliRunner, Result

from regold.cli import app

KEY = "sk-secret"


def regold(*words: object, env: Mapping[str, str] | None = None) -> Result:
    """Run `regold` in this process."""
    return CliRunner().invoke(app, [str(w) for w in words], env={"OPENAI_API_KEY": KEY, **(env or {})})


def assert_told(done: Result, code: int, *says: str, tried: str = "") -> None:
    """Check the exit code and the words, and that neither a traceback nor the key is shown."""
    text = done.output
    if tried:
        sys.stdout.write(f"{tried} | {' '.join(text.split())} | {done.exit_code}\n")
    assert done.exit_code == code, text
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in text
    assert KEY not in text
    for words in says:
        assert words in text
