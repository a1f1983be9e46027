"""A paid answer is on disk before it is used, and what is on disk is never asked again."""

import asyncio
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from regold.engines.base import Completion, Need, Request, TokenScores
from regold.engines.journal import Journal
from regold.engines.journaled import JournaledEngine
from regold.errors import DiskFull, RequestFailed, Superseded
from regold.record import Message, Messages


@dataclass
class Echo:
    """Answers with the question; counts; fails on demand; can be held back by an event."""

    identity: str = "echo"
    calls: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def generate(self, request: Request) -> Completion:
        text = request.messages[-1].content
        self.calls.append(text)
        if self.gate is not None:
            await self.gate.wait()
        if text == "fail":
            raise RequestFailed("told to")
        return Completion(f"{text}! é", "stop", (-0.5, -0.25), 7, 2)

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        self.calls.append(response)
        return TokenScores((-1.5,), 3)

    async def probe(self, needs: frozenset[Need]) -> None: ...

    async def close(self) -> None: ...


def ask(text: str, **settings: object) -> Request:
    return Request((Message("user", text),), **settings)  # type: ignore[arg-type]


def opened(folder: Path, engine: Echo, part: str = "00000") -> tuple[Journal, JournaledEngine]:
    journal = Journal(folder)
    journal.refresh()
    return journal, JournaledEngine(engine, journal.writer(part))


def test_an_answer_is_paid_once_across_attempts_and_parts(tmp_path: Path) -> None:
    engine = Echo()
    _, first = opened(tmp_path, engine)
    one = asyncio.run(first.generate(ask("a")))
    again = asyncio.run(first.generate(ask("a")))
    score = asyncio.run(first.score((Message("user", "a"),), "b"))
    journal, later = opened(tmp_path, engine, "00007")
    assert asyncio.run(later.generate(ask("a"))) == one == again
    assert asyncio.run(later.score((Message("user", "a"),), "b")) == score
    assert engine.calls == ["a", "b"]
    assert (journal.tally.sent, journal.tally.answered, journal.tally.lost) == (2, 2, 0)
    assert (journal.tally.prompt_tokens, journal.tally.completion_tokens) == (7 + 3 + 1, 2)


def test_all_of_the_request_and_the_engine_is_in_the_key(tmp_path: Path) -> None:
    engine = Echo()
    _, first = opened(tmp_path, engine)
    variants = [
        ask("a"),
        ask("a", temperature=0.5),
        ask("a", max_tokens=9),
        ask("a", sample=1),
        ask("a", logprobs=True),
    ]
    for request in variants:
        asyncio.run(first.generate(request))
    _, other = opened(tmp_path, Echo("another", engine.calls), "00001")
    asyncio.run(other.generate(ask("a")))
    assert len(engine.calls) == len(variants) + 1


def test_the_answer_is_on_disk_before_it_is_returned(tmp_path: Path) -> None:
    _, journaled = opened(tmp_path, Echo())
    asyncio.run(journaled.generate(ask("a")))
    lines = [json.loads(line) for line in (tmp_path / "00000.0.jsonl").read_text().splitlines()]
    assert list(lines[0]) == ["sent"]
    assert lines[1]["done"] == lines[0]["sent"]
    assert lines[1]["answer"]["text"] == "a! é"


def test_a_torn_tail_is_passed_over_and_its_call_counted_as_lost(tmp_path: Path) -> None:
    engine = Echo()
    _, first = opened(tmp_path, engine)
    asyncio.run(first.generate(ask("a")))
    asyncio.run(first.generate(ask("b")))
    file = tmp_path / "00000.0.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    journal, later = opened(tmp_path, engine)
    asyncio.run(later.generate(ask("a")))
    asyncio.run(later.generate(ask("b")))
    assert engine.calls == ["a", "b", "b"]
    assert (journal.tally.lost, journal.tally.answered) == (1, 2)


def test_the_same_request_in_flight_is_joined(tmp_path: Path) -> None:
    async def scene() -> tuple[list[Completion], list[str]]:
        engine = Echo(gate=asyncio.Event())
        _, journaled = opened(tmp_path, engine)
        tasks = [asyncio.create_task(journaled.generate(ask("a"))) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert engine.gate is not None
        engine.gate.set()
        return await asyncio.gather(*tasks), engine.calls

    answers, calls = asyncio.run(scene())
    assert len(set(answers)) == 1
    assert calls == ["a"]


def test_a_refused_request_is_no_lost_call_and_is_asked_again(tmp_path: Path) -> None:
    engine = Echo()
    journal, journaled = opened(tmp_path, engine)
    for _ in range(2):
        with pytest.raises(RequestFailed):
            asyncio.run(journaled.generate(ask("fail")))
    assert engine.calls == ["fail", "fail"]
    assert (journal.tally.failed, journal.tally.lost) == (2, 0)


def test_a_newer_attempt_fences_off_the_older(tmp_path: Path) -> None:
    engine = Echo()
    _, old = opened(tmp_path, engine)
    _, new = opened(tmp_path, engine)
    with pytest.raises(Superseded):
        asyncio.run(old.generate(ask("a")))
    asyncio.run(new.generate(ask("a")))
    assert engine.calls == ["a"]


def test_another_process_answer_is_found_before_paying(tmp_path: Path) -> None:
    engine = Echo()
    shared = Journal(tmp_path, shared=True)
    mine = JournaledEngine(engine, shared.writer("00000"))
    _, theirs = opened(tmp_path, engine, "00001")
    asyncio.run(theirs.generate(ask("a")))
    asyncio.run(mine.generate(ask("a")))
    assert engine.calls == ["a"]


def test_a_full_disk_stops_with_a_whole_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, journaled = opened(tmp_path, Echo())
    asyncio.run(journaled.generate(ask("a")))
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[: len(data) // 2]))
    with pytest.raises(DiskFull, match="no room"):
        asyncio.run(journaled.generate(ask("b")))
    monkeypatch.undo()
    fresh = Journal(tmp_path)
    fresh.refresh()
    assert fresh.tally.answered == 1
    assert (tmp_path / "00000.0.jsonl").read_bytes().endswith(b"\n")


def test_a_payment_goes_on_when_those_who_wait_are_cancelled(tmp_path: Path) -> None:
    async def scene() -> None:
        engine = Echo(gate=asyncio.Event())
        journal, journaled = opened(tmp_path, engine)
        owner = asyncio.create_task(journaled.generate(ask("a")))
        joined = asyncio.create_task(journaled.generate(ask("a")))
        await asyncio.sleep(0.01)
        owner.cancel()
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(journaled.writer.close())
        assert engine.gate is not None
        engine.gate.set()
        assert (await joined).text == "a! é"
        await closing
        assert (journal.tally.answered, journal.tally.lost) == (1, 0)

    asyncio.run(scene())


def test_a_closed_writer_waits_for_what_is_out_and_sends_nothing_more(tmp_path: Path) -> None:
    async def scene() -> list[str]:
        engine = Echo(gate=asyncio.Event())
        journal = Journal(tmp_path, in_flight=2)
        journaled = JournaledEngine(engine, journal.writer("00000"))
        tasks = [asyncio.create_task(journaled.generate(ask(f"q{n}"))) for n in range(6)]
        await asyncio.sleep(0.01)
        assert journal.tally.sent == 2, "no more may be out than in_flight"
        for task in tasks:
            task.cancel()
        closing = asyncio.create_task(journaled.writer.close())
        await asyncio.sleep(0.01)
        assert engine.gate is not None
        engine.gate.set()
        await closing
        assert journal.tally.answered == 2
        return engine.calls

    assert asyncio.run(scene()) == ["q0", "q1"]


def test_of_two_answers_to_one_request_the_first_stands(tmp_path: Path) -> None:
    _, first = opened(tmp_path, Echo(), "00000")
    asyncio.run(first.generate(ask("a")))
    line = (tmp_path / "00000.0.jsonl").read_bytes().splitlines(keepends=True)[1]
    (tmp_path / "00001.0.jsonl").write_bytes(line.replace(b"a!", b"b!"))
    journal, again = opened(tmp_path, Echo(), "00002")
    assert asyncio.run(again.generate(ask("a"))).text == "a! é"
    assert journal.tally.repeated == 1


def test_what_no_engine_reads_is_not_in_the_key(tmp_path: Path) -> None:
    engine = Echo()
    _, journaled = opened(tmp_path, engine)
    for stamp in (1, 2):
        asyncio.run(journaled.generate(Request((Message("user", "a", {"ts": stamp}),))))
    assert engine.calls == ["a"]
