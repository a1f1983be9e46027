"""The door opens without anything heavy, batches what comes together, and says what to install."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence

import pytest

from regold.engines import open_encoder, open_engine
from regold.engines.base import EngineSpec
from regold.engines.gather import Gather
from regold.errors import MissingExtra, RequestFailed


def test_importing_the_door_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'aiohttp', 'sklearn', 'scipy', 'sentence_transformers', 'tokenizers'}"
    code = f"import sys, regold.engines; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("missing", "module", "opens", "kind", "extra"),
    [
        ("torch", "regold.engines.decode", open_engine, "transformers", "transformers"),
        ("sentence_transformers", "regold.engines.sentences", open_encoder, "sentence-transformers", "embed"),
    ],
)
def test_a_missing_extra_is_named_with_its_install_line(
    missing: str, module: str, opens: object, kind: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for loaded in [m for m in sys.modules if m in (module, f"regold.engines.{kind}", "regold.engines.transformers")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'regold\[{extra}\]'.*'\.\[{extra}\]'"):
        opens(EngineSpec(kind, "m"))  # type: ignore[operator]


def test_what_comes_together_goes_together_and_comes_back_to_its_asker() -> None:
    batches: list[list[str]] = []

    async def double(asked: Sequence[str]) -> list[str]:
        batches.append(list(asked))
        await asyncio.sleep(0.001)
        return [a * 2 for a in asked]

    async def work() -> None:
        gather: Gather[str, str] = Gather(double, 4, len)
        asked = ["x" * (i * 7 % 13 + 1) for i in range(10)]
        assert await asyncio.gather(*map(gather, asked)) == [a * 2 for a in asked]
        assert sorted(map(len, batches)) == [2, 4, 4]
        assert "x" in batches[0]
        assert await gather("later") == "laterlater"
        await gather.close()

    asyncio.run(work())


def test_a_failing_batch_fails_its_askers_and_no_others() -> None:
    async def picky(asked: Sequence[int]) -> list[int]:
        if 3 in asked:
            raise RequestFailed("three")
        return list(asked)

    async def work() -> None:
        gather: Gather[int, int] = Gather(picky, 2, lambda n: n)
        results = await asyncio.gather(*map(gather, range(6)), return_exceptions=True)
        assert [isinstance(r, RequestFailed) for r in results] == [False, False, True, True, False, False]
        cancelled = asyncio.create_task(gather(7))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert await gather(8) == 8

    asyncio.run(work())
