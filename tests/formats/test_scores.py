from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regold.errors import InputError
from regold.formats.scores import join_scores, renamed, score_columns


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        path.write_text("id,s\n" + "".join(f"{r['id']},{r['s']}\n" for r in rows))
    else:
        path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


@pytest.mark.parametrize("name", ["s.jsonl", "s.csv", "s.parquet"])
def test_every_container_joins_alike(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, [{"id": 1, "s": 2.5}, {"id": 0, "s": 1.0}])
    assert join_scores(path, ["s"], ["0", "1"]).scores == {"0": [1.0], "1": [2.5]}


def test_all_that_does_not_fit_is_counted_and_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    lines = [
        {"id": "a", "s": 1},
        {"id": "a", "s": 1},
        {"id": "b", "s": 1},
        {"id": "b", "s": 2},
        {"id": "x", "s": 3},
        {"id": "", "s": 3},
        {"id": "c", "s": True},
        {"id": ["d"], "s": 1},
        {"id": "d"},
    ]
    path.write_text("".join(json.dumps(r) + "\n" for r in lines) + "{torn\n")
    found = join_scores(path, ["s"], list("abcde"))
    assert found.scores == {"a": [1.0], "c": [None], "d": [None]}
    counts = found.counts()
    assert (counts["rows"], counts["scored"], counts["without"]) == (10, 3, 2)
    assert (counts["unknown"], counts["repeated"], counts["contradicted"]) == (1, 1, 1)
    assert (counts["empty"], counts["bad"]) == (1, 4)
    assert "line 4: another score for 'b' than on an earlier line" in found.faults
    assert "3 records scored out of 10 rows" in found.told()


def test_nothing_that_fits_is_an_error(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.jsonl", [{"id": "q", "s": 1}])
    with pytest.raises(InputError, match="no row fits"):
        join_scores(path, ["s"], ["a"])
    with pytest.raises(InputError, match="no column 'score'"):
        join_scores(path, ["score"], ["a"])
    with pytest.raises(InputError, match="no column 'key'"):
        join_scores(path, ["s"], ["a"], key="key")


def test_columns_of_numbers_and_the_notes_they_become(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"id": 1, "s": 2, "t": "good", "rate.value": "3", "u": null, "w": NaN}\n'.replace("NaN", "1e999"))
    assert score_columns(path) == []
    path.write_text('{"id": 1, "s": 2, "t": "good", "rate.value": "3", "u": null}\n')
    assert score_columns(path) == ["s", "rate.value"]
    assert renamed(["s", "rate.value", "t"], {"t": "x.y"}) == {
        "s": "import.s",
        "rate.value": "rate.value",
        "t": "x.y",
    }
