"""A folder that `datasets.load_dataset` opens: one parquet file and a data set card."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regold.errors import InputError
from regold.files import replacing
from regold.formats.write import write

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
DATA = "data/train-00000-of-00001.parquet"


@dataclass(frozen=True, slots=True)
class Card:
    """What the README of the folder says."""

    title: str = "Data repaired by Regold"
    summary: str = ""
    """Markdown: where the data is from and what was done to it."""
    license: str | None = None
    """An identifier of the Hub, such as `cc-by-4.0`; left out where nobody said."""
    language: tuple[str, ...] = ()
    tags: tuple[str, ...] = ("regold",)


def write_folder(folder: Path, rows: Iterable[Mapping[str, Any]], card: Card | None = None) -> int:
    """Write rows and card and return how many rows. Raises InputError where the folder already holds something."""
    empty_folder(folder)
    count = write(folder / DATA, rows)
    text = _front_matter(card or Card(), count) + _body(card or Card(), count)
    with replacing(folder / "README.md") as stream:
        stream.write(text.encode())
    return count


def empty_folder(folder: Path) -> None:
    """Raise InputError unless the folder is empty or not there yet."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("already there and not empty; name a new folder", folder)


def _front_matter(card: Card, count: int) -> str:
    size = next((name for limit, name in _SIZES if count < limit), "n>10M")
    lines = [f"license: {_quoted(card.license)}"] if card.license else []
    lines += _listed("language", card.language) + _listed("tags", card.tags) + _listed("size_categories", (size,))
    lines += [f"pretty_name: {_quoted(card.title)}", "configs:", "- config_name: default", "  data_files:"]
    return "\n".join(["---", *lines, "  - split: train", "    path: data/train-*.parquet", "---", "", ""])


def _listed(key: str, values: tuple[str, ...]) -> list[str]:
    return [f"{key}:", *(f"- {_quoted(value)}" for value in values)] if values else []


def _quoted(text: str) -> str:
    # JSON text is YAML text too, whatever it holds
    return json.dumps(text, ensure_ascii=False)


def _body(card: Card, count: int) -> str:
    about = f"{card.summary.strip()}\n\n" if card.summary.strip() else ""
    return f"# {card.title}\n\n{about}{count:,} records in one split, `train`.\n"
