"""Processes that want the same answers at one moment pay for each once; a dead one's claims end with it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from regold.engines.claims import Claims
from regold.engines.journal import Journal

PROCESSES, REQUESTS = 2, 12
PAY = """
import asyncio, errno, fcntl, os, pathlib, sys, time
from regold.engines import Request, ScriptedEngine
from regold.engines.journal import Journal
from regold.engines.journaled import JournaledEngine
from regold.engines.scripted import Rule, Script
from regold.record import Message

folder, part, processes, requests = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
script = Script((Rule("", answer="yes", delay_s=0.2),), log=str(folder.parent / "asked.log"))

async def main():
    writer = Journal(folder, shared=True).writer(part)
    engine = JournaledEngine(ScriptedEngine(script), writer)
    (folder.parent / f"ready-{part}").touch()
    while len(list(folder.parent.glob("ready-*"))) < processes:
        time.sleep(0.01)
    if sys.argv[5] == "late" and part == "00001":
        while next(folder.glob("00000.*")).read_text().count("done") < requests:
            time.sleep(0.01)
    asked = [Request((Message("user", str(n % requests)),)) for n in range(2 * requests)]
    print(*{a.text for a in await asyncio.gather(*map(engine.generate, asked))})
    await writer.close()

def lockless(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

if sys.argv[5] == "lockless":
    fcntl.lockf = lockless
asyncio.run(main())
"""


def pay(folder: Path, how: str) -> Counter[str]:
    """Let processes ask the same requests at one moment; returns how often each was paid for."""
    words = [str(PROCESSES), str(REQUESTS), how]
    commands = [[sys.executable, "-c", PAY, str(folder / "calls"), f"{n:05d}", *words] for n in range(PROCESSES)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate()[0] for process in started] == ["yes\n"] * PROCESSES
    return Counter((folder / "asked.log").read_text().splitlines())


def test_processes_that_ask_the_same_at_one_moment_pay_once(tmp_path: Path) -> None:
    paid = pay(tmp_path, "locked")
    assert len(paid) == REQUESTS
    assert set(paid.values()) == {1}
    journal = Journal(tmp_path / "calls")
    journal.refresh()
    assert (journal.tally.answered, journal.tally.repeated, journal.tally.lost) == (REQUESTS, 0, 0)


def test_a_process_that_comes_late_finds_what_another_has_just_paid_for(tmp_path: Path) -> None:
    assert set(pay(tmp_path, "late").values()) == {1}


def test_where_there_are_no_locks_all_is_answered_all_the_same(tmp_path: Path) -> None:
    paid = pay(tmp_path, "lockless")
    assert len(paid) == REQUESTS
    assert max(paid.values()) > 1, "the other test could not fail"


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    hold = "import sys, pathlib; from regold.engines.claims import Claims\n"
    hold += "print(Claims(pathlib.Path(sys.argv[1])).take(b'12345678'), flush=True); sys.stdin.read()"
    claims, pipe = Claims(tmp_path / "claims"), subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", hold, str(claims.path)], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not claims.take(b"12345678")
        assert claims.take(b"another.")
        other.kill()
    assert claims.take(b"12345678")
    claims.give(b"12345678")
