"""Where room ends, a run stops without a traceback and keeps what it has; with room again it ends in the same bytes."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.told import assert_told, regold

RECORDS = 16


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    row = {"options": ["amber", "beryl"], "answer": "A"}
    path.write_text(
        "".join(json.dumps({"id": str(n), "question": f"Which, {n}?", **row}) + "\n" for n in range(RECORDS))
    )
    return path


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def command(data: Path, folder: Path, script: Path) -> list[object]:
    out = ["--out", folder / "gold.jsonl", "--into", folder / "run"]
    return ["repair", data, "--model", f"scripted:{script}", *out]


def outcome(folder: Path) -> dict[str, bytes]:
    """Return the bytes that a finished run leaves, without its journal: there the order of answers may differ."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name not in ("lock", "manifest.json")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if "calls" not in p.parts}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"log": str(tmp_path / "asked.log")}))
    return path


def test_small_files_stop_a_run_at_every_step_and_it_goes_on(data: Path, tmp_path: Path, script: Path) -> None:
    whole = tmp_path / "whole"
    assert_told(regold(*command(data, whole, script)), 0)
    calls = len((tmp_path / "asked.log").read_text().splitlines())
    largest = max(map(len, outcome(whole).values()))
    broken, stops = tmp_path / "broken", set()
    (tmp_path / "asked.log").unlink()
    for size in (200, 900, 2500, 4000, 5500, 8000, largest // 2, largest - 1):
        with files_no_larger_than(size):
            done = regold(*command(data, broken, script))
        if done.exit_code == 0:
            break
        assert_told(done, 1, "stopped:", "free some space", "the same command resumes")
        stops.add(done.output.split("stopped: ")[1].split(":")[0])
    assert_told(regold(*command(data, broken, script)), 0)
    assert len(stops) >= 3
    assert outcome(broken) == outcome(whole)
    again = len((tmp_path / "asked.log").read_text().splitlines()) - calls
    sys.stdout.write(f"disk: files too large at {len(stops)} places | no room left to write | 1; asked again {again}\n")


@pytest.mark.slow
def test_a_full_file_system_stops_a_run_and_it_goes_on(data: Path, tmp_path: Path, script: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system of a few pages")
    try:
        assert_told(regold(*command(data, tmp_path / "whole", script)), 0)
        stops = []
        for pages in (2, 6, 12, 24, 36, 48, 64, 96, 128, 192, 256, 384):
            resized = ["mount", "-o", f"remount,size={4 * pages}k", str(small)]
            subprocess.run(resized, check=True)
            done = regold(*command(data, small, script))
            if done.exit_code == 0:
                break
            assert_told(done, 1, "stopped:", "free some space", "the same command resumes")
            stops.append(done.output)
        assert_told(done, 0)
        assert len(stops) > 3
        assert outcome(small) == outcome(tmp_path / "whole")
        sys.stdout.write(f"disk: full {len(stops)} times | {' '.join(stops[-1].split())} | 1\n")
    finally:
        subprocess.run(["umount", str(small)], check=True)
