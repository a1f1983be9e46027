"""Jobs awaited together: the first error stops the others, and none of them outlives it."""

import asyncio

import pytest

from regold.engines.base import Request
from regold.errors import RequestFailed
from regold.stages.judge import JudgeAgreement
from regold.together import together
from tests.stages.conftest import Play, make


async def said(text: str) -> str:
    await asyncio.sleep(0)
    return text


async def failing() -> str:
    await asyncio.sleep(0)
    raise RequestFailed("no")


def test_answers_come_in_order() -> None:
    assert asyncio.run(together([said("a"), said("b")])) == ["a", "b"]
    assert asyncio.run(together([])) == []


def test_the_first_error_ends_the_others_before_it_is_raised() -> None:
    ended = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append("slow")

    async def work() -> None:
        with pytest.raises(RequestFailed):
            await together([slow(), failing()])
        assert ended == ["slow"]

    asyncio.run(work())


def test_a_failing_verdict_leaves_no_other_in_flight() -> None:
    class Judge:
        flying = 0

        async def generate(self, request: Request) -> None:
            self.flying += 1
            try:
                await asyncio.sleep(0.001 if "dogs" in request.messages[0].content else 60)
                raise RequestFailed("no")
            finally:
                self.flying -= 1

    notes = {"base.answer": "Cats are kind and quiet.", "reason.answer": "Some say that dogs are kinder."}
    play, judge = Play([make("q", "Which?", "It is hard to say which are kind.", notes=notes)]), Judge()
    play.engine = judge  # type: ignore[assignment]

    async def work() -> None:
        with pytest.raises(RequestFailed):
            await play._step(JudgeAgreement(), None)
        assert judge.flying == 0

    asyncio.run(work())
