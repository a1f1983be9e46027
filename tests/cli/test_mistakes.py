"""A mistake is answered by a line or two that say what to do: exit code 2, or 1 with the work kept; no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.told import assert_told, regold

ROW = {"id": "1", "question": "Which?", "options": ["a", "b"], "answer": "A"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({**ROW, "id": str(n)}) + "\n" for n in range(12)))
    return path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "selct.share=0.4"], "did you mean 'select'"),
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


@pytest.mark.parametrize("speed", ["1", "0,1", "1,-1,2", "1,2,3,4", "a,b"])
def test_a_speed_is_two_or_three_numbers(data: Path, speed: str) -> None:
    assert_told(regold("estimate", data, f"--speed={speed}"), 2, "two or three numbers")


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


def test_json_is_one_object_on_stdout(data: Path, tmp_path: Path) -> None:
    found = json.loads(regold("inspect", data, "--json").stdout)
    assert (found["format"], found["records"], found["rejected"]) == ("multiple-choice", 12, 0)
    expected = json.loads(
        regold("estimate", data, "--json", "--price", "1,2", "--speed", "9,1,5", "--records", 99).stdout
    )
    assert expected["records"] == 99
    assert expected["hours"] > expected["training"]["hours"] > 0
    assert expected["calls"] > 24
    assert expected["money"] > 0


def test_a_preference_pair_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": "a", "chosen": "b", "rejected": "c"}) + "\n")
    assert_told(regold("inspect", path), 0, "taken from the column chosen; rejected is kept as it is")
    path.write_text(json.dumps({"prompt": "a", "completion": "d", "chosen": "b", "rejected": "c"}) + "\n")
    assert "kept as it is" not in regold("inspect", path).output
    assert json.loads(regold("inspect", path, "--json").stdout)["response"] == "completion"


def test_a_file_without_a_record_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("not a record\nnor this\n")
    assert_told(
        regold("inspect", path), 2, "unknown: no record is readable", "no record that can be used; 2 lines rejected"
    )
    assert json.loads(regold("inspect", path, "--json").stdout)["rejected"] == 2


def test_the_formats_in_the_help_exist() -> None:
    from regold.formats import FORMATS

    told = " ".join(regold("inspect", "--help", env={"COLUMNS": "200"}).output.split())
    assert all(name in told for name in FORMATS)


def test_data_in_place_of_a_recipe(data: Path, tmp_path: Path) -> None:
    assert_told(regold("validate", data), 2, "this is data, not a recipe")
    listed = tmp_path / "data.json"
    listed.write_text(json.dumps([ROW]))
    assert_told(regold("validate", listed), 2, "this is data, not a recipe")


def test_what_a_sound_recipe_tells(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('[[step]]\nuse = "CheckText"\n')
    done = regold("validate", path)
    assert done.output.splitlines()[0] == "recipe r is sound."
    assert "checks=" not in done.output
    path.write_text('description = "x"\n' + path.read_text())
    assert_told(regold("validate", path), 2, "did you mean 'about'?")


def test_a_cell_that_is_no_number_is_named(data: Path, tmp_path: Path) -> None:
    scores = tmp_path / "s.csv"
    scores.write_text("id,s,who\n0,1,me\n1,abc,me\n2,3,me\n")
    assert_told(regold("import-scores", data, scores), 2, "line 3: the column s holds 'abc', no number")


def test_an_unknown_check(data: Path) -> None:
    assert_told(regold("audit", data, "--checks", "xyzzy"), 2, "is called 'xyzzy'. Families:")


def test_help_is_light() -> None:
    heavy = ("numpy", "pyarrow", "faiss", "sklearn", "aiohttp", "torch", "pydantic", "transformers", "asyncio", "rich")
    code = f"import sys, regold.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told() -> None:
    assert regold("--version").output == f"regold {version('regold')}\n"
