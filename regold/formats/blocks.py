"""Bytes and lines of a plain, gzip or zstandard file, in bounded memory."""

from __future__ import annotations

import difflib
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from regold.errors import InputError
from regold.formats.rows import RAW_LIMIT, BadRow

LINE_LIMIT = 64 * 2**20
"""Bytes; a longer line is refused and never held in memory."""

_BLOCK = 2**20
_ZSTD_STEP = 2**12
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its newline; a line over the limit holds only its beginning and `fault` says so."""

    number: int
    raw: bytes
    fault: str = ""


def compression(path: Path) -> str:
    """Return `gz`, `zst` or the empty text, by the file's first bytes and not by its name."""
    start = head(path)
    return "gz" if start.startswith(_GZIP) else "zst" if start.startswith(_ZSTD) else ""


def head(path: Path, size: int = 8) -> bytes:
    """Return the first bytes as stored. Raises InputError where the file cannot be opened."""
    with opened(path) as stream:
        return stream.read(size)


def opened(path: Path) -> BinaryIO:
    """Open a file for reading. Raises InputError for a missing or forbidden one."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"no such file{similar_file(path)}", path) from None
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", path) from None


def similar_file(path: Path) -> str:
    """Return a did-you-mean for a missing file, or the empty text."""
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / near[0]}?" if near else ""


def blocks(path: Path) -> Iterator[bytes]:
    """Yield the file's bytes, decompressed, at most a few MiB at a time.

    Raises InputError for a damaged or truncated archive and for UTF-16 text.
    """
    kind = compression(path)
    with opened(path) as stream:
        try:
            source = _gzip(stream) if kind == "gz" else _zstd(stream) if kind == "zst" else _plain(stream)
            yield from _checked(source, path)
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            reason = (
                "ends early, as after a broken download" if isinstance(error, EOFError) else f"is damaged ({error})"
            )
            raise InputError(f"the {kind} data {reason}; fetch or compress the file again", path) from None


def _plain(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _gzip(stream: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=stream) as archive:
        while block := archive.read(_BLOCK):
            yield block


def _zstd(stream: BinaryIO) -> Iterator[bytes]:
    # The library's own stream reader takes a truncated frame for the end of the data, so frames are followed by hand.
    # Small steps bound what one step can expand to.
    frame = zstandard.ZstdDecompressor().decompressobj()
    inside = False
    while step := stream.read(_ZSTD_STEP):
        while step:
            inside = True
            if block := frame.decompress(step):
                yield block
            step = b""
            if frame.eof:
                step, inside = frame.unused_data, False
                frame = zstandard.ZstdDecompressor().decompressobj()
    if inside:
        raise EOFError


def _checked(source: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Refuse UTF-16 and drop a byte-order mark."""
    first = next(source, b"")
    if first[:2] in _UTF16 or b"\0" in first[:4]:
        raise InputError("the text is UTF-16; save it as UTF-8", path)
    yield first.removeprefix(_BOM)
    yield from source


def lines(path: Path, limit: int = LINE_LIMIT) -> Iterator[Line]:
    """Yield every line, blank ones too, with its 1-based number."""
    number, size = 1, 0
    parts: list[bytes] = []
    for block in blocks(path):
        *ended, rest = block.split(b"\n")
        for piece in ended:
            yield _line(number, parts, piece, size + len(piece), limit)
            number, parts, size = number + 1, [], 0
        size += len(rest)
        if size <= limit:
            parts.append(rest)
        elif parts:
            parts = [parts[0][:RAW_LIMIT]]
    if size:
        yield _line(number, parts, b"", size, limit)


def _line(number: int, parts: list[bytes], last: bytes, size: int, limit: int) -> Line:
    if size > limit:
        start = b"".join([*parts, last[:RAW_LIMIT]])[:RAW_LIMIT]
        return Line(number, start, f"the line is over {limit / 2**20:.0f} MiB long; is a newline missing?")
    return Line(number, b"".join([*parts, last]))


def text(line: Line) -> str:
    """Return the line as text. Raises BadRow naming the byte where it is not UTF-8, or its excessive length."""
    if line.fault:
        raise BadRow(line.fault)
    try:
        return line.raw.decode()
    except UnicodeDecodeError as error:
        raise BadRow(not_utf8(line.raw[error.start], error.start + 1)) from None


def not_utf8(byte: int, position: int) -> str:
    """Return the complaint about a byte at a 1-based position of its line."""
    return f"not UTF-8: byte 0x{byte:02x} at position {position} of the line; save the file as UTF-8"
