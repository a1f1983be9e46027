"""The way to OpenAI-compatible servers: sends, bears with failures, turns replies into one tree of errors."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from regold.engines.base import EngineSpec
from regold.engines.hosts import Host, Hosts, Patience, shown
from regold.engines.wire import Fault, Kind, encode, read_reply
from regold.errors import EngineRefused, RecipeError, RequestFailed

CONNECT_S = 20.0


class Again(Exception):
    """Ask tenacity to send once more; never leaves this module."""


class Faulty(RequestFailed):
    """Report a request that the server refused, with the fault for callers that know what to make of it."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


def base_urls(spec: EngineSpec) -> tuple[str, ...]:
    """Return the servers' addresses, from the spec or OPENAI_BASE_URL. Raises RecipeError where there is none."""
    urls = spec.base_urls or tuple(u for u in [os.environ.get("OPENAI_BASE_URL")] if u)
    if not urls:
        raise RecipeError("no address for the model server: give --base-url, or set OPENAI_BASE_URL")
    for url in urls:
        if not _is_address(url):
            raise RecipeError("a base URL must look like http://127.0.0.1:8000/v1")
        if "@" in urlsplit(url).netloc or "?" in url or "#" in url:
            raise RecipeError(f"a base URL must hold no password, ? or #: put the key into ${spec.key_env}")
    return tuple(dict.fromkeys(u.rstrip("/").removesuffix("/chat/completions") for u in urls))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def pinned(spec: EngineSpec, urls: Sequence[str]) -> str:
    """Return model and revision, or else model and hosts: two servers that call theirs `default` share no answers."""
    return f"{spec.model}@{spec.revision}" if spec.revision else f"{spec.model} at {' '.join(sorted(map(shown, urls)))}"


class Client:
    """A session with the servers of one spec; opened at the first request."""

    def __init__(self, spec: EngineSpec, urls: Sequence[str], patience: Patience) -> None:
        self.spec, self.patience = spec, patience
        self.hosts = Hosts(urls, max(1, spec.concurrency), patience)
        self._key = os.environ.get(spec.key_env, "").strip()
        self._session: aiohttp.ClientSession | None = None
        self._proxies = {url: _proxy(url) for url in urls}
        self._numbers = count()

    async def post(self, path: str, body: Mapping[str, Any], at_root: bool = False) -> dict[str, Any]:
        """Send a body and return the reply's JSON object.

        Raises Faulty (a RequestFailed) for a request that the server refuses, RequestFailed where only this request
        keeps failing, EngineRefused and EngineUnreachable where no request can succeed.
        """
        data, number = encode(body), next(self._numbers)
        try:
            return await self._attempt(path, data, at_root, number)
        except Again:
            return await self._retry(path, data, at_root, number)

    async def _retry(self, path: str, data: bytes, at_root: bool, number: int) -> dict[str, Any]:
        # The first attempt stays outside tenacity, whose machinery would cost every request more than our own.
        first, longest = self.patience.first_wait_s, self.patience.longest_wait_s
        again = AsyncRetrying(
            stop=stop_after_attempt(self.patience.attempts - 1),
            wait=wait_exponential(2 * first, longest) + wait_random(0, first),
            retry=retry_if_exception_type(Again),
            reraise=True,
        )
        await asyncio.sleep(first)
        try:
            return await again(self._attempt, path, data, at_root, number)
        except Again as error:
            raise RequestFailed(f"{error}; sent {self.patience.attempts} times") from None

    async def _attempt(self, path: str, data: bytes, at_root: bool, number: int) -> dict[str, Any]:
        while True:
            host = await self.hosts.take()
            sent_at = time.monotonic()
            try:
                reply = await self._send(host, (host.root if at_root else host.url) + path, data)
                if isinstance(reply, dict):
                    self.hosts.ok(host)
                    return reply
                self._judge(host, reply, number, sent_at)
            finally:
                # Only now, or a verdict that stops the engine would come after the next request had left.
                self.hosts.give(host)

    def _judge(self, host: Host, fault: Fault, number: int, sent_at: float) -> None:
        """Return where the request is to be sent again at once the host has room; raise otherwise."""
        what = self._safe(fault.what)
        if fault.kind is Kind.CAPACITY:
            self.hosts.full(host, sent_at, fault.retry_after, what)
        elif fault.kind in (Kind.AGAIN, Kind.FOREIGN, Kind.SLOW):
            self.hosts.failed(host, number, what, foreign=fault.kind is Kind.FOREIGN)
        elif fault.kind is Kind.REFUSED:
            self.hosts.stop(self._refused(host, what))
        else:
            self.hosts.alive(host)
        if self.hosts.stopped is not None:
            raise self.hosts.stopped
        if fault.kind in (Kind.AGAIN, Kind.FOREIGN):
            raise Again(f"{host.shown}: {what}")
        if fault.kind is not Kind.CAPACITY:
            raise Faulty(f"{host.shown}: {what}", fault)

    def _refused(self, host: Host, what: str) -> EngineRefused:
        key = f"the key in ${self.spec.key_env}" if self._key else f"no key was sent (${self.spec.key_env} is not set)"
        return EngineRefused(
            f"{host.shown} refuses the account: {what}; {key}. Check the key and its credit, then run the same "
            "command again: every answer paid for is kept"
        )

    async def _send(self, host: Host, url: str, data: bytes) -> dict[str, Any] | Fault:
        session = self._session or self._open()
        try:
            async with session.post(url, data=data, proxy=self._proxies[host.url], allow_redirects=False) as reply:
                return read_reply(reply.status, reply.headers, await reply.read())
        except aiohttp.ConnectionTimeoutError:
            return Fault(Kind.FOREIGN, f"no connection within {CONNECT_S:.0f} s")
        except TimeoutError:
            return Fault(Kind.SLOW, f"no answer within {self.spec.timeout_s:.0f} s")
        except aiohttp.ClientConnectorError as error:
            return Fault(Kind.FOREIGN, f"cannot connect: {error.os_error.strerror or type(error.os_error).__name__}")
        except (aiohttp.ClientError, OSError) as error:
            return Fault(Kind.AGAIN, f"the connection broke ({type(error).__name__})")

    async def models(self) -> list[Mapping[str, Any]]:
        """Return what the server says of the models it serves (`id`, perhaps `max_model_len`), or an empty list."""
        session, host = self._session or self._open(), self.hosts.all[0]
        try:
            timeout = aiohttp.ClientTimeout(total=CONNECT_S)
            async with session.get(host.url + "/models", proxy=self._proxies[host.url], timeout=timeout) as reply:
                listed = read_reply(reply.status, reply.headers, await reply.read())
        except (aiohttp.ClientError, OSError, TimeoutError):
            return []
        data = listed.get("data") if isinstance(listed, dict) else None
        return [m for m in data if isinstance(m, dict)] if isinstance(data, list) else []

    def _open(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json", "User-Agent": "regold"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        # Generous in reading: a server's first request with log-probabilities may compile for half a minute and more.
        timeout = aiohttp.ClientTimeout(total=self.spec.timeout_s, sock_connect=CONNECT_S)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector)
        return self._session

    def _safe(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "::1") or str(parts.hostname).startswith("127.")
    return None if local or proxy_bypass(str(parts.hostname)) else getproxies().get(parts.scheme)
