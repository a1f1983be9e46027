"""Records of text files, one at a time: JSON lines, a JSON array, comma- or tab-separated values."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import regold.formats.blocks as blocks
from regold.errors import InputError
from regold.formats.blocks import LINE_LIMIT, Line
from regold.formats.rows import RAW_LIMIT, BadRow
from regold.formats.values import DECODER, check_text, explain, kind, parse

_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a container before its format is understood; a refused one has a `fault` and its `raw` start."""

    line: int
    value: dict[str, Any] | None
    fault: str = ""
    raw: str = ""
    item: int = 0
    """The 1-based place in a JSON list, where many records may stand on one line; 0 elsewhere."""

    @property
    def where(self) -> str:
        """Return ` (item 3 of the list)` for an element of a list, else nothing."""
        return f" (item {self.item} of the list)" if self.item else ""


def json_lines(path: Path) -> Iterator[Entry]:
    """Yield one entry a line; blank lines are passed over. Raises InputError where the file is one JSON list."""
    first = True
    for line in blocks.lines(path):
        if not line.raw.strip():
            continue
        if first and line.raw.lstrip().startswith(b"["):
            raise InputError("a JSON list, not one record a line; name the file .json", path, line.number)
        first = False
        yield _entry(line)


def _entry(line: Line) -> Entry:
    try:
        return Entry(line.number, _object(parse(blocks.text(line))))
    except BadRow as error:
        return Entry(line.number, None, str(error), line.raw[:RAW_LIMIT].decode(errors="replace"))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRow(f"a record must be a JSON object, found {kind(value)}")
    return value


def json_array(path: Path) -> Iterator[Entry]:
    """Yield the elements of a JSON array, or of JSON lines in a file called .json.

    Holds the text, but only one element, in memory. Raises InputError where the array itself is broken: what follows
    a fault cannot be told apart any more.
    """
    if next(blocks.blocks(path), b"").lstrip().startswith(b"{"):
        if next(json_lines(path)).fault:
            raise InputError("one JSON object, expected a list of records; take the list out of it", path)
        yield from json_lines(path)
    else:
        yield from _elements(_whole(path), path)


def _whole(path: Path) -> str:
    data = b"".join(blocks.blocks(path))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise InputError(blocks.not_utf8(data[error.start], column), path, at) from None


def _elements(text: str, path: Path) -> Iterator[Entry]:
    place, line = _skip(text, 0), 1
    if text[place : place + 1] != "[":
        raise InputError("expected a JSON list of records", path, 1)
    counted, mark = 0, "["
    for item in count(1):
        start = _skip(text, place + 1)
        line, counted = line + text.count("\n", counted, start), start
        if mark == "[" and text[start : start + 1] == "]":
            break
        value, end = _element(text, start, path, line)
        yield _checked(value, text[start:end], line, item)
        place = _skip(text, end)
        mark = text[place : place + 1]
        if mark == "]":
            start = place
            break
        if mark != ",":
            raise InputError(f"the list is torn: expected a comma or ] after item {item}", path, line)
    if _skip(text, start + 1) < len(text):
        raise InputError("something follows the end of the list", path, line)


def _element(text: str, start: int, path: Path, line: int) -> tuple[Any, int]:
    try:
        return DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {explain(error)}", path, text.count("\n", 0, error.pos) + 1) from None
    except RecursionError:
        raise InputError("nested too deeply", path, line) from None
    except ValueError as error:
        raise InputError(f"not JSON: {error}", path, line) from None


def _checked(value: Any, raw: str, line: int, item: int) -> Entry:
    try:
        check_text(value, raw)
        return Entry(line, _object(value), item=item)
    except BadRow as error:
        return Entry(line, None, str(error), raw[:RAW_LIMIT], item)


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place


def separated(path: Path, delimiter: str) -> Iterator[Entry]:
    """Yield the rows below a header line; every value is text. A nameless first column is called `index`.

    Raises InputError for a broken header or quoting.
    """
    csv.field_size_limit(LINE_LIMIT)  # the library's limit is one for the process, and 128 KiB by default
    reader = csv.reader(_csv_lines(path), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"not a CSV row: {error}; is a quote left open?", path, line) from None
        if not values:
            continue
        if header:
            yield _row(header, values, line)
        else:
            header = _header(values, path, line)


def _csv_lines(path: Path) -> Iterator[str]:
    for line in blocks.lines(path):
        try:
            yield blocks.text(line) + "\n"
        except BadRow as error:
            raise InputError(str(error), path, line.number) from None


def _header(names: list[str], path: Path, line: int) -> list[str]:
    if len(names) > 1 and names[0] == "":  # as pandas writes the index of a table
        names = [_free("index", names), *names[1:]]
    if "" in names:
        raise InputError("the header has a nameless column", path, line)
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise InputError(f"the header has {twice[0]!r} twice", path, line)
    return names


def _free(name: str, taken: list[str]) -> str:
    return _free(f"{name}_", taken) if name in taken else name


def _row(header: list[str], values: list[str], line: int) -> Entry:
    if len(values) != len(header):
        fault = f"{len(values)} fields where the header has {len(header)}"
        return Entry(line, None, fault, ",".join(values)[:RAW_LIMIT])
    return Entry(line, dict(zip(header, values, strict=True)))
