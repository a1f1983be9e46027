"""Which files a path stands for, and in which container each keeps its records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import regold.formats.arrow_files as arrow_files
import regold.formats.blocks as blocks
import regold.formats.text_files as text_files
from regold.errors import InputError
from regold.formats.text_files import Entry

_READERS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    "jsonl": text_files.json_lines,
    "json": text_files.json_array,
    "csv": partial(text_files.separated, delimiter=","),
    "tsv": partial(text_files.separated, delimiter="\t"),
    "parquet": arrow_files.parquet,
    "arrow": arrow_files.arrow,
}
_SUFFIXES = {".ndjson": "jsonl"} | {f".{name}": name for name in _READERS}
_COMPRESSED = (".gz", ".zst")
_ABOUT = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "package.json", "config.json"}
_SPLIT = re.compile(r"(train|test|validation|valid|val|dev|eval)(?![a-z])")
EXPECTED = ".jsonl, .json, .csv, .tsv (each also .gz or .zst), .parquet, .arrow or a data set folder"


@dataclass(frozen=True, slots=True)
class File:
    """One data file and its container: jsonl, json, csv, tsv, parquet or arrow."""

    path: Path
    container: str

    def entries(self) -> Iterator[Entry]:
        """Yield the file's entries in order."""
        return _READERS[self.container](self.path)

    @property
    def label(self) -> str:
        """Return the container with its compression, such as `jsonl.gz`."""
        packed = "" if self.container in ("parquet", "arrow") else blocks.compression(self.path)
        return f"{self.container}.{packed}" if packed else self.container


def files(path: Path) -> list[File]:
    """Return the data files a path stands for, in order.

    Raises InputError where there is nothing to read: no such path, an empty file, an unknown suffix, a folder without
    data or with several data sets.
    """
    if path.is_dir():
        return [_file(p) for p in _folder(path)]
    if not path.exists():
        raise InputError(f"no such file or folder{blocks.similar_file(path)}", path)
    if not path.is_file():
        raise InputError("neither a file nor a folder; write the data to a file first", path)
    return [_file(path)]


def container(path: Path) -> str | None:
    """Return the container a file's name stands for, or None."""
    name = path.with_suffix("") if path.suffix in _COMPRESSED else path
    found = _SUFFIXES.get(name.suffix.lower())
    return None if found in ("parquet", "arrow") and name is not path else found


def _file(path: Path) -> File:
    if path.stat().st_size == 0:
        raise InputError("the file is empty", path)
    found = container(path) or _sniff(path)
    if found is None:
        raise InputError(f"unknown kind of file; expected {EXPECTED}", path)
    return File(path, found)


def _sniff(path: Path) -> str | None:
    start = blocks.head(path)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"ARROW1"):
        return "arrow"
    first = next(blocks.blocks(path), b"").lstrip()[:1]
    return {b"{": "jsonl", b"[": "json"}.get(first)


def _folder(path: Path) -> list[Path]:
    if (path / "dataset_dict.json").is_file():
        return _folder(path / _split(path))
    if (path / "state.json").is_file():
        return [path / item["filename"] for item in _about(path / "state.json").get("_data_files", [])]
    found = _data(path) or _data(path / "data")
    if found:
        return found
    below = sorted(p.name for p in path.iterdir() if p.is_dir() and (_data(p) or (p / "state.json").is_file()))
    if len(below) == 1:
        return _folder(path / below[0])
    if below:
        raise InputError(f"several data sets in this folder: {', '.join(below)}; name one of them", path)
    raise InputError(f"no data files in this folder; expected {EXPECTED}", path)


def _split(path: Path) -> str:
    splits = [str(s) for s in _about(path / "dataset_dict.json").get("splits", [])]
    if "train" in splits:
        return "train"
    if len(splits) == 1:
        return splits[0]
    raise InputError(f"no train split here, but {', '.join(splits) or 'none'}; name the folder of one of them", path)


def _about(path: Path) -> dict[str, list[dict[str, str]]]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"cannot be read: {error}", path) from None
    if not isinstance(value, dict):
        raise InputError("expected a JSON object", path)
    return value


def _data(path: Path) -> list[Path]:
    """Return the data files directly in a folder; where names tell splits apart, those of the train split."""
    if not path.is_dir():
        return []
    named = [p for p in sorted(path.iterdir()) if not p.name.startswith((".", "_")) and p.name not in _ABOUT]
    found = [p for p in named if container(p) and p.is_file()]
    kinds = sorted({str(container(p)) for p in found})
    if len(kinds) > 1:
        raise InputError(f"files of several kinds in this folder ({', '.join(kinds)}); name one file", path)
    return _train(found, path)


def _train(found: list[Path], path: Path) -> list[Path]:
    splits = {p: m.group(1) if (m := _SPLIT.match(p.name)) else "" for p in found}
    names = set(splits.values())
    if "train" in names:
        return [p for p in found if splits[p] == "train"]
    if len(names) > 1:
        several = ", ".join(sorted(name or "other" for name in names))
        raise InputError(f"several splits in this folder: {several}; name one file", path)
    return found
