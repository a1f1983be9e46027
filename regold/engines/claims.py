"""Claims on requests between processes: who holds one pays, and whoever else wants the answer waits for it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Container
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from regold.files import disk

KEY_BYTES = 16
_AT_ONCE = KEY_BYTES << 16
_TAKEN = (errno.EACCES, errno.EAGAIN)


@dataclass
class Claims:
    """One file of which a process locks a single byte a request, and in which it tells what it begins to pay for.

    A dead process's locks end; what it told stays. The locks are the process's: within it, identical requests must be
    joined otherwise. Where the file system has no locks every claim is granted, and a request that two processes send
    at one moment is paid for twice. Keys are of KEY_BYTES bytes.
    """

    path: Path
    _told: set[bytes] = field(default_factory=set)
    _read: int = 0

    @cached_property
    def _handle(self) -> int:
        # Never closed while the process lives: closing any handle of the file would end all its claims.
        with disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

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

    def tell(self, key: bytes) -> None:
        """Let every process know that a request is about to be sent. Raises DiskFull where it does not fit."""
        with disk(self.path):
            os.write(self._handle, key)

    def told(self, key: bytes) -> bool:
        """Return whether some process has told of a request: only then can its answer be in a file not yet read."""
        while news := os.pread(self._handle, _AT_ONCE, self._read):
            whole = len(news) - len(news) % KEY_BYTES
            self._told.update(news[at : at + KEY_BYTES] for at in range(0, whole, KEY_BYTES))
            self._read += whole
            if whole < _AT_ONCE:
                break
        return key in self._told

    def forget(self, answered: Container[bytes]) -> None:
        """Keep in memory only what has no known answer."""
        self._told = {key for key in self._told if key not in answered}


def _byte(key: bytes) -> int:
    return int.from_bytes(key[:8]) >> 2
