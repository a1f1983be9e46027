"""Every container reads the same records, and broken ones are refused with file, line and reason."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from regold.errors import InputError
from regold.formats import Reject, Row, blocks, read, write

GOOD = [{"instruction": f"Say {i}.", "input": "", "output": f"{i} ü\n\u2028"} for i in range(40)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in GOOD).encode()


def sources(path: Path, **how: Any) -> list[Any]:
    return [dict(row.source) if isinstance(row, Row) else row for row in read(path, **how)]


def file(tmp_path: Path, data: bytes | str, name: str = "data.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    "name",
    [f"data.{kind}{packed}" for kind in ("jsonl", "json", "csv", "tsv") for packed in ("", ".gz", ".zst")]
    + ["data.parquet"],
)
def test_every_container_reads_back_what_was_written(tmp_path: Path, name: str) -> None:
    assert write(tmp_path / name, GOOD) == len(GOOD)
    assert sources(tmp_path / name) == GOOD
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_compression_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    assert sources(file(tmp_path, gzip.compress(LINES))) == GOOD
    assert sources(file(tmp_path, LINES, "data.jsonl.gz")) == GOOD
    assert sources(file(tmp_path, gzip.compress(LINES[:700]) + gzip.compress(LINES[700:]))) == GOOD
    frames = zstandard.ZstdCompressor().compress(LINES[:700]) + zstandard.ZstdCompressor().compress(LINES[700:])
    assert sources(file(tmp_path, frames)) == GOOD


def test_a_mark_windows_newlines_and_no_last_newline_are_tolerated(tmp_path: Path) -> None:
    assert sources(file(tmp_path, b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\r\n").rstrip())) == GOOD


def test_json_lines_called_json_and_unknown_names_are_understood(tmp_path: Path) -> None:
    assert sources(file(tmp_path, LINES, "data.json")) == GOOD
    assert sources(file(tmp_path, LINES, "data.txt")) == GOOD
    assert sources(file(tmp_path, json.dumps(GOOD, indent=1), "data.txt")) == GOOD


def test_folders_of_data_sets(tmp_path: Path) -> None:
    write(tmp_path / "hub" / "data" / "train-00000-of-00002.parquet", GOOD[:30])
    write(tmp_path / "hub" / "data" / "train-00001-of-00002.parquet", GOOD[30:])
    write(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet", GOOD[:3])
    (tmp_path / "hub" / "README.md").write_text("# card")
    assert sources(tmp_path / "hub") == GOOD
    assert [row.id for row in read(tmp_path / "hub") if isinstance(row, Row)] == [str(i) for i in range(40)]


def test_saved_data_sets(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list(GOOD)
    data.save_to_disk(str(tmp_path / "one"), num_shards=3)
    assert sources(tmp_path / "one") == GOOD
    datasets.DatasetDict({"train": data, "test": data.select([0])}).save_to_disk(str(tmp_path / "splits"))
    assert sources(tmp_path / "splits") == GOOD
    assert sources(tmp_path / "splits" / "test") == GOOD[:1]


def test_columnar_values_become_json_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "prompt": ["a", "b"],
            "completion": ["c", "d"],
            "when": pa.array([0, None], pa.timestamp("s")),
            "score": [float("nan"), 0.5],
            "tags": [["x"], None],
        }
    )
    pq.write_table(table, tmp_path / "data.parquet")
    first, second = sources(tmp_path / "data.parquet")
    assert first == {
        "prompt": "a",
        "completion": "c",
        "when": "1970-01-01T00:00:00",
        "score": None,
        "tags": ["x"],
    }
    assert (second["when"], second["score"]) == (None, 0.5)


def test_binary_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt": ["a"], "completion": ["b"], "image": [b"x"]}), tmp_path / "data.parquet")
    [reject] = read(tmp_path / "data.parquet", on_bad_line="skip")
    assert isinstance(reject, Reject)
    assert "column image holds bytes" in reject.reason


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"prompt": "a", "compl', "it ends in the middle"),
        (b'{"prompt": "a", "completion": NaN}', "NaN is no JSON value"),
        (b'{"prompt": "a", "completion": -Infinity}', "-Infinity is no JSON value"),
        (b'{"prompt": "a", "completion": 1e999}', "too large"),
        (b'{"prompt": "a", "completion": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"prompt": "a"} {"prompt": "b"}', "something follows the record at character 17"),
        (b'{"prompt": "a", "completion": "\xe9t\xe9"}', "not UTF-8: byte 0xe9 at position 32 of the line"),
        (b'{"prompt": "a", "completion": "\\ud83d"}', "half of a character: \\ud83d"),
        (b'"text"', "a record must be a JSON object, found text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"null", "a record must be a JSON object, found null"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: bytes, words: str) -> None:
    good = b'{"prompt": "a", "completion": "b"}\n'
    path = file(tmp_path, good + line + b"\n" + good)
    one, bad, two = read(path, on_bad_line="skip")
    assert isinstance(one, Row)
    assert isinstance(two, Row)
    assert isinstance(bad, Reject)
    assert (bad.line, words in bad.reason) == (2, True), bad.reason
    assert len(bad.raw) <= 2000
    with pytest.raises(InputError, match=r"data\.jsonl:2: .*--on-bad-line skip"):
        list(read(path))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("data.jsonl", b"", "the file is empty"),
        ("data.jsonl", b"\n \n", "no records in it"),
        ("data.json", b"[]", "no records in it"),
        ("data.csv", b"prompt,completion\n", "no records in it"),
        ("data.jsonl", LINES.decode().encode("utf-16"), "UTF-16; save it as UTF-8"),
        ("data.jsonl", LINES.decode().encode("utf-16-le"), "UTF-16; save it as UTF-8"),
        ("data.jsonl", json.dumps(GOOD, indent=1).encode(), "name the file .json"),
        ("data.json", b'{"rows": [\n{"a": 1}]}', "take the list out of it"),
        ("data.json", b'{\n"rows": [1]}', "take the list out of it"),
        ("data.json", b'[{"prompt": "a", "completion": "b"},\n{"prompt": ', "json:2: not JSON: it ends in the middle"),
        ("data.json", b'[{"prompt": "a"}\n{"prompt": "b"}]', "json:1: the list is torn"),
        ("data.json", b'[{"prompt": "a", "completion": "b"}] []', "something follows the end"),
        ("data.json", b'[\n{"prompt": NaN}]', "json:2: not JSON: NaN"),
        ("data.json", b'[\n{"prompt": "\xe9"}]', "json:2: not UTF-8: byte 0xe9 at position 13"),
        ("data.jsonl.gz", gzip.compress(LINES)[:-20], "the gz data ends early"),
        ("data.jsonl.gz", gzip.compress(LINES)[:40] + b"x" * 90, "the gz data is damaged"),
        ("data.jsonl.zst", zstandard.ZstdCompressor().compress(LINES)[:-9], "the zst data ends early"),
        ("data.jsonl.zst", zstandard.ZstdCompressor().compress(LINES)[:8] + b"x" * 90, "the zst data is damaged"),
        ("data.parquet", b"PAR1 but torn", "not a readable parquet file"),
        ("data.arrow", b"ARROW1 but torn", "not a readable Arrow file"),
        ("data.csv", b"prompt,prompt\na,b\n", "the header has 'prompt' twice"),
        ("data.csv", b"prompt,\na,b\n", "a nameless column"),
        ("data.csv", b'prompt,completion\na,"b\nc,d\n', "csv:2: not a CSV row: unexpected end of data; is a quote"),
        ("data.csv", b"prompt,completion\na,\xff\n", "csv:2: not UTF-8"),
        ("data.xlsx", b"PK\x03\x04", "unknown kind of file; expected .jsonl"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    for how in ("stop", "skip"):
        with pytest.raises(InputError) as caught:
            list(read(file(tmp_path, data, name), on_bad_line=how))
        assert words in str(caught.value)
        assert name in str(caught.value)


def test_missing_files_and_folders_without_data(tmp_path: Path) -> None:
    file(tmp_path, LINES, "train.jsonl")
    with pytest.raises(InputError, match=r"did you mean .*train\.jsonl\?"):
        list(read(tmp_path / "trian.jsonl"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no data files in this folder"):
        list(read(tmp_path / "empty"))
    file(tmp_path / "empty", LINES, "dev.jsonl")
    file(tmp_path / "empty", LINES, "test.jsonl")
    with pytest.raises(InputError, match="several splits in this folder: dev, test"):
        list(read(tmp_path / "empty"))


def test_csv_rows_with_a_wrong_field_count_are_bad_lines(tmp_path: Path) -> None:
    path = file(tmp_path, 'prompt,completion\n"a\nb",c\nd\ne,f,g\n\nh,i\n', "data.csv")
    one, short, long, two = read(path, on_bad_line="skip")
    assert isinstance(one, Row)
    assert one.source == {"prompt": "a\nb", "completion": "c"}
    assert isinstance(short, Reject)
    assert (short.line, short.reason) == (4, "1 fields where the header has 2")
    assert isinstance(long, Reject)
    assert long.line == 5
    assert isinstance(two, Row)
    assert (two.line, two.id) == (7, "3")


@pytest.mark.parametrize(
    ("header", "name", "mine"),
    [(",Question,A,B,Answer", "index", "B"), (",index,instruction,output", "index_", "index")],
)
def test_a_nameless_first_column_is_an_index_and_survives(tmp_path: Path, header: str, name: str, mine: str) -> None:
    place = file(tmp_path, f"{header}\n" + ",".join(str(n) for n in range(7, 8 + header.count(","))) + "\n", "data.csv")
    (row,) = read(place)
    assert isinstance(row, Row)
    assert (next(iter(row.source)), row.source[name]) == (name, "7")
    assert row.source[mine] == str(7 + header.split(",").index(mine))


def test_conversations_in_csv_are_json_in_a_text(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    write(tmp_path / "data.csv", [{"conversations": turns}])
    [row] = read(tmp_path / "data.csv")
    assert isinstance(row, Row)
    assert (row.format, row.messages[-1].content) == ("sharegpt", "b")


def test_a_huge_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    good = b'{"prompt": "a", "completion": "b"}\n'
    path = tmp_path / "data.jsonl"
    with path.open("wb") as stream:
        stream.write(good + b'{"prompt": "')
        for _ in range(blocks.LINE_LIMIT // 2**20 + 40):
            stream.write(b"x" * 2**20)
        stream.write(b'"}\n' + good)
    tracemalloc.start()
    one, bad, two = read(path, on_bad_line="skip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(one, Row)
    assert isinstance(two, Row)
    assert isinstance(bad, Reject)
    assert (bad.line, two.line, bad.raw[:12]) == (2, 3, '{"prompt": "')
    assert "over 64 MiB long" in bad.reason
    assert peak < 1.2 * blocks.LINE_LIMIT


def test_memory_stays_flat_over_many_records(tmp_path: Path) -> None:
    row = {"prompt": "a" * 1000, "completion": "b" * 1000}
    for name in ("data.jsonl.gz", "data.parquet"):
        write(tmp_path / name, (row | {"n": i} for i in range(20_000)))
        tracemalloc.start()
        assert sum(1 for _ in read(tmp_path / name)) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12 * 2**20, name
