from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from regold.cli import app


def _files(folder: Path) -> tuple[Path, Path]:
    data, scores = folder / "data.jsonl", folder / "scores.csv"
    data.write_text("".join(json.dumps({"instruction": f"q{n}", "output": f"a{n}"}) + "\n" for n in range(3)))
    scores.write_text("id,llama\n0,3\n2,5\n7,1\n")
    return data, scores


def test_import_scores_tells_what_fits_and_writes_the_join(tmp_path: Path) -> None:
    data, scores = _files(tmp_path)
    out = tmp_path / "joined.jsonl"
    told = ["import-scores", str(data), str(scores), "--column", "llama=rate.value", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, told)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["records"], found["scored"], found["unknown"], found["without"]) == (3, 2, 1, 1)
    assert [json.loads(line)["rate.value"] for line in out.read_text().splitlines()] == [3.0, None, 5.0]


def test_mistakes_are_told(tmp_path: Path) -> None:
    data, scores = _files(tmp_path)
    for words, says in (
        ([str(scores), "--column", "lama"], "did you mean llama"),
        ([str(tmp_path / "none.csv")], "no such file"),
        ([str(scores), "--by", "name"], "--by 'name'"),
        ([str(scores), "--out", str(scores)], "is the file that is read"),
    ):
        done = CliRunner().invoke(app, ["import-scores", str(data), *words])
        assert done.exit_code == 2, done.output
        assert says in done.output


def test_a_run_takes_imported_ratings_without_any_model(tmp_path: Path) -> None:
    data, scores = _files(tmp_path)
    into = tmp_path / "run"
    words = ["run", "rate", str(data), "--import", str(scores), "--column", "llama=rate.value", "--into", str(into)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    shown = CliRunner().invoke(app, ["show", str(into), "2"]).output
    assert "rate.value 5" in shown
