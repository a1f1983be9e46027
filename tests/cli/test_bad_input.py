"""Every bad input that issue trackers are full of: a line or two say what, where and what to do; no traceback."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.told import assert_told, regold
from tests.server import Running, running

ROW = {"id": "1", "question": "Which?", "options": ["a", "b"], "answer": "A"}
GOOD = "".join(json.dumps({**ROW, "id": str(n)}) + "\n" for n in range(12))
RECIPE = '[leftover]\nSUSPECT = "DROPPED"\n[[step]]\nuse = "DropDuplicates"\n[[step]]\nuse = "AnswerDirectly"\n'
FILES: dict[str, tuple[str, bytes, list[str]]] = {
    "empty file": ("data.jsonl", b"", ["empty"]),
    "blank lines only": ("data.jsonl", b"\n  \n\n", ["no records"]),
    "UTF-16": ("data.jsonl", "\ufeffé".encode("utf-16"), ["UTF-16"]),
    "latin-1": ("data.jsonl", b'{"instruction": "caf\xe9", "output": "x"}\n', ["data.jsonl:1", "UTF-8"]),
    "latin-1 csv": ("data.csv", b"instruction,output\ncaf\xe9,x\n", ["data.csv:2", "UTF-8"]),
    "latin-1 json": ("data.json", b'[{"instruction": "a",\n"output": "\xe9"}]', ["data.json:2", "UTF-8"]),
    "a picture": ("data.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(200), ["data.jsonl:1"]),
    "torn parquet": ("data.parquet", b"PAR1 torn", ["data.parquet", "not a readable parquet file"]),
    "torn gzip": ("data.jsonl.gz", gzip.compress(GOOD.encode())[:60], ["data.jsonl.gz", "ends early"]),
    "unknown kind of file": ("data.zip", b"PK\x03\x04" + bytes(90), ["data.zip"]),
    "torn line": ("data.jsonl", GOOD.encode() + b'{"id": "9", "que', ["data.jsonl:13", "ends in the middle"]),
    "duplicate id": ("data.jsonl", GOOD.encode() + GOOD.encode()[:80], ["data.jsonl:13", "'0'", "line 1"]),
    "unknown columns": ("data.jsonl", b'{"a": 1}\n', ["data.jsonl", "columns a.", "Expected one of"]),
    "no response": ("data.jsonl", b'{"instruction": "q"}\n', ["data.jsonl:1", "no response", "only instruction"]),
    "too few cells": ("data.csv", b"instruction,output\na,b\nc\n", ["data.csv:3", "1 fields"]),
    "open quote": ("data.csv", b'instruction,output\n"a,b\n', ["data.csv:2", "quote"]),
    "no records": ("data.json", b"[1, 2", ["data.json:1", "torn"]),
    "a number": ("data.jsonl", b"3\n", ["data.jsonl:1", "object"]),
}
RECIPES = {
    "stage typo": ("AnswerDirectly", "AnswerDirecly", "did you mean 'AnswerDirectly'"),
    "table typo": ("[[step]]", "[[stpe]]", "did you mean 'step'"),
    "status typo": ("SUSPECT", "SUSPCT", "did you mean 'SUSPECT'"),
    "fate typo": ("DROPPED", "DROPED", "did you mean 'DROPPED'"),
    "setting typo": ('"AnswerDirectly"', '"ReasonAndReflect"\nround = 1', "did you mean 'rounds'"),
    "wrong type": ('"AnswerDirectly"', '"ReasonAndReflect"\nrounds = "two"', "rounds"),
    "not TOML": ('use = "AnswerDirectly"', "use = AnswerDirectly", "recipe.toml"),
    "reads what nothing writes": ('"AnswerDirectly"', '"JudgeAgreement"', "no earlier step"),
}
GIGABYTE = 2**30
MEMORY_MIB = 700
"""What a run may take at most; about 200 of it is Python with its libraries."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("tried", FILES)
def test_a_file_that_cannot_be_used(tmp_path: Path, tried: str) -> None:
    name, content, says = FILES[tried]
    path = tmp_path / name
    path.write_bytes(content)
    done = regold("repair", path, "--model", "scripted:", "--into", tmp_path / "run")
    assert_told(done, 2, "error:", *says, tried=tried)
    assert not (tmp_path / "run" / "calls").exists()


def test_a_directory(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert_told(regold("repair", empty, "--model", "scripted:"), 2, "empty", tried="empty directory")
    (tmp_path / "notes.md").write_text("no data")
    assert_told(regold("repair", tmp_path, "--model", "scripted:"), 2, ".jsonl", tried="directory without data")
    assert_told(regold("inspect", tmp_path / "data.jsnl"), 2, "no such file", tried="missing file")
    assert_told(regold("show", tmp_path), 2, "not a run directory", tried="no run directory")


def test_a_directory_in_place_of_the_output(data: Path, tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").mkdir()
    done = regold("repair", data, "--model", "scripted:", "--out", tmp_path / "gold.jsonl", "--into", tmp_path / "run")
    assert_told(done, 2, "this is a folder", tried="--out is a directory")


@pytest.mark.parametrize("tried", RECIPES)
def test_a_recipe_with_a_fault(data: Path, tmp_path: Path, tried: str) -> None:
    right, wrong, says = RECIPES[tried]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.replace(right, wrong))
    done = regold("repair", data, "--recipe", recipe, "--model", "scripted:", "--into", tmp_path / "run")
    assert_told(done, 2, "error:", says, tried=f"recipe: {tried}")
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_does_not_exist(data: Path) -> None:
    done = regold("repair", data, "--recipe", "robustf", "--model", "scripted:")
    assert_told(done, 2, "did you mean 'robustft'", tried="recipe: no such name")


def test_an_unreachable_server_stops_and_keeps_the_work(data: Path, tmp_path: Path) -> None:
    done = regold("repair", data, "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--into", tmp_path / "run")
    assert_told(done, 1, "stopped:", "127.0.0.1:9", "the same command resumes", tried="server: unreachable")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("401", ["key", "OPENAI_API_KEY"]),
        ("402", ["credits"]),
        ("quota", ["quota"]),
        ("html", ["Router login"]),
        ("torn", ["something else than JSON", "The ans"]),
        ("nonsense", ["no chat completion", "hello"]),
        ("redirect", ["/login"]),
        ("no_logprobs", ["log-probabilities"]),
    ],
)
def test_a_server_that_cannot_serve_this(
    data: Path, tmp_path: Path, server: Running, fault: str, says: list[str]
) -> None:
    server.control(faults=[{"kind": fault, "times": 10_000}])
    done = regold("repair", data, "--model", "tiny", "--base-url", server.url, "--into", tmp_path / "run")
    server.control(faults=[])
    assert_told(done, 1, "stopped:", *says, tried=f"server: {fault}")


def test_a_model_that_is_not_served(data: Path, tmp_path: Path, server: Running) -> None:
    done = regold("repair", data, "--model", "tyni", "--base-url", server.url, "--into", tmp_path / "run")
    assert_told(done, 1, "stopped:", "tyni", "tiny", tried="server: another model")


def _plain(path: Path) -> None:
    with path.open("wb") as stream:
        _gigabyte(stream.write)


def _packed(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=1) as stream:
        _gigabyte(stream.write)


def _gigabyte(write: Callable[[bytes], object]) -> None:
    """Write two good lines, one of a gigabyte, and a good one."""
    first, second, last = GOOD.encode().splitlines(keepends=True)[:3]
    write(first + second + b'{"id": "long", "question": "')
    for _ in range(GIGABYTE // 2**20):
        write(b"a" * 2**20)
    write(b'", "options": ["a", "b"], "answer": "A"}\n' + last)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "made"), [("data.jsonl", _plain), ("data.jsonl.gz", _packed)])
def test_a_line_of_a_gigabyte_is_named_and_never_held(tmp_path: Path, name: str, made: Callable[[Path], None]) -> None:
    path = tmp_path / name
    made(path)
    command = [sys.executable, "-m", "regold", "repair", str(path), "--model", "scripted:"]
    command += ["--into", str(tmp_path / "run")]
    stopped = subprocess.run(command, capture_output=True, text=True, check=False)
    assert stopped.returncode == 2, stopped.stderr
    assert f"{name}:3" in stopped.stderr
    with subprocess.Popen([*command, "--on-bad-line", "skip"], stdout=subprocess.DEVNULL) as skipped:
        _, status, used = os.wait4(skipped.pid, 0)  # of this process alone, whatever ran before it
        skipped.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss // 1024
    sys.stdout.write(f"a line of 1 GiB in {name} | {' '.join(stopped.stderr.split())} | 2; peak {peak} MiB\n")
    path.unlink()
    assert skipped.returncode == 0
    rejected = (tmp_path / "run" / "train.rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in rejected] == [3]
    assert peak < MEMORY_MIB
