"""Any OpenAI-compatible server: chat completions with log-probabilities, and teacher-forced scores where it can."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from regold.engines.base import Completion, EngineSpec, Need, Request, TokenScores
from regold.engines.client import Client, Faulty, base_urls, pinned
from regold.engines.hosts import Patience, shown
from regold.engines.probing import Doubt, Unscored, probe, probe_each
from regold.engines.wire import Kind, chat_body, clip, encode, read_completion, wire_messages
from regold.errors import EngineError, EngineLacks, EngineRefused, RecipeError, RequestFailed
from regold.record import Messages

PREFIXES_KEPT = 512
NEWER_LIMIT = "max_completion_tokens"


class OpenAIEngine:
    """One model behind one or more OpenAI-compatible servers."""

    def __init__(self, spec: EngineSpec, patience: Patience | None = None) -> None:
        if not spec.model:
            raise RecipeError("no model name: give the name under which the server serves it")
        self.spec, self.urls, self.patience = spec, base_urls(spec), patience or Patience()
        self.client = Client(spec, self.urls, self.patience)
        self._limit, self._window = "max_tokens", 2**31
        self._prefixes: dict[bytes, list[int]] = {}
        self._doubt: Doubt | None = Doubt(self.probe)
        """None in an engine that probes: it must not doubt what it is there to find out."""

    @property
    def identity(self) -> str:
        """Model and revision, or else model and hosts."""
        return f"openai {pinned(self.spec, self.urls)}"

    async def generate(self, request: Request) -> Completion:
        """Answer one request; an empty text has no log-probabilities.

        Raises Unscored where any other text came without them, and EngineLacks once a new probe shows that it stays so.
        """
        wanted = {Need.LOGPROBS: request.logprobs, Need.SCHEMA: request.schema is not None}
        try:
            return await self._generate(request)
        except RequestFailed as error:
            await self._reconsider(error, frozenset(need for need, asked in wanted.items() if asked))
            raise

    async def _reconsider(self, error: RequestFailed, needs: frozenset[Need]) -> None:
        """Doubt a server that refuses, or gives less than asked. Raises EngineError where a probe confirms it."""
        refused = isinstance(error, Faulty) and error.fault.kind is Kind.FAILED
        if self._doubt is None or not needs or not (refused or isinstance(error, Unscored)):
            return
        try:
            await self._doubt.cast(needs)
        except EngineError as verdict:
            self.client.hosts.stop(verdict)
            raise

    async def _generate(self, request: Request) -> Completion:
        limit, most = self._limit, min(request.max_tokens, self._window)
        try:
            body = chat_body(self.spec.model, request, {limit: most})
            reply = await self.client.post("/chat/completions", body)
        except Faulty as error:
            if error.fault.kind is Kind.MISSING:
                raise await self._not_served(error) from None
            if not await self._adapted(error, limit, most):
                raise
            return await self._generate(request)
        done = read_completion(reply, request.logprobs)
        if request.logprobs and done.text and done.logprobs is None:
            said = clip(done.text[:40])
            raise Unscored(f"{self._name()} returned no log-probabilities, or not for all tokens of {said!r}")
        return done

    async def _adapted(self, error: Faulty, limit: str, most: int) -> bool:
        """Say whether the request may go again: under the newer name of `max_tokens`, or within the model's window."""
        if error.fault.param != limit:
            return False
        if error.fault.code == "unsupported_parameter" and limit != NEWER_LIMIT:
            self._limit = NEWER_LIMIT
            return True
        served = {m.get("id"): m.get("max_model_len") for m in await self.client.models()}
        window = served.get(self.spec.model)
        self._window = window if isinstance(window, int) else self._window
        return self._window < most

    async def _not_served(self, error: Faulty) -> EngineRefused:
        served = [str(m.get("id")) for m in await self.client.models()]
        known = f"it serves: {', '.join(served[:20])}" if served else "it lists no models; does the address lack /v1?"
        refusal = EngineRefused(f"{self._name()} is not served ({error}); {known}")
        self.client.hosts.stop(refusal)
        return refusal

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Score a response through `/tokenize` and an echoed completion; vLLM has both. Raises EngineLacks elsewhere.

        The tokens are those of the rendered prompt, then those of the response alone, as if the model had said it.
        """
        try:
            return await self._score(prompt, response)
        except RequestFailed as error:
            await self._reconsider(error, frozenset({Need.SCORE}))
            raise

    async def _score(self, prompt: Messages, response: str) -> TokenScores:
        prefix = await self._prefix(prompt)
        if not response:
            return TokenScores((), len(prefix))
        own = await self._tokenize({"prompt": response, "add_special_tokens": False})
        body = {
            "model": self.spec.model,
            "prompt": prefix + own,
            "max_tokens": 0,
            "temperature": 0,
            "echo": True,
            "logprobs": 1,
        }
        reply = await self._scoring("/completions", body)
        return TokenScores(self._echoed(reply, len(prefix), len(own)), len(prefix))

    async def _prefix(self, prompt: Messages) -> list[int]:
        messages = wire_messages(prompt)
        key = encode({"messages": messages})
        if key not in self._prefixes:
            tokens = await self._tokenize({"messages": messages, "add_generation_prompt": True})
            if len(self._prefixes) >= PREFIXES_KEPT:
                self._prefixes.pop(next(iter(self._prefixes)))
            self._prefixes[key] = tokens
        return self._prefixes[key]

    async def _tokenize(self, body: dict[str, Any]) -> list[int]:
        reply = await self._scoring("/tokenize", {"model": self.spec.model, **body}, at_root=True)
        tokens = reply.get("tokens")
        if not isinstance(tokens, list):
            raise Unscored(f"{self._name()}: /tokenize returned no tokens; scoring needs a vLLM server")
        return tokens

    async def _scoring(self, path: str, body: dict[str, Any], at_root: bool = False) -> dict[str, Any]:
        try:
            return await self.client.post(path, body, at_root)
        except Faulty as error:
            if error.fault.kind is Kind.MISSING:
                raise EngineLacks(f"{self._name()} cannot score a given response: no {path} ({error})") from None
            raise

    def _echoed(self, reply: dict[str, Any], prefix: int, own: int) -> tuple[float, ...]:
        try:
            values = reply["choices"][0]["logprobs"]["token_logprobs"]
        except (KeyError, IndexError, TypeError):
            values = None
        # Some servers add the tokens they went on to generate, so only the front is ours.
        if not _numbers(values, prefix, own):
            raise Unscored(f"{self._name()} does not echo a prompt's log-probabilities")
        return tuple(float(v) for v in values[prefix : prefix + own])

    def _name(self) -> str:
        return f"model {self.spec.model!r} at {', '.join(map(shown, self.urls))}"

    async def probe(self, needs: frozenset[Need]) -> None:
        """Probe every server on its own; one that does not answer is left aside while another does."""
        await probe_each(self.urls, lambda url: self._probe_one(url, needs))

    async def _probe_one(self, url: str, needs: frozenset[Need]) -> None:
        one = OpenAIEngine(replace(self.spec, base_urls=(url,)), self.patience)
        one._doubt = None
        try:
            await probe(one, needs, one._name())
        finally:
            await one.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def _numbers(values: Any, prefix: int, own: int) -> bool:
    if not isinstance(values, Sequence) or len(values) < prefix + own:
        return False
    return all(isinstance(v, int | float) and math.isfinite(v) for v in values[prefix : prefix + own])
