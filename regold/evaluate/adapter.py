"""Lets any engine of ours drive lm-eval: chat turns in, scores and texts out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from regold.engines.base import Completion, Engine, Request
from regold.errors import EngineLacks, RequestFailed
from regold.evaluate.said import Said
from regold.record import Message, Messages
from regold.together import together

T = TypeVar("T")
MAX_TOKENS = 512
WORST = -1e30
"""The log-likelihood of what could not be scored: finite, since lm-eval computes with it."""


class Turns(str):
    """A prompt for lm-eval, which wants text: the turns as JSON, with the messages themselves beside."""

    messages: Messages

    def __new__(cls, turns: Sequence[dict[str, str]]) -> Turns:
        """Take turns as lm-eval builds them: `role` and `content`."""
        made = super().__new__(cls, json.dumps(list(turns), ensure_ascii=False))
        made.messages = tuple(Message(turn["role"], turn["content"]) for turn in turns)
        return made


class EngineLM(LM):  # type: ignore[misc]
    """An engine as lm-eval's model. The engine applies its own chat template, so nothing is rendered here.

    `temperature` and `sample` hold for every generation; a task's own sampling is used only where `temperature` is
    None. A request that fails gets the worst answer and is kept in `failed`, by task and question.
    """

    def __init__(
        self,
        engine: Engine,
        runner: asyncio.Runner,
        temperature: float | None = 0.0,
        sample: int = 0,
        max_tokens: int | None = None,
        in_flight: int = 64,
        tick: Callable[[int], None] = lambda done: None,
    ) -> None:
        super().__init__()
        self.engine, self.runner, self.temperature, self.sample = engine, runner, temperature, sample
        self.max_tokens, self.in_flight, self.tick = max_tokens, in_flight, tick
        self.failed: dict[tuple[str, int], str] = {}

    @property
    def tokenizer_name(self) -> str:
        """Return the engine's identity, which names its template too."""
        return self.engine.identity

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Keep the turns for the engine. Raises EngineLacks for a begun answer, which no chat server takes."""
        if not add_generation_prompt:
            raise EngineLacks(
                "a task that begins the model's answer cannot be asked of a chat model: drop `gen_prefix`"
            )
        return Turns(chat_history)

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        """Sum the log-probabilities of each continuation; whether it is the greedy one is not known: False."""
        return self._all(requests, self._score)

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Answer each prompt; what comes back says whether it was cut off."""
        return self._all(requests, self._generate)

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        """Refuse: a chat model has no text without a prompt."""
        raise EngineLacks("perplexity of whole texts is nothing that a chat model gives; use lm-eval's own `hf` model")

    def _all(self, requests: list[Instance], ask: Callable[[Instance], Awaitable[T]]) -> list[T]:
        async def asked() -> list[T]:
            slots = asyncio.Semaphore(self.in_flight)

            async def one(request: Instance) -> T:
                async with slots:
                    found = await ask(request)
                    self.tick(1)
                    return found

            return await together([one(request) for request in requests])

        return self.runner.run(asked())

    async def _score(self, request: Instance) -> tuple[float, bool]:
        context, continuation = request.args
        try:
            scores = await self.engine.score(_messages(context), continuation)
        except RequestFailed as error:
            self._fails(request, error)
            return WORST, False
        return sum(scores.logprobs), False

    async def _generate(self, request: Instance) -> str:
        context, how = request.args
        asked = Request(
            _messages(context),
            temperature=self._heat(how),
            top_p=float(how.get("top_p", 1.0)),
            max_tokens=self.max_tokens or int(how.get("max_gen_toks", MAX_TOKENS)),
            stop=_stops(how.get("until")),
            sample=self.sample,
        )
        try:
            done = await self.engine.generate(asked)
        except RequestFailed as error:
            self._fails(request, error)
            done = Completion("", finish="length")
        return Said(done.text, done.finish)

    def _heat(self, how: dict[str, Any]) -> float:
        if self.temperature is not None:
            return self.temperature
        return float(how.get("temperature", 1.0)) if how.get("do_sample") else 0.0

    def _fails(self, request: Instance, error: RequestFailed) -> None:
        self.failed[str(request.task_name), int(request.doc_id)] = str(error)


def _messages(context: str) -> Messages:
    return context.messages if isinstance(context, Turns) else (Message("user", context),)


def _stops(until: str | Sequence[str] | None) -> tuple[str, ...]:
    return (until,) if isinstance(until, str) else tuple(until or ())
