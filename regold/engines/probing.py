"""Ask the smallest requests that show an engine meets a recipe's needs: servers drop what they lack silently."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from regold.engines.base import Completion, Engine, Need, Request
from regold.errors import EngineError, EngineLacks, EngineUnreachable, RequestFailed
from regold.record import Message, Messages
from regold.together import together

log = logging.getLogger(__name__)

Found = TypeVar("Found")

WHY = {
    Need.LOGPROBS: "the recipe selects repairs by the model's confidence, which needs log-probabilities",
    Need.SCORE: "the recipe scores given responses, which needs teacher-forced log-probabilities",
    Need.SCHEMA: "the recipe asks for answers in a fixed form, which needs response_format json_schema",
}
_SERVED = "Serve the model with vLLM, run it in process (--model FOLDER, no --base-url), or leave that stage out"
WITHOUT_LOGPROBS = "--set base.logprobs=false --set relabel.logprobs=false --set review.confidence=votes"
INSTEAD = {
    Need.LOGPROBS: f"{_SERVED}; the recipe robustft does without by {WITHOUT_LOGPROBS}",
    Need.SCORE: _SERVED,
    Need.SCHEMA: "Serve the model with vLLM or another server that enforces json_schema, or leave that stage out",
}
TOLERANCE = 0.2
"""Nats a token; half precision moves a score by a few hundredths, a wrong one is off by whole nats."""
OPENINGS = ("Say hello.", "Name a colour.", "What is two plus two?")
FORM = {
    "type": "object",
    "properties": {"word": {"type": "string", "enum": ["amber"]}},
    "required": ["word"],
    "additionalProperties": False,
}


class Unscored(RequestFailed):
    """Report an answer without the log-probabilities that were asked for; it fails its record, or else a probe."""


async def probe_each(urls: Sequence[str], probe_one: Callable[[str], Awaitable[Found]]) -> list[Found]:
    """Probe every server on its own and return what was found; one that is dead is left aside while another lives."""
    results = await asyncio.gather(*map(probe_one, urls), return_exceptions=True)
    dead = [r for r in results if isinstance(r, EngineUnreachable)]
    for result in results:
        if isinstance(result, BaseException) and (len(dead) == len(results) or result not in dead):
            raise result
    for error in dead:
        log.warning("%s", error)
    return [r for r in results if not isinstance(r, BaseException)]


@dataclass
class Doubt:
    """Probes again once answers come without what was asked: at the first such answer, the second, the fourth, ...

    A server that changes in the middle of a run must stop it, and one odd answer must not.
    """

    probe: Callable[[frozenset[Need]], Awaitable[None]]
    odd: int = 0
    _next: int = 1
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _verdict: EngineError | None = None

    async def cast(self, needs: frozenset[Need]) -> None:
        """Count an odd answer. Raises EngineError, for this and every later one, where the needs are no longer met."""
        self.odd += 1
        async with self._probing:
            if self._verdict is None and self.odd >= self._next:
                self._next = 2 * self.odd
                try:
                    await self.probe(needs)
                except EngineError as error:
                    self._verdict = error
            if self._verdict is not None:
                raise self._verdict


async def probe(engine: Engine, needs: frozenset[Need], name: str) -> None:
    """Check each need. Raises EngineLacks naming the first one missing, EngineUnreachable where nothing works."""
    if Need.LOGPROBS in needs or Need.SCORE in needs:
        await _logprobs(engine, name, Need.LOGPROBS if Need.LOGPROBS in needs else Need.SCORE)
    elif needs - {Need.EMBED}:
        await _plain(engine, name)
    if Need.SCORE in needs:
        await _scores(engine, name)
    if Need.SCHEMA in needs:
        await _schema(engine, name)


def lacks(name: str, need: Need, found: str) -> EngineLacks:
    """Return the error for a need that is not met."""
    return EngineLacks(f"{name}: {found}; {WHY[need]}. {INSTEAD[need]}")


def _asking(text: str) -> Messages:
    return (Message("user", text),)


async def _plain(engine: Engine, name: str) -> None:
    try:
        await engine.generate(Request(_asking(OPENINGS[0]), max_tokens=1))
    except RequestFailed as error:
        raise EngineUnreachable(f"{name} cannot answer even one token: {error}") from None


async def _logprobs(engine: Engine, name: str, need: Need) -> None:
    try:
        done = await engine.generate(Request(_asking(OPENINGS[0]), max_tokens=1, logprobs=True))
        given = done.logprobs is not None
    except Unscored:
        given = False
    except RequestFailed as error:
        await _plain(engine, name)
        raise lacks(name, need, f"it refuses to give log-probabilities ({error})") from None
    if not given:
        raise lacks(name, need, "it gives no log-probabilities, or not for all tokens")


async def _scores(engine: Engine, name: str) -> None:
    """Compare the scores of greedy answers with the log-probabilities they were generated with."""
    asked = [Request(_asking(o), max_tokens=8, logprobs=True) for o in OPENINGS]
    try:
        answers = await together([engine.generate(request) for request in asked])
        scores = [await engine.score(r.messages, a.text) for r, a in zip(asked, answers, strict=True)]
    except (RequestFailed, EngineLacks) as error:
        raise lacks(name, Need.SCORE, f"it cannot score a given response ({error})") from None
    gaps = [_gap(a, s.logprobs) for a, s in zip(answers, scores, strict=True)]
    known = sorted(g for g in gaps if g is not None)
    if known and (middle := known[len(known) // 2]) > TOLERANCE:
        raise lacks(name, Need.SCORE, f"its scores are wrong: {middle:.2f} nats off what it generates with")
    if any(v > 1e-6 for s in scores for v in s.logprobs):
        raise lacks(name, Need.SCORE, "its scores are no log-probabilities: some are above zero")


def _gap(answer: Completion, scores: tuple[float, ...]) -> float | None:
    # Only answers whose text splits into as many tokens as were generated can be compared.
    own = answer.logprobs or ()
    if not own or len(own) != len(scores):
        return None
    return max(abs(a - b) for a, b in zip(own, scores, strict=True))


async def _schema(engine: Engine, name: str) -> None:
    try:
        done = await engine.generate(Request(_asking(OPENINGS[0]), max_tokens=64, schema=FORM))
    except RequestFailed as error:
        raise lacks(name, Need.SCHEMA, f"it refuses a json_schema ({error})") from None
    if not _follows(done):
        raise lacks(name, Need.SCHEMA, f"it ignores a json_schema and answered {done.text[:40]!r}")


def _follows(done: Completion) -> bool:
    try:
        return bool(json.loads(done.text) == {"word": "amber"})
    except ValueError:
        # A weak model may fill its tokens with the blanks that JSON allows; the form still shows.
        return done.finish == "length" and done.text.lstrip().startswith("{")
