"""Against a loopback server that can fail in every way: what is retried, what fails a record, what stops the run."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regold.engines import open_engine
from regold.engines.base import EngineSpec, Need, Request
from regold.engines.hosts import Patience
from regold.engines.openai import OpenAIEngine
from regold.errors import EngineLacks, EngineRefused, EngineUnreachable, RecipeError, RequestFailed
from regold.record import Message
from tests.server import Running, running

QUICK = Patience(first_wait_s=0.01, longest_wait_s=0.02, streak_s=0.05)
KEY = "sk-secret-0123456789"
ALL = frozenset({Need.GENERATE, Need.LOGPROBS, Need.SCORE, Need.SCHEMA})
OPEN = "Which river?\nA. Oru\nB. Vel\nC. Tam"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: Running) -> Running:
    started.control(faults=[], latency=0.0)
    return started


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def ask(text: str = OPEN, **settings: Any) -> Request:
    return Request((Message("user", text),), **settings)


def using(
    server: Running | str,
    work: Callable[[OpenAIEngine], Coroutine[Any, Any, Any]],
    patience: Patience = QUICK,
    **spec: Any,
) -> Any:
    url = server if isinstance(server, str) else server.url

    async def run() -> Any:
        engine = OpenAIEngine(replace(EngineSpec("openai", "tiny", (url,)), **spec), patience)
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


async def many(engine: OpenAIEngine, count: int) -> list[Any]:
    return await asyncio.gather(*(engine.generate(ask(f"{OPEN} #{i}")) for i in range(count)), return_exceptions=True)


def test_an_answer_carries_the_logprobs_of_its_own_tokens_only(server: Running) -> None:
    done = using(server, lambda e: e.generate(ask(logprobs=True)))
    assert done.text.startswith("The answer is ")
    assert done.logprobs is not None
    assert len(done.logprobs) == 4
    assert done.completion_tokens == 4
    assert done.finish == "stop"


def test_a_cut_answer_says_so(server: Running) -> None:
    assert using(server, lambda e: e.generate(ask(max_tokens=2))).finish == "length"


def test_scores_agree_with_what_was_generated(server: Running) -> None:
    async def work(engine: OpenAIEngine) -> None:
        done = await engine.generate(ask(logprobs=True))
        scores = await engine.score(ask().messages, done.text)
        assert scores.logprobs == pytest.approx(done.logprobs)
        other = await engine.score(ask().messages, "Something else entirely")
        assert len(other.logprobs) == 3
        assert max(other.logprobs) < -2
        assert (await engine.score(ask().messages, "")).logprobs == ()

    using(server, work)


def test_probe_accepts_a_server_that_gives_everything(server: Running) -> None:
    using(server, lambda e: e.probe(ALL))


@pytest.mark.parametrize(
    ("fault", "need", "said"),
    [
        ("no_logprobs", Need.LOGPROBS, "no log-probabilities"),
        ("wrong_scores", Need.SCORE, "2.50 nats off"),
        ("no_tokenize", Need.SCORE, "no /tokenize"),
        ("no_schema", Need.SCHEMA, "ignores a json_schema"),
        ("400", Need.LOGPROBS, "refuses to give log-probabilities"),
    ],
)
def test_probe_names_what_a_server_lacks(server: Running, fault: str, need: Need, said: str) -> None:
    matching = '"logprobs":true' if fault == "400" else ""
    server.control(faults=[{"kind": fault, "times": 100, "match": matching}])
    with pytest.raises(EngineLacks, match=said) as raised:
        using(server, lambda e: e.probe(frozenset({need})))
    assert "which needs" in str(raised.value)


def test_one_answer_without_logprobs_fails_alone(server: Running) -> None:
    server.control(faults=[{"kind": "no_logprobs"}])

    async def work(engine: OpenAIEngine) -> None:
        with pytest.raises(RequestFailed, match="no log-probabilities"):
            await engine.generate(ask(logprobs=True))
        assert (await engine.generate(ask(logprobs=True))).logprobs

    using(server, work)


@pytest.mark.parametrize(
    ("fault", "matching", "asked", "said"),
    [
        ("no_logprobs", "", "logprobs", "it gives no log-probabilities"),
        ("400", '"logprobs":true', "logprobs", "refuses to give log-probabilities"),
        ("400", "response_format", "schema", "refuses a json_schema"),
        ("wrong_echo", "", "score", "cannot score a given response"),
    ],
)
def test_a_server_that_stops_giving_what_is_needed_stops_the_run_at_once(
    server: Running, fault: str, matching: str, asked: str, said: str
) -> None:
    request = ask(logprobs=asked == "logprobs", schema={"type": "object"} if asked == "schema" else None)

    async def once(engine: OpenAIEngine) -> Any:
        return await (engine.score(request.messages, "so") if asked == "score" else engine.generate(request))

    async def work(engine: OpenAIEngine) -> list[Any]:
        await engine.probe(ALL)
        await once(engine)
        server.control(faults=[{"kind": fault, "times": 10_000, "match": matching}])
        found = await asyncio.gather(*(once(engine) for _ in range(40)), return_exceptions=True)
        before = server.count("/").total()
        found += await asyncio.gather(*(once(engine) for _ in range(40)), return_exceptions=True)
        assert server.count("/").total() == before
        return found

    found = using(server, work, concurrency=8)
    assert all(isinstance(f, EngineLacks) and said in str(f) for f in found)


def test_many_odd_answers_of_a_sound_server_cost_few_probes(server: Running) -> None:
    server.control(faults=[{"kind": "no_logprobs", "times": 64, "match": "river"}])

    async def work(engine: OpenAIEngine) -> list[Any]:
        asked = (engine.generate(ask(f"{OPEN} #{i}", logprobs=True)) for i in range(64))
        return await asyncio.gather(*asked, return_exceptions=True)

    before = server.count().total()
    found = using(server, work, concurrency=1)
    assert all(isinstance(f, RequestFailed) for f in found)
    assert 64 < server.count().total() - before <= 64 + 7


def test_an_empty_answer_needs_no_logprobs(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"rules": [{"match": "river", "answer": ""}]}')
    with running(tmp_path, rules) as other:
        other.control(faults=[{"kind": "no_logprobs", "times": 2}])
        done = using(other, lambda e: e.generate(ask(logprobs=True)))
        assert (done.text, done.logprobs) == ("", None)


@pytest.mark.parametrize("reply", [{}, {"choices": [{"logprobs": {"token_logprobs": [None, -1.0, None]}}]}])
def test_one_odd_score_fails_alone(server: Running, reply: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(engine: OpenAIEngine) -> None:
        post = engine.client.post

        async def odd(path: str, body: dict[str, Any], at_root: bool = False) -> dict[str, Any]:
            return reply if path == "/completions" else await post(path, body, at_root)

        monkeypatch.setattr(engine.client, "post", odd)
        with pytest.raises(RequestFailed, match="does not echo"):
            await engine.score(ask().messages, "B")

    using(server, work)


def test_half_a_character_becomes_a_mark_that_a_file_can_hold(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"rules": [{"match": "river", "answer": "The \\ud800 \\ud83d\\ude00"}]}')
    with running(tmp_path, rules) as other:
        assert using(other, lambda e: e.generate(ask())).text == "The \ufffd \U0001f600"


@pytest.mark.parametrize("fault", ["401", "402", "403", "quota"])
def test_a_refused_account_stops_everything_at_once(server: Running, fault: str) -> None:
    server.control(faults=[{"kind": fault, "times": 1000}], latency=0.02)
    before = server.count().total()

    def work(engine: OpenAIEngine) -> Coroutine[Any, Any, list[Any]]:
        return many(engine, 50)

    results = using(server, work, concurrency=5)
    assert {type(r) for r in results} == {EngineRefused}
    assert server.count().total() - before == 5
    assert all(KEY not in str(r) and "OPENAI_API_KEY" in str(r) for r in results)


def test_a_model_that_is_not_served_is_refused_with_the_names_of_those_that_are(server: Running) -> None:
    with pytest.raises(EngineRefused, match=r"'huge'.*it serves: tiny"):
        using(server, lambda e: e.generate(ask()), model="huge")


def test_an_address_without_v1_is_refused_with_a_hint(server: Running) -> None:
    with pytest.raises(EngineRefused, match="does the address lack /v1"):
        using(server.root, lambda e: e.generate(ask()))


@pytest.mark.parametrize("fault", ["400", "flagged"])
def test_a_refused_request_fails_alone(server: Running, fault: str) -> None:
    server.control(faults=[{"kind": fault, "times": 1, "match": "#3"}])
    results = using(server, lambda e: many(e, 6))
    assert [type(r) is RequestFailed or isinstance(r, RequestFailed) for r in results] == [i == 3 for i in range(6)]


@pytest.mark.parametrize("fault", ["500", "503", "drop", "torn", "error200"])
def test_a_passing_failure_is_retried(server: Running, fault: str) -> None:
    server.control(faults=[{"kind": fault, "times": 2}])
    assert using(server, lambda e: e.generate(ask())).text


@pytest.mark.parametrize("fault", ["500", "drop", "torn"])
def test_one_poisonous_request_fails_alone(server: Running, fault: str) -> None:
    server.control(faults=[{"kind": fault, "times": 1000, "match": "#3"}])

    async def work(engine: OpenAIEngine) -> list[Any]:
        first = await many(engine, 3)
        return [*first, *(await many(engine, 4))[3:]]

    results = using(server, work)
    assert [isinstance(r, RequestFailed) for r in results] == [False, False, False, True]
    assert "sent 6 times" in str(results[3])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("500", "HTTP 500: could not generate at this rate"),
        ("html", r"something else than JSON: '<!doctype html>\\n<title>"),
        ("torn", "something else than JSON"),
        ("redirect", "HTTP 302"),
        ("drop", "the connection broke"),
    ],
)
def test_a_server_that_only_fails_is_unreachable(server: Running, fault: str, said: str) -> None:
    server.control(faults=[{"kind": fault, "times": 10000}])
    results = using(server, lambda e: many(e, 40))
    assert {type(r) for r in results} == {EngineUnreachable}
    assert all(said.replace("\\\\", "\\") in str(r) for r in results)


def test_nobody_listening_is_unreachable_soon() -> None:
    start = time.monotonic()
    with pytest.raises(EngineUnreachable, match=r"no model server answers at 127.0.0.1:9/v1.*cannot connect"):
        using("http://127.0.0.1:9/v1", lambda e: e.probe(ALL))
    assert time.monotonic() - start < 3


def test_a_reply_of_another_kind_fails_the_record_and_the_probe(server: Running) -> None:
    server.control(faults=[{"kind": "nonsense", "times": 3}])
    with pytest.raises(RequestFailed, match="no chat completion"):
        using(server, lambda e: e.generate(ask()))
    with pytest.raises(EngineUnreachable, match="cannot answer even one token"):
        using(server, lambda e: e.probe(frozenset({Need.GENERATE})))


def test_a_slow_answer_fails_its_record(server: Running) -> None:
    server.control(faults=[{"kind": "slow", "delay": 5}])
    with pytest.raises(RequestFailed, match="no answer within 0 s"):
        using(server, lambda e: e.generate(ask()), timeout_s=0.2)


def test_a_full_server_is_waited_for_as_long_as_it_says(server: Running) -> None:
    server.control(faults=[{"kind": "429", "times": 1, "retry_after": 1}])
    start = time.monotonic()
    assert using(server, lambda e: e.generate(ask())).text
    assert 1 <= time.monotonic() - start < 3


def test_a_full_server_loses_no_record(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    server.control(faults=[{"kind": "429", "times": 40}], latency=0.005)
    with caplog.at_level(logging.WARNING, "regold"):
        results = using(server, lambda e: many(e, 100), concurrency=32)
    assert all(r.text for r in results)
    assert "is full" in caplog.text
    assert KEY not in caplog.text


def test_a_server_full_for_too_long_stops_the_run(server: Running) -> None:
    server.control(faults=[{"kind": "429", "times": 1000, "retry_after": 0.1}])
    results = using(server, lambda e: many(e, 5), replace(QUICK, capacity_s=0.5))
    assert {type(r) for r in results} == {EngineUnreachable}
    assert "has been full" in str(results[0])


def test_a_server_that_asks_for_a_day_is_not_waited_for(server: Running) -> None:
    server.control(faults=[{"kind": "429", "times": 1000, "retry_after": 86400}])
    with pytest.raises(EngineUnreachable, match="asks to wait 86400 s"):
        using(server, lambda e: e.generate(ask()))


def test_the_newer_name_of_max_tokens_is_found(server: Running) -> None:
    server.control(faults=[{"kind": "max_tokens", "times": 100, "match": '"max_tokens"'}])
    assert using(server, lambda e: many(e, 3))[2].text


def test_more_tokens_than_the_window_are_not_asked_for_twice(server: Running) -> None:
    server.control(faults=[{"kind": "window", "times": 100, "match": '"max_tokens":512'}])
    before = server.count().total()

    async def work(engine: OpenAIEngine) -> None:
        for _ in range(5):
            assert (await engine.generate(ask())).text

    using(server, work)
    assert server.count().total() - before == 6


def test_a_dead_host_is_set_aside(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    urls = ("http://127.0.0.1:9/v1", server.url)

    async def work(engine: OpenAIEngine) -> list[Any]:
        await engine.probe(ALL)
        return await many(engine, 60)

    results = using(server, work, base_urls=urls, concurrency=8)
    assert all(r.text for r in results)
    assert "no model server answers at 127.0.0.1:9/v1" in caplog.text


def test_requests_spread_over_hosts(server: Running, tmp_path: Path) -> None:
    with running(tmp_path) as other:
        before = server.count().total()
        using(server, lambda e: many(e, 60), base_urls=(server.url, other.url), concurrency=8)
        assert 20 <= server.count().total() - before <= 40
        assert 20 <= other.count().total() <= 40


def test_concurrency_is_bounded(server: Running) -> None:
    server.control(latency=0.05)
    start = time.monotonic()
    using(server, lambda e: many(e, 20), concurrency=4)
    assert time.monotonic() - start >= 0.25


def test_identity_holds_the_revision_or_else_the_hosts_and_never_the_key(server: Running) -> None:
    spec = EngineSpec("openai", "default", ("http://a:1/v1",))
    here, there = OpenAIEngine(spec), OpenAIEngine(replace(spec, base_urls=("http://b:1/v1/",)))
    assert here.identity != there.identity
    pinned = {OpenAIEngine(replace(spec, base_urls=(u,), revision="r1")).identity for u in ("http://a", "http://b")}
    assert len(pinned) == 1
    assert KEY not in here.identity + repr(here.spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EngineSpec("openai", "m"), "no address"),
        (EngineSpec("openai", "", ("http://a/v1",)), "no model name"),
        (EngineSpec("openai", "m", ("a:8000",)), "must look like"),
        (EngineSpec("openai", "m", ("http://[::1",)), "must look like"),
        (EngineSpec("openai", "m", ("http://a:99999/v1",)), "must look like"),
        (EngineSpec("openai", "m", ("http://me:pass@a/v1",)), "must hold no password"),
        (EngineSpec("openai", "m", ("http://a/v1?api-key=pass@",)), "must hold no password"),
        (EngineSpec("openai", "m", ("http://a/v1#pass@",)), "must hold no password"),
    ],
)
def test_a_wrong_spec_is_refused(spec: EngineSpec, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(RecipeError, match=said) as raised:
        open_engine(spec)
    assert "pass@" not in str(raised.value)


def test_a_proxy_is_used_for_all_but_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    urls = ("http://a.example/v1", "http://inside.example/v1", "http://127.0.0.1:8000/v1", "http://localhost/v1")
    engine = OpenAIEngine(EngineSpec("openai", "m", urls))
    assert list(engine.client._proxies.values()) == ["http://proxy:3128", None, None, None]
