"""One tree of errors; each message says what happened, where, and what to do.

RegoldError
├── UsageError              the user can mend it: exit code 2
│   ├── InputError          a data file: names file and line
│   ├── RecipeError         a recipe, a setting or a prompt set
│   └── MissingExtra        an optional dependency: prints the install line
├── RunError                the run stopped, its work is kept: exit code 1
│   ├── RunBusy             another process holds the run directory
│   ├── Superseded          a newer attempt took this part over
│   ├── TooManyFailures     more records failed than `tolerate` allows
│   ├── DiskFull            the run directory could not be written
│   └── EngineError         the engine cannot serve this run at all
│       ├── EngineRefused       wrong key, unpaid account, model not served
│       ├── EngineUnreachable   no answer, or not from a model server
│       └── EngineLacks         it silently lacks what the recipe needs
└── RequestFailed           this one request cannot be answered: its record becomes FAILED
"""

from __future__ import annotations

from pathlib import Path


class RegoldError(Exception):
    """Root of everything Regold raises on purpose."""


class UsageError(RegoldError):
    """Report something the user can mend before any work starts."""


class InputError(UsageError):
    """Report a fault in a data file, with the file and (1-based) line where there is one."""

    def __init__(self, what: str, file: str | Path | None = None, line: int | None = None) -> None:
        where = f"{file}:{line}: " if file is not None and line is not None else f"{file}: " if file is not None else ""
        super().__init__(f"{where}{what}")
        self.what, self.file, self.line = what, file, line


class RecipeError(UsageError):
    """Report a fault in a recipe, a `--set` or a prompt set."""


class MissingExtra(UsageError):
    """Report that an optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        how = f"run  pip install 'regold[{extra}]'  (in a checkout: pip install '.[{extra}]')"
        super().__init__(f"this needs the package {package}: {how}")


class RunError(RegoldError):
    """Report that the run stopped; everything committed so far is kept and the same command resumes."""


class RunBusy(RunError):
    """Report that another live process holds the run directory."""


class Superseded(RunError):
    """Report that a newer attempt owns this part, so this one must stop paying for calls."""


class TooManyFailures(RunError):
    """Report that a step ended with more FAILED records than the recipe tolerates."""


class DiskFull(RunError):
    """Report that the run directory cannot be written."""


class EngineError(RunError):
    """Report that an engine cannot serve this run; stops it at once."""


class EngineRefused(EngineError):
    """Report a refused key, an unpaid account or a model that is not served."""


class EngineUnreachable(EngineError):
    """Report that no model server answers at the address."""


class EngineLacks(EngineError):
    """Report that an engine cannot give something the recipe needs, such as log-probabilities."""


class RequestFailed(RegoldError):
    """Report that one request cannot be answered (too long a prompt, refused content, retries exhausted)."""
