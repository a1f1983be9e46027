"""The window narrows by half, widens by one, and waits as long as it is told; hosts share what is in flight."""

import asyncio

import pytest

from regold.engines.hosts import Hosts, Patience
from regold.engines.limiter import Window
from regold.errors import EngineUnreachable

NAMES = ("http://a/v1", "http://b/v1")


def test_requests_refused_together_halve_the_window_once() -> None:
    window = Window(64)
    assert window.shrink(10.0, sent_at=9.0, retry_after=None)
    assert not window.shrink(10.1, sent_at=9.0, retry_after=None)
    assert window.width == 32
    assert window.shrink(11.0, sent_at=10.5, retry_after=None)
    assert window.width == 16


def test_a_full_window_of_answers_adds_one() -> None:
    window = Window(64, width=8.0)
    for _ in range(8):
        window.widen()
    assert window.width == pytest.approx(9, abs=0.1)
    for _ in range(10_000):
        window.widen()
    assert window.width == 64


def test_it_never_closes_for_good_and_waits_longer_each_time() -> None:
    window, pauses = Window(4), []
    for now in range(0, 1000, 100):
        window.shrink(float(now), sent_at=float(now), retry_after=None)
        pauses.append(window.resume_at - now)
    assert window.width == 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30
    assert window.room(1000.0) == 1


def test_a_servers_own_time_is_kept() -> None:
    window = Window(4)
    window.shrink(0.0, sent_at=0.0, retry_after=7.0)
    assert window.room(6.9) == 0
    assert window.room(7.0) == 2


def test_a_cancelled_waiter_gives_its_place_back() -> None:
    async def work() -> None:
        hosts = Hosts(NAMES[:1], 1, Patience())
        held = await hosts.take()
        waiters = [asyncio.create_task(hosts.take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        hosts.give(held)
        waiters[1].cancel()
        host = await asyncio.wait_for(waiters[2], 1)
        hosts.give(host)
        assert hosts.all[0].window.in_flight == 0

    asyncio.run(work())


def test_a_stop_reaches_everybody_waiting_and_all_who_come() -> None:
    async def work() -> None:
        hosts = Hosts(NAMES, 1, Patience())
        await hosts.take()
        waiting = asyncio.create_task(hosts.take())
        await asyncio.sleep(0)
        hosts.stop(EngineUnreachable("gone"))
        for later in (waiting, hosts.take()):
            with pytest.raises(EngineUnreachable, match="gone"):
                await later

    asyncio.run(work())


def test_a_host_that_fails_is_left_alone_until_all_do() -> None:
    async def work() -> None:
        hosts = Hosts(NAMES, 8, Patience())
        first = hosts.all[0]
        for number in range(3):
            hosts.failed(first, number, "it broke")
        assert {(await hosts.take()).url for _ in range(4)} == {NAMES[1]}
        for number in range(3):
            hosts.failed(hosts.all[1], number, "it broke")
        assert NAMES[0] in {(await hosts.take()).url for _ in range(4)}

    asyncio.run(work())


def test_a_pause_of_one_host_sends_all_to_the_other() -> None:
    async def work() -> None:
        hosts = Hosts(NAMES, 8, Patience())
        hosts.full(hosts.all[0], 0.0, 60.0, "busy")
        assert {(await hosts.take()).url for _ in range(8)} == {NAMES[1]}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hosts.take(), 0.05)
        assert sum(h.window.in_flight for h in hosts.all) == 8

    asyncio.run(work())
