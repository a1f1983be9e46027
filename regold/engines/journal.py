"""The journal: a paid answer is on disk before it is used, and no request whose answer is there is ever sent again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from regold.engines.claims import KEY_BYTES, Claims
from regold.errors import DiskFull, Superseded
from regold.files import disk
from regold.fingerprint import digest

_HEAD = re.compile(rb'\{"(sent|done|fail)":"([0-9a-f]{32})"(?:,"in":(\d+),"out":(\d+),)?')
KEY_CHARACTERS = 2 * KEY_BYTES
REFRESH_S = 1.0
CLAIM_S = 0.05
"""How often a request that another process is paying for is looked at again."""

Call: TypeAlias = Callable[[], Awaitable[tuple[Any, int, int]]]
"""Pays for an answer: returns it as plain JSON with its prompt and completion tokens."""


@dataclass
class Tally:
    """What the journal's files say was paid. `repeated` counts answers paid for more than once."""

    sent: int = 0
    answered: int = 0
    failed: int = 0
    repeated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def lost(self) -> int:
        """Return the calls in flight when a process died: sent, and neither answered nor refused."""
        return self.sent - self.answered - self.failed


@dataclass
class Journal:
    """Every paid call of one role, indexed by request; `folder` holds `<part>.<attempt>.jsonl`, one writer a file."""

    folder: Path
    shared: bool = False
    """Whether other processes pay into the same folder meanwhile."""
    in_flight: int = 1024
    """Calls that may be out at once: no more than these can be lost when the process dies."""
    tally: Tally = field(default_factory=Tally)
    flying: dict[bytes, asyncio.Task[Any]] = field(default_factory=dict)
    _files: list[Path] = field(default_factory=list)
    _read: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Of each file its number and how far it is indexed."""
    _index: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    _refreshed: float = 0.0

    @cached_property
    def slots(self) -> asyncio.Semaphore:
        """Return what bounds the calls in flight."""
        return asyncio.Semaphore(self.in_flight)

    @cached_property
    def claims(self) -> Claims:
        """Return what keeps other processes from paying for the same request."""
        return Claims(self.folder / "claims")

    def refresh(self) -> None:
        """Index the complete lines that any writer has added since; a torn tail is left for good."""
        self._refreshed = time.monotonic()
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.jsonl")):
            number, start = self._known(path)
            if path.stat().st_size > start:
                self._read[path] = number, self._index_from(path, number, start)
        if self.shared:
            self.claims.forget(self._index)

    def refresh_now_and_then(self) -> None:
        """Refresh where others pay into the folder, but not more often than every second or so."""
        if self.shared and time.monotonic() - self._refreshed > REFRESH_S:
            self.refresh()

    def _known(self, path: Path) -> tuple[int, int]:
        if path not in self._read:
            self._files.append(path)
            self._read[path] = len(self._files) - 1, 0
        return self._read[path]

    def _index_from(self, path: Path, number: int, start: int) -> int:
        with path.open("rb") as stream:
            stream.seek(start)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self.note(line, number, start)
                start += len(line)
        return start

    def note(self, line: bytes, file: int, offset: int) -> None:
        """Count one line and remember where its answer lies; of two answers to one request the first stands."""
        head = _HEAD.match(line)
        if head is None:
            return
        kind, key = head[1], bytes.fromhex(head[2].decode())
        if kind == b"sent":
            self.tally.sent += 1
        elif kind == b"fail":
            self.tally.failed += 1
        else:
            self.tally.answered += 1
            self.tally.repeated += key in self._index
            self.tally.prompt_tokens += int(head[3] or 0)
            self.tally.completion_tokens += int(head[4] or 0)
            self._index.setdefault(key, (file, offset, len(line)))

    def find(self, key: bytes) -> Any | None:
        """Return the journaled answer to a request, or None."""
        place = self._index.get(key)
        if place is None:
            return None
        file, offset, length = place
        with self._files[file].open("rb") as stream:
            stream.seek(offset)
            return json.loads(stream.read(length))["answer"]

    def writer(self, part: str) -> Writer:
        """Open a new attempt at a part; an older one, if it still lives, is fenced off by the new file."""
        with disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            attempt = 1 + max((int(p.name.split(".")[-2]) for p in self.folder.glob(f"{part}.*.jsonl")), default=-1)
            while True:
                path = self.folder / f"{part}.{attempt}.jsonl"
                try:
                    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
                    break
                except FileExistsError:
                    attempt += 1
        return Writer(self, path, self.folder / f"{part}.{attempt + 1}.jsonl", handle, self._known(path)[0])


@dataclass
class Writer:
    """The one writer of one journal file."""

    journal: Journal
    path: Path
    successor: Path
    handle: int
    file: int
    size: int = 0
    closing: bool = False
    paying: set[asyncio.Task[Any]] = field(default_factory=set)

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line before anybody uses it. Raises DiskFull where it does not fit."""
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
        with disk(self.path):
            written = os.write(self.handle, data)
        if written < len(data):
            os.ftruncate(self.handle, self.size)
            raise DiskFull(f"{self.path}: no room for an answer; free some space and run the same command again")
        self.journal.note(data, self.file, self.size)
        self.size += written
        self.journal._read[self.path] = self.file, self.size

    async def close(self) -> None:
        """Wait for what is already being paid, sync, and close; an attempt that paid for nothing leaves no file."""
        self.closing = True
        await asyncio.gather(*self.paying, return_exceptions=True)
        handle, self.handle = self.handle, -1
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if not self.size and not self.journal.shared:
            self.path.unlink(missing_ok=True)

    async def once(self, key_of: tuple[Any, ...], call: Call) -> Any:
        """Return the answer to a request: journaled, joined with the same request in flight, or paid for now.

        A payment goes on when those who wait for it are cancelled: what is paid for is journaled all the same.
        """
        text = digest(*key_of)[:KEY_CHARACTERS]
        key = bytes.fromhex(text)
        found = self.journal.find(key)
        if found is not None:
            return found
        if key not in self.journal.flying:
            task = self.journal.flying[key] = asyncio.create_task(self._pay(text, call))
            self.paying.add(task)
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(self.journal.flying[key])

    def _landed(self, key: bytes, task: asyncio.Task[Any]) -> None:
        self.journal.flying.pop(key, None)
        self.paying.discard(task)
        if not task.cancelled():
            task.exception()

    async def _pay(self, key: str, call: Call) -> Any:
        sought = bytes.fromhex(key)
        async with self.journal.slots, self._claimed(sought):
            if self.closing:
                raise Superseded(f"{self.path.name}: this attempt has ended; nothing more is paid for")
            if self.successor.exists():
                raise Superseded(f"{self.path.name}: a newer attempt works on this part; this one stops")
            self.journal.refresh_now_and_then()
            found = self.journal.find(sought)
            if found is not None:
                return found
            self.append({"sent": key})
            try:
                answer, prompt_tokens, completion_tokens = await call()
            except Exception:
                self.append({"fail": key})
                raise
            self.append({"done": key, "in": prompt_tokens, "out": completion_tokens, "answer": answer})
            return answer

    @asynccontextmanager
    async def _claimed(self, key: bytes) -> AsyncIterator[None]:
        """Hold a request alone, unless its answer arrives meanwhile; alone anyway where no other process pays."""
        if not self.journal.shared:
            yield
            return
        claims = self.journal.claims
        while not (mine := claims.take(key)):
            self.journal.refresh_now_and_then()
            if self.closing or self.journal.find(key) is not None:
                break
            await asyncio.sleep(CLAIM_S)
        try:
            if mine and claims.told(key):
                self.journal.refresh()
            if mine and self.journal.find(key) is None:
                claims.tell(key)
            yield
        finally:
            if mine:
                claims.give(key)
