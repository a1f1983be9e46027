"""A real vLLM server against the engine in this process, on the same tiny model: the same texts, tokens and scores."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import regold.lab
from benchmarks.serve_vllm import serving
from regold.engines import open_engine
from regold.engines.base import Engine, EngineSpec, Need, Request
from regold.engines.probing import OPENINGS
from regold.errors import EngineRefused, RequestFailed
from regold.record import Message, Messages

PYTHON = os.environ.get("REGOLD_VLLM_PYTHON", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="set REGOLD_VLLM_PYTHON to the interpreter of an environment with vLLM"),
]
QUESTIONS = [f"What is {i} plus {i * 7 % 5}?" for i in range(24)]
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def url(tiny: Path) -> Iterator[str]:
    with serving(tiny, PYTHON, "tiny") as address:
        yield address


def turn(text: str) -> Messages:
    return (Message("system", "Be brief."), Message("user", text))


def using(spec: EngineSpec, work: Callable[[Engine], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        engine = open_engine(spec)
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


def both(url: str, tiny: Path, work: Callable[[Engine], Coroutine[Any, Any, Any]]) -> tuple[Any, Any]:
    served = using(EngineSpec("openai", "tiny", (url,)), work)
    return served, using(EngineSpec("transformers", str(tiny)), work)


def test_it_gives_all_a_recipe_can_need(url: str) -> None:
    needs = frozenset({Need.GENERATE, Need.LOGPROBS, Need.SCORE, Need.SCHEMA})
    using(EngineSpec("openai", "tiny", (url,)), lambda engine: engine.probe(needs))


def test_answers_and_logprobs_are_equal(url: str, tiny: Path) -> None:
    async def work(engine: Engine) -> list[Any]:
        asked = [Request(turn(q), max_tokens=24, logprobs=True) for q in QUESTIONS]
        return list(await asyncio.gather(*map(engine.generate, asked)))

    served, local = both(url, tiny, work)
    assert {a.finish for a in served} == {"stop", "length"}
    for a, b in zip(served, local, strict=True):
        assert (a.text, a.finish, a.prompt_tokens, a.completion_tokens) == (
            b.text,
            b.finish,
            b.prompt_tokens,
            b.completion_tokens,
        )
        assert a.logprobs == pytest.approx(b.logprobs, abs=TOLERANCE)


def test_scores_are_equal_and_agree_with_generation(url: str, tiny: Path) -> None:
    async def work(engine: Engine) -> list[Any]:
        given = await asyncio.gather(*(engine.score(turn(q), f"The answer is {q[8:11]}.") for q in QUESTIONS))
        said = await asyncio.gather(
            *(engine.generate(Request(turn(q), max_tokens=24, logprobs=True)) for q in QUESTIONS)
        )
        again = await asyncio.gather(*(engine.score(turn(q), s.text) for q, s in zip(QUESTIONS, said, strict=True)))
        for scores, done in zip(again, said, strict=True):
            assert scores.logprobs == pytest.approx(done.logprobs, abs=TOLERANCE)
        return list(given)

    served, local = both(url, tiny, work)
    gaps = [abs(x - y) for a, b in zip(served, local, strict=True) for x, y in zip(a.logprobs, b.logprobs, strict=True)]
    print(f"largest gap between vLLM's scores and transformers' over {len(gaps)} tokens: {max(gaps):.2e}")
    assert max(gaps) < TOLERANCE
    assert [a.prompt_tokens for a in served] == [b.prompt_tokens for b in local]


def test_a_stop_string_and_samples(url: str, tiny: Path) -> None:
    async def work(engine: Engine) -> Any:
        whole = await engine.generate(Request(turn(QUESTIONS[1]), max_tokens=24))
        stop = (whole.text[2:4] or "never",)
        return await engine.generate(Request(turn(QUESTIONS[1]), max_tokens=24, stop=stop, logprobs=True))

    served, local = both(url, tiny, work)
    assert (served.text, served.finish) == (local.text, local.finish)
    assert served.logprobs == pytest.approx(local.logprobs, abs=TOLERANCE)

    async def sampled(engine: Engine) -> set[str]:
        asked = [Request(turn("x"), temperature=1.0, max_tokens=12, sample=i) for i in range(16)]
        return {done.text for done in await asyncio.gather(*map(engine.generate, asked))}

    assert len(using(EngineSpec("openai", "tiny", (url,)), sampled)) > 8


def test_the_lab_model_whose_tokens_lose_their_spaces_is_accepted() -> None:
    model = Path(regold.lab.__file__).parent / "model"
    asked = [Request((Message("user", q),), max_tokens=8, logprobs=True) for q in (*OPENINGS, "Where is Puvland?")]

    async def work(engine: Engine) -> Any:
        await engine.probe(frozenset({Need.LOGPROBS, Need.SCORE}))
        return await asyncio.gather(*map(engine.generate, asked))

    with serving(model, PYTHON, "lab") as url:
        served = using(EngineSpec("openai", "lab", (url,)), work)
    local = using(EngineSpec("transformers", str(model)), work)
    assert any(a.text != a.text.strip() for a in served)
    assert [a.text.strip() for a in served] == [b.text for b in local]
    for a, b in zip(served, local, strict=True):
        assert a.logprobs == pytest.approx(b.logprobs, abs=TOLERANCE)


def test_its_refusals_are_understood(url: str) -> None:
    spec = EngineSpec("openai", "tiny", (url,))
    with pytest.raises(EngineRefused, match="it serves: tiny"):
        using(replace(spec, model="huge"), lambda engine: engine.generate(Request(turn("x"))))
    assert using(spec, lambda engine: engine.generate(Request(turn("x"), max_tokens=4000))).completion_tokens < 256
    with pytest.raises(RequestFailed, match="maximum context length is 256"):
        using(spec, lambda engine: engine.generate(Request(turn("x" * 500))))
    with pytest.raises(EngineRefused, match="does the address lack /v1"):
        bare = replace(spec, base_urls=(url.removesuffix("/v1"),))
        using(bare, lambda engine: engine.generate(Request(turn("x"))))
