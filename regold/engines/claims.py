"""Claims on requests between processes: who holds one pays, and whoever else wants the answer waits for it."""

from __future__ import annotations

import errno
import fcntl
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from regold.files import disk

_TAKEN = (errno.EACCES, errno.EAGAIN)


@dataclass
class Claims:
    """One file of which a process locks a single byte a request; the file stays empty, and a dead process's locks end.

    The locks are the process's: within it, identical requests must be joined otherwise. Where the file system has no
    locks every claim is granted, and a request that two processes send at one moment is paid for twice.
    """

    path: Path

    @cached_property
    def _handle(self) -> int:
        # Never closed while the process lives: closing any handle of the file would end all its claims.
        with disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self, key: bytes) -> bool:
        """Claim a request; returns whether no other process holds it."""
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(key))
        except OSError as error:
            return error.errno not in _TAKEN
        return True

    def give(self, key: bytes) -> None:
        """End a claim."""
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, _byte(key))
        except OSError:
            return


def _byte(key: bytes) -> int:
    return int.from_bytes(key[:8]) >> 2
