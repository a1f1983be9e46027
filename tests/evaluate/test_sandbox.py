"""The sandbox: programs that try to get out, and programs that only want to run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import regold.evaluate.sandbox as sandbox
from regold.evaluate.sandbox import Limits, NoSandbox, check_sandbox, run_program


@pytest.fixture(autouse=True)
def _there() -> None:
    try:
        check_sandbox()
    except NoSandbox as error:
        pytest.skip(str(error))


def refused(act: str) -> str:
    """Return a program that passes only if an act is refused by the system."""
    return (
        f"import os, socket, ctypes, subprocess\ntry:\n    {act}\nexcept OSError:\n    pass\nelse:\n    assert False\n"
    )


def test_a_good_program_passes_and_a_bad_one_does_not() -> None:
    good = "import re, math, collections, heapq, typing\ndef f(x):\n    return x + 1\nassert f(1) == 2"
    assert run_program(good).passed
    for bad, how in (
        ("assert False", "raised"),
        ("def f(:", "raised"),
        ("import sys; sys.exit(0)", "left early"),
        ("import os; os._exit(0)", "killed"),
        ("raise KeyboardInterrupt", "raised"),
    ):
        assert run_program(bad).how == how, bad


def test_nothing_outside_can_be_written(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    for act in (
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"open({str(kept)!r}, 'a')",
        f"os.remove({str(kept)!r})",
        f"os.chmod({str(kept)!r}, 0o777)",
        f"os.symlink('/', {str(tmp_path / 'link')!r})",
        "open('/dev/shm/x', 'w')",
        "open('/dev/sda', 'rb')",
        "os.listdir('/proc/1')",
    ):
        assert run_program(refused(act)).passed, act
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]
    assert kept.read_text() == "mine"
    assert run_program("open('here', 'w').write('x'); assert open('here').read() == 'x'").passed


def test_no_socket_no_process_and_no_way_back() -> None:
    for act in (
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.create_connection(('127.0.0.1', 80))",
        "os.fork()",
        "subprocess.run(['true'])",
        "os.execv('/bin/true', ['true'])",
        "os.kill(1, 9)",
    ):
        assert run_program(refused(act)).passed, act
    remount = "libc = ctypes.CDLL(None)\nassert libc.mount(b'none', b'/', None, 4096 | 32, None) == -1\n"
    again = "assert libc.unshare(0x10000000) == -1\nassert libc.syscall(442, -100, b'/', 0, b'', 0) == -1\n"
    assert run_program(f"import ctypes\n{remount}{again}").passed


def test_time_memory_and_files_are_bounded() -> None:
    began = time.monotonic()
    endless = "import signal\nfor s in (1, 2, 14, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass"
    assert run_program(endless, Limits(seconds=1)).how == "time limit"
    assert run_program("import time; time.sleep(60)", Limits(seconds=1)).how == "time limit"
    assert time.monotonic() - began < 8
    assert run_program("x = [0] * 10**9", Limits(memory_mb=256)).how == "raised"
    assert run_program(refused("open('a', 'wb').write(bytes(20 << 20))"), Limits(files_mb=4)).how != "raised"
    many = "for i in range(9): open(str(i), 'wb').write(bytes(1 << 20))"
    assert run_program(refused(many), Limits(files_mb=4)).passed
    assert run_program("print('x' * 10**7)").passed


def test_nothing_goes_on_after_the_time_limit(tmp_path: Path) -> None:
    def jailed() -> set[str]:
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b"jail.py" in (process / "cmdline").read_bytes():
                    found.add(process.name)
            except OSError:
                continue
        return found

    before = jailed()
    run_program("import time\ntime.sleep(100)", Limits(seconds=1))
    for _ in range(50):  # the kernel ends a killed process a moment later
        if jailed() <= before:
            break
        time.sleep(0.1)
    assert jailed() <= before


def test_no_secret_of_the_environment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert run_program("import os; assert 'OPENAI_API_KEY' not in os.environ").passed


def test_where_there_is_no_sandbox_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    check_sandbox.cache_clear()
    try:
        monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
        with pytest.raises(NoSandbox, match="unshare"):
            run_program(f"open({str(mark)!r}, 'w')")
        monkeypatch.undo()
        check_sandbox.cache_clear()
        # A jail that does not hold is found out by the probe.
        loose = tmp_path / "loose.py"
        loose.write_text("import os, sys\nexec(sys.stdin.read())\nos._exit(42)\n")
        monkeypatch.setattr(sandbox, "JAIL", loose)
        with pytest.raises(NoSandbox, match="no sandbox here"):
            run_program(f"open({str(mark)!r}, 'w')")
    finally:
        check_sandbox.cache_clear()
    assert not mark.exists()


def test_the_jail_alone_refuses_to_run_a_program_unconfined(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("a superuser could confine this very process")
    done = subprocess.run(
        [sys.executable, "-I", str(sandbox.JAIL), str(tmp_path), "5", "512", "4"],
        input=b"open('ran', 'w')",
        cwd=tmp_path,
        timeout=30,
        check=False,
    )
    assert done.returncode == sandbox.UNJAILED
    assert not (tmp_path / "ran").exists()
