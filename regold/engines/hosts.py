"""Which server gets the next request, which is set aside, and when to stop because none answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from regold.engines.limiter import Window
from regold.errors import EngineError, EngineUnreachable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with servers that fail."""

    attempts: int = 6
    """Times one request is sent while the server or the way to it fails."""
    first_wait_s: float = 0.25
    longest_wait_s: float = 8.0
    streak: int = 5
    """Failures in a row, over at least `streak_s`, after which no more is sent to anyone."""
    streak_s: float = 5.0
    capacity_s: float = 600.0
    """How long all servers may say that they are full before the run stops."""
    aside_s: float = 30.0
    """How long a host that failed three times in a row gets nothing while others live."""


@dataclass(eq=False, slots=True)
class Host:
    """One server: its address and what we know of its health."""

    url: str
    window: Window
    failures: int = 0
    aside_until: float = 0.0

    @property
    def root(self) -> str:
        """Return the address without `/v1`, where vLLM's own paths lie."""
        return self.url.removesuffix("/v1")

    @property
    def shown(self) -> str:
        """Return the address as messages and identities show it: no password, no query."""
        return shown(self.url)


@dataclass(slots=True)
class Streak:
    """Failures since the last answer, over all hosts."""

    count: int = 0
    since: float = 0.0
    requests: set[int] = field(default_factory=set)
    foreign: bool = False


def shown(url: str) -> str:
    """Return an address's host, port and path."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or ''}{port}{parts.path}"


class Hosts:
    """The servers of one engine; at most `concurrency` requests are in flight over all of them."""

    def __init__(self, urls: Sequence[str], concurrency: int, patience: Patience) -> None:
        self.all = [Host(url, Window(concurrency)) for url in urls]
        self.concurrency, self.patience = concurrency, patience
        self.stopped: EngineError | None = None
        self.answered = 0
        self._streak = Streak()
        self._full_since: float | None = None
        self._waiting: deque[asyncio.Future[Host]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._in_flight = 0

    async def take(self) -> Host:
        """Wait for room and return the host to send to; `give` it back. Raises EngineError once stopped."""
        if self.stopped is not None:
            raise self.stopped
        if not self._waiting and (host := self._free()) is not None:
            return self._taken(host)
        future: asyncio.Future[Host] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._wake()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give(future.result())
            raise

    def give(self, host: Host) -> None:
        """Note that a request is no longer in flight."""
        host.window.in_flight -= 1
        self._in_flight -= 1
        self._wake()

    def ok(self, host: Host) -> None:
        """Note an answer."""
        self.answered += 1
        self.alive(host)
        self._full_since = None
        host.window.widen()

    def alive(self, host: Host) -> None:
        """Note that a model server spoke, if only to refuse one request."""
        host.failures, host.aside_until = 0, 0.0
        if self._streak.count:
            self._streak = Streak()

    def full(self, host: Host, sent_at: float, retry_after: float | None, what: str) -> None:
        """Note that a host has no room; stops the engine when none has had any for too long."""
        now = time.monotonic()
        if host.window.shrink(now, sent_at, retry_after):
            log.warning(
                "%s is full (%s): at most %d in flight, next in %.1f s",
                host.shown, what, int(host.window.width), host.window.resume_at - now,
            )  # fmt: skip
        self._full_since = now if self._full_since is None else self._full_since
        soonest = min(h.window.resume_at for h in self.all if h.aside_until <= now or h is host)
        if soonest - self._full_since > self.patience.capacity_s:
            self.stop(
                EngineUnreachable(
                    f"{host.shown} has been full for {now - self._full_since:.0f} s and asks to wait "
                    f"{soonest - now:.0f} s more ({what}); run the same command again later, nothing paid is lost"
                )
            )

    def failed(self, host: Host, request: int, what: str, foreign: bool = False) -> None:
        """Note a failure of a host; `foreign` where no model server answered at all. Stops the engine after a streak.

        One request that always makes a server fail is not a dead server: a streak of HTTP 5xx must span two requests.
        """
        now, streak = time.monotonic(), self._streak
        host.failures += 1
        if host.failures >= 3:
            host.aside_until = now + self.patience.aside_s
        streak.since = streak.since if streak.count else now
        streak.count += 1
        streak.requests.add(request)
        streak.foreign |= foreign
        dead = streak.foreign or len(streak.requests) > 1 or not self.answered
        if dead and streak.count >= self.patience.streak and now - streak.since >= self.patience.streak_s:
            self.stop(unreachable(host, f"{what} ({streak.count} failures in a row)"))

    def stop(self, error: EngineError) -> None:
        """Let nothing more be sent: everybody waiting and to come gets this error."""
        self.stopped = self.stopped or error
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(self.stopped)

    def _taken(self, host: Host) -> Host:
        host.window.in_flight += 1
        self._in_flight += 1
        return host

    def _free(self) -> Host | None:
        if self._in_flight >= self.concurrency:
            return None
        now = time.monotonic()
        living = [h for h in self.all if h.aside_until <= now] if len(self.all) > 1 else self.all
        best = max(living or self.all, key=lambda h: h.window.room(now))
        return best if best.window.room(now) > 0 else None

    def _wake(self) -> None:
        while self._waiting and (host := self._free()) is not None:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(self._taken(host))
        if self._waiting and self._timer is None and self._in_flight < self.concurrency:
            now = time.monotonic()
            soonest = min((h.window.resume_at for h in self.all if h.window.resume_at > now), default=now + 0.05)
            self._timer = asyncio.get_running_loop().call_later(soonest - now + 0.001, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._wake()


def unreachable(host: Host, what: str) -> EngineUnreachable:
    """Return the error for a host that does not answer as a model server."""
    return EngineUnreachable(
        f"no model server answers at {host.shown}: {what}. Check that it runs and that the address is right "
        "(most end in /v1); then run the same command again"
    )
