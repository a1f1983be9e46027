"""The journal: a paid answer is on disk before it is used, and no request whose answer is there is ever sent again."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from regold.engines.base import Completion, Encoder, Engine, Need, Request, TokenScores
from regold.errors import DiskFull, RequestFailed, Superseded
from regold.fingerprint import digest
from regold.record import Messages

_HEAD = re.compile(rb'\{"(sent|done|fail)":"([0-9a-f]{32})"(?:,"in":(\d+),"out":(\d+),)?')
KEY_CHARACTERS = 32


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
    tally: Tally = field(default_factory=Tally)
    _files: list[Path] = field(default_factory=list)
    _read: dict[Path, int] = field(default_factory=dict)
    _index: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    flying: dict[bytes, asyncio.Future[Any]] = field(default_factory=dict)

    def refresh(self) -> None:
        """Index the complete lines that any writer has added since; a torn tail is left for good."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.jsonl")):
            start = self._read.setdefault(path, 0)
            if path.stat().st_size > start:
                self._index_from(path, start)

    def _index_from(self, path: Path, start: int) -> None:
        if path not in self._files:
            self._files.append(path)
        number = self._files.index(path)
        with path.open("rb") as stream:
            stream.seek(start)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self.note(line, number, start)
                start += len(line)
        self._read[path] = start

    def note(self, line: bytes, file: int, offset: int) -> None:
        """Count one line and remember where its answer lies."""
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
            self._index[key] = (file, offset, len(line))

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
        self.folder.mkdir(parents=True, exist_ok=True)
        attempt = 1 + max((int(p.name.split(".")[-2]) for p in self.folder.glob(f"{part}.*.jsonl")), default=-1)
        while True:
            path = self.folder / f"{part}.{attempt}.jsonl"
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            except FileExistsError:
                attempt += 1
                continue
            self._files.append(path)
            self._read[path] = 0
            return Writer(self, path, self.folder / f"{part}.{attempt + 1}.jsonl", handle, len(self._files) - 1)


@dataclass
class Writer:
    """The one writer of one journal file."""

    journal: Journal
    path: Path
    successor: Path
    handle: int
    file: int

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line before anybody uses it. Raises DiskFull where it does not fit."""
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        offset = self.journal._read[self.path]
        try:
            written = os.write(self.handle, data)
        except OSError as error:
            raise DiskFull(f"{self.path}: cannot write ({error.strerror}); free some space and run again") from error
        if written < len(data):
            os.ftruncate(self.handle, offset)
            raise DiskFull(f"{self.path}: no room for an answer; free some space and run the same command again")
        self.journal.note(data, self.file, offset)
        self.journal._read[self.path] = offset + written

    def check(self) -> None:
        """Raise Superseded where a newer attempt has taken the part over."""
        if self.successor.exists():
            raise Superseded(f"{self.path.name}: a newer attempt works on this part; this one stops")

    def close(self) -> None:
        """Sync what was paid for and close; an attempt that paid for nothing leaves no file."""
        os.fsync(self.handle)
        os.close(self.handle)
        if self.journal._read[self.path] == 0 and not self.successor.exists():
            self.path.unlink(missing_ok=True)

    async def once(self, key_of: tuple[Any, ...], call: Callable[[], Awaitable[tuple[Any, int, int]]]) -> Any:
        """Return the answer to a request: journaled, joined with the same request in flight, or paid for now.

        `call` returns the answer as plain JSON with its prompt and completion tokens.
        """
        text = digest(*key_of)[:KEY_CHARACTERS]
        key = bytes.fromhex(text)
        found = self.journal.find(key)
        if found is not None:
            return found
        if key in self.journal.flying:
            return await asyncio.shield(self.journal.flying[key])
        future = self.journal.flying[key] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda f: f.cancelled() or f.exception())
        try:
            answer = await self._pay(text, call)
            future.set_result(answer)
            return answer
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else RequestFailed("the call it joined was cut"))
            raise
        finally:
            del self.journal.flying[key]

    async def _pay(self, key: str, call: Callable[[], Awaitable[tuple[Any, int, int]]]) -> Any:
        self.check()
        if self.journal.shared:
            self.journal.refresh()
            found = self.journal.find(bytes.fromhex(key))
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


@dataclass(frozen=True)
class JournaledEngine:
    """An engine whose every answer passes through the journal."""

    engine: Engine
    writer: Writer

    @property
    def identity(self) -> str:
        """Return the identity of the engine within."""
        return self.engine.identity

    async def generate(self, request: Request) -> Completion:
        """Answer from the journal, or pay and journal."""

        async def call() -> tuple[Any, int, int]:
            done = await self.engine.generate(request)
            return asdict(done), done.prompt_tokens, done.completion_tokens

        answer = await self.writer.once((self.identity, "generate", request), call)
        logprobs = answer["logprobs"]
        return Completion(**{**answer, "logprobs": None if logprobs is None else tuple(logprobs)})

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Score from the journal, or pay and journal."""

        async def call() -> tuple[Any, int, int]:
            done = await self.engine.score(prompt, response)
            return asdict(done), done.prompt_tokens + len(done.logprobs), 0

        answer = await self.writer.once((self.identity, "score", prompt, response), call)
        return TokenScores(tuple(answer["logprobs"]), answer["prompt_tokens"])

    async def probe(self, needs: frozenset[Need]) -> None:
        """Probe the engine within; probes are not journaled."""
        await self.engine.probe(needs)

    async def close(self) -> None:
        """Leave the engine within open: its owner closes it."""


@dataclass(frozen=True)
class JournaledEncoder:
    """A paid encoder whose every vector passes through the journal, text by text."""

    encoder: Encoder
    writer: Writer

    @property
    def identity(self) -> str:
        """Return the identity of the encoder within."""
        return self.encoder.identity

    async def learn(self, texts: Sequence[str]) -> Mapping[str, Any]:
        """Learn as the encoder within does."""
        return await self.encoder.learn(texts)

    async def encode(self, texts: Sequence[str], learned: Mapping[str, Any]) -> Any:
        """Embed from the journal, or pay and journal; returns float32 of shape (len(texts), d)."""

        async def one(text: str) -> Any:
            async def call() -> tuple[Any, int, int]:
                return (await self.encoder.encode([text], learned))[0].tolist(), 0, 0

            return await self.writer.once((self.identity, "encode", text), call)

        return np.asarray(await asyncio.gather(*map(one, texts)), dtype=np.float32)

    async def close(self) -> None:
        """Leave the encoder within open: its owner closes it."""
