"""What an engine is: a request, its completion, token scores, and the two protocols every engine follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from regold.record import Messages


class Need(StrEnum):
    """Something a recipe asks of an engine; probed before the first paid call, since servers ignore silently."""

    GENERATE = "generate"
    LOGPROBS = "logprobs"
    SCORE = "score"
    SCHEMA = "schema"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class Request:
    """One completion asked of a model; all of it enters the journal's key."""

    messages: Messages
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    """Ask for the log-probability of every generated token."""
    schema: Mapping[str, Any] | None = None
    """A JSON schema that the answer must follow, enforced by the server where it can."""
    sample: int = 0
    """Tells apart samples of the same request; with temperature above 0 each is drawn anew."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer. `finish` is "stop" or "length"; `completion_tokens` counts all that were generated."""

    text: str
    finish: str = "stop"
    logprobs: tuple[float, ...] | None = None
    """Natural logs under the model as it is, one for each token of `text`: without the end-of-turn token, a stop string
    or reasoning set apart, so that they equal `score` of the same text; None where not asked for."""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def mean_nll(self) -> float | None:
        """Return the mean negative log-likelihood in nats per token (RobustFT, eq. 7), or None where unknown."""
        return -sum(self.logprobs) / len(self.logprobs) if self.logprobs else None


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Teacher-forced natural log-probabilities of a response's own tokens (end-of-turn excluded), given the prompt."""

    logprobs: tuple[float, ...]
    prompt_tokens: int = 0

    @property
    def mean_nll(self) -> float | None:
        """Return the mean negative log-likelihood in nats per token, or None for an empty response."""
        return -sum(self.logprobs) / len(self.logprobs) if self.logprobs else None


class Engine(Protocol):
    """What answers. Engines that retry, limit, journal or count wrap other engines."""

    @property
    def identity(self) -> str:
        """Model, weights or revision, adapter, template, dtype: all that decides an answer, never a secret."""
        ...

    async def generate(self, request: Request) -> Completion:
        """Answer one request. Raises RequestFailed for this request alone, EngineError when no request can succeed."""
        ...

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Return the log-probabilities of `response` after `prompt`. Raises EngineLacks where unsupported."""
        ...

    async def probe(self, needs: frozenset[Need]) -> None:
        """Ask the smallest request that shows each need is met. Raises EngineError naming what is missing."""
        ...

    async def close(self) -> None:
        """Release connections and memory."""
        ...


class Encoder(Protocol):
    """What embeds."""

    @property
    def identity(self) -> str:
        """All that decides a vector."""
        ...

    async def learn(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Return what it learns from the whole data set (idf, a projection); empty where it needs nothing."""
        ...

    async def encode(self, texts: Sequence[str], learned: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return float32 vectors, shape (len(texts), d), each of unit length (zero for an empty text)."""
        ...

    async def probe(self) -> None:
        """Ask the smallest request that shows it embeds. Raises EngineError saying what is wrong."""
        ...

    async def close(self) -> None:
        """Release connections and memory."""
        ...


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """How to open an engine or encoder; small and picklable, so that any worker can open its own."""

    kind: str
    """"openai", "transformers", "scripted"; for encoders "lexical", "static", "sentence-transformers", "openai"."""
    model: str = ""
    base_urls: tuple[str, ...] = ()
    revision: str | None = None
    adapter: str | None = None
    key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; the key itself is never stored."""
    concurrency: int = 64
    timeout_s: float = 600.0
    device: str | None = None
    dtype: str | None = None
    batch: int = 32
