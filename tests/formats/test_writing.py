"""Files appear whole or not at all, and every container holds what it can."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from regold.errors import DiskFull, InputError
from regold.formats import write, writing


def table(tmp_path: Path, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    write(tmp_path / "data.parquet", rows)
    found: list[dict[str, Any]] = pq.read_table(tmp_path / "data.parquet").to_pylist()
    return found


def test_a_failure_midway_leaves_the_old_file(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"a": 1}
        raise KeyError("stop")

    for name in ("data.jsonl", "data.json.gz", "data.csv", "data.jsonl.zst", "data.parquet"):
        write(tmp_path / name, [{"a": "old"}])
        before = (tmp_path / name).read_bytes()
        with pytest.raises(KeyError):
            write(tmp_path / name, broken())
        assert (tmp_path / name).read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 5


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    def full() -> Iterator[dict[str, Any]]:
        yield {"a": 1}
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="no room left"):
        write(tmp_path / "data.jsonl", full())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["jsonl", "json.gz", "csv", "parquet"])
def test_two_files_written_in_one_pass_hold_what_each_would_alone(tmp_path: Path, suffix: str) -> None:
    odd, even = [{"n": n, "t": "x"} for n in (1, 3, 5)], [{"n": n} for n in (0, 2, 4)]
    write(tmp_path / f"odd.{suffix}", odd)
    write(tmp_path / f"even.{suffix}", even)
    with writing(tmp_path / f"a.{suffix}") as add_odd, writing(tmp_path / f"b.{suffix}") as add_even:
        for one, other in zip(odd, even, strict=True):
            add_even(other)
            add_odd(one)
    for made, alone in (("a", "odd"), ("b", "even")):
        assert (tmp_path / f"{made}.{suffix}").read_bytes() == (tmp_path / f"{alone}.{suffix}").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_of_two_files_the_one_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open
    full = lambda p, *how: real(Path("/dev/full") if "roomless" in p.name else p, *how)  # noqa: E731
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DiskFull, match=r"roomless\.jsonl"):
        with writing(tmp_path / "roomless.jsonl") as add, writing(tmp_path / "b.jsonl"):
            for n in range(20_000):
                add({"n": n})
    assert not list(tmp_path.iterdir())


def test_unknown_kinds_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected \.jsonl"):
        write(tmp_path / "data.txt", [])
    (tmp_path / "data.jsonl").mkdir()
    with pytest.raises(InputError, match="this is a folder"):
        write(tmp_path / "data.jsonl", [])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "file" / "data.jsonl", [])


def test_bytes_depend_on_the_rows_alone(tmp_path: Path) -> None:
    for name in ("data.jsonl.gz", "data.jsonl.zst", "data.parquet"):
        digests = set()
        for folder in ("a", "b"):
            write(tmp_path / folder / name, [{"text": "ü", "n": 1}])
            digests.add(hashlib.sha256((tmp_path / folder / name).read_bytes()).hexdigest())
        assert len(digests) == 1


def test_no_rows_make_an_empty_file(tmp_path: Path) -> None:
    assert [write(tmp_path / f"data.{kind}", []) for kind in ("jsonl", "json", "csv", "parquet")] == [0, 0, 0, 0]
    assert json.loads((tmp_path / "data.json").read_text()) == []


def test_csv_has_every_column_and_json_for_what_is_no_text(tmp_path: Path) -> None:
    write(tmp_path / "data.csv", [{"a": "x,\n", "b": None}, {"a": "y", "c": [1, "ü"]}])
    assert (tmp_path / "data.csv").read_text() == 'a,b,c\n"x,\n",,\ny,,"[1, ""ü""]"\n'


def test_parquet_unites_columns_and_nested_keys(tmp_path: Path) -> None:
    rows = table(tmp_path, {"a": "x", "t": [{"role": "u"}]}, {"b": 1, "t": [{"role": "v", "calls": ["c"]}]})
    assert rows == [
        {"a": "x", "b": None, "t": [{"role": "u", "calls": None}]},
        {"a": None, "b": 1, "t": [{"role": "v", "calls": ["c"]}]},
    ]


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        (1, "x", ["1", "x"]),
        ({"k": 1}, [1], ['{"k": 1}', "[1]"]),
        ({}, None, ["{}", None]),
        ([{"deep": {}}], None, ['[{"deep": {}}]', None]),
        (2**70, 1, [str(2**70), "1"]),
        (2**60 + 1, 0.5, [str(2**60 + 1), "0.5"]),
        (None, None, [None, None]),
        (True, 2, ["true", "2"]),
    ],
)
@pytest.mark.parametrize("between", [0, 5000])
def test_parquet_columns_that_disagree_become_text(
    tmp_path: Path, first: Any, last: Any, texts: list[Any], between: int
) -> None:
    rows = table(tmp_path, {"a": first}, *({"a": None} for _ in range(between)), {"a": last})
    assert [rows[0]["a"], rows[-1]["a"]] == texts


def test_parquet_numbers_of_both_kinds_stay_numbers(tmp_path: Path) -> None:
    rows = table(tmp_path, {"a": 1}, *({"a": None} for _ in range(5000)), {"a": 0.5})
    assert [rows[0]["a"], rows[-1]["a"]] == [1, 0.5]
