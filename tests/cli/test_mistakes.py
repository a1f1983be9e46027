"""A mistake is answered by a line or two that say what to do: exit code 2, or 1 with the work kept; no traceback."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from regold.cli import app
from tests.server import Running, running

ROW = {"id": "1", "question": "Which?", "options": ["a", "b"], "answer": "A"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({**ROW, "id": str(n)}) + "\n" for n in range(12)))
    return path


def regold(*words: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words], env={"OPENAI_API_KEY": "sk-secret", **(env or {})})


def assert_told(done: Result, code: int, *says: str) -> None:
    text = done.output
    assert done.exit_code == code, text
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in text
    assert "sk-secret" not in text
    for words in says:
        assert words in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ["empty"]),
        (b"\xff\xfe{\x00}\x00", ["UTF-16"]),
        (b'{"instruction": "caf\xe9", "output": "x"}\n', ["data.jsonl:1"]),
        (b'{"instruction": "a", "output": "b"\n', ["data.jsonl:1", "not JSON"]),
        (b'{"a": 1}\n', ["data.jsonl"]),
        (b'{"id": 1, "instruction": "a", "output": "b"}\n' * 2, ["data.jsonl:2", "1"]),
        (b'{"instruction": "only a question"}\n', ["data.jsonl"]),
        (b"[1, 2", ["data.jsonl"]),
    ],
    ids=["empty", "utf-16", "latin-1", "torn", "unknown columns", "duplicate ids", "no response", "not records"],
)
def test_bad_data(tmp_path: Path, content: bytes, says: list[str]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    done = regold("repair", path, "--model", "scripted:", "--into", tmp_path / "run")
    assert_told(done, 2, "error:", *says)


def test_a_folder_without_data_and_a_missing_file(tmp_path: Path) -> None:
    assert_told(regold("inspect", tmp_path), 2, "error:")
    assert_told(regold("inspect", tmp_path / "data.jsnl"), 2, "no such file")
    assert_told(regold("show", tmp_path), 2, "not a run directory")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "selct.share=0.4"], "did you mean 'select'"),
        (["--recipe", "robustf"], "did you mean 'robustft'"),
        (["--prompts", "nowhere"], "no prompt set"),
        (["--turns", "some"], "give one of last, all"),
        (["--executor", "spark"], "give one of local, ray"),
        (["--format", "alpacca"], "alpaca"),
        (["--response-column", "answr"], "answr"),
    ],
)
def test_bad_options(data: Path, tmp_path: Path, words: list[str], says: str) -> None:
    done = regold("repair", data, "--model", "scripted:", "--into", tmp_path / "run", *words)
    assert_told(done, 2, "error:", says)


def test_the_data_is_never_written_over(data: Path) -> None:
    before = data.read_bytes()
    assert_told(regold("corrupt", data, "--out", data, "--rate", 0.5), 2, "the file that is read")
    assert data.read_bytes() == before


@pytest.mark.parametrize("price", ["1,nan", "inf,1", "-1,2", "1", "1,2,3", "a,b"])
def test_a_price_is_two_numbers(data: Path, price: str) -> None:
    assert_told(regold("estimate", data, f"--price={price}"), 2, "write two numbers")


def test_an_id_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"instruction": "a", "output": "b", "id": "x\x1b[2J"}) + "\n")
    path.write_text(path.read_text() * 2)
    done = regold("inspect", path)
    assert "\x1b" not in done.output
    done = regold("repair", path, "--model", "scripted:", "--into", tmp_path / "run")
    assert_told(done, 2, "data.jsonl:2")
    assert "\x1b" not in done.output


def test_no_model(data: Path) -> None:
    assert_told(regold("repair", data), 2, "which model?", "--base-url")


def test_an_unreachable_server_stops_and_keeps_the_work(data: Path, tmp_path: Path) -> None:
    done = regold("repair", data, "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--into", tmp_path / "run")
    assert_told(done, 1, "stopped:", "127.0.0.1:9", "the same command resumes")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("401", "key"),
        ("402", "credits"),
        ("quota", "quota"),
        ("html", "Router login"),
        ("no_logprobs", "log-probabilities"),
    ],
)
def test_a_server_that_cannot_serve_this(data: Path, tmp_path: Path, server: Running, fault: str, says: str) -> None:
    server.control(faults=[{"kind": fault, "times": 10_000}])
    done = regold("repair", data, "--model", "tiny", "--base-url", server.url, "--into", tmp_path / "run")
    server.control(faults=[])
    assert_told(done, 1, "stopped:", says)


def test_a_model_that_is_not_served(data: Path, tmp_path: Path, server: Running) -> None:
    done = regold("repair", data, "--model", "tyni", "--base-url", server.url, "--into", tmp_path / "run")
    assert_told(done, 1, "stopped:", "tyni", "tiny")


def test_a_full_disk_stops_with_the_work_kept(data: Path, tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))

    command = [sys.executable, "-c", "from regold.cli import main; main()", "repair", str(data)]
    command += ["--model", "scripted:", "--into", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "free some space" in done.stderr


def test_json_is_one_object_on_stdout(data: Path, tmp_path: Path) -> None:
    found = json.loads(regold("inspect", data, "--json").stdout)
    assert (found["format"], found["records"], found["rejected"]) == ("multiple-choice", 12, 0)
    expected = json.loads(regold("estimate", data, "--json", "--price", "1,2").stdout)
    assert expected["calls"] > 24
    assert expected["money"] > 0


def test_help_is_light() -> None:
    heavy = ("numpy", "pyarrow", "faiss", "sklearn", "aiohttp", "torch", "pydantic", "transformers")
    code = f"import sys, regold.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
