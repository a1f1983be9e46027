"""A folder that `datasets.load_dataset` opens: one data file and a data set card whose front matter names it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from regold.errors import InputError
from regold.files import replacing

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


def write_card(folder: Path, card: Card | None, count: int, data: str = "data/train-*.parquet") -> Path:
    """Write README.md: front matter that names the data file, then what the data are."""
    path = folder / "README.md"
    text = _front_matter(card or Card(), count, data) + _body(card or Card(), count)
    with replacing(path) as stream:
        stream.write(text.encode())
    return path


def empty_folder(folder: Path) -> None:
    """Raise InputError unless the folder is empty or not there yet."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("already there and not empty; name a new folder", folder)


def _front_matter(card: Card, count: int, data: str) -> str:
    size = next((name for limit, name in _SIZES if count < limit), "n>10M")
    lines = [f"license: {_quoted(card.license)}"] if card.license else []
    lines += _listed("language", card.language) + _listed("tags", card.tags) + _listed("size_categories", (size,))
    lines += [f"pretty_name: {_quoted(card.title)}", "configs:", "- config_name: default", "  data_files:"]
    return "\n".join(["---", *lines, "  - split: train", f"    path: {data}", "---", "", ""])


def _listed(key: str, values: tuple[str, ...]) -> list[str]:
    return [f"{key}:", *(f"- {_quoted(value)}" for value in values)] if values else []


def _quoted(text: str) -> str:
    # JSON text is YAML text too, whatever it holds
    return json.dumps(text, ensure_ascii=False)


def _body(card: Card, count: int) -> str:
    about = f"{card.summary.strip()}\n\n" if card.summary.strip() else ""
    return f"# {card.title}\n\n{about}{count:,} records in one split, `train`.\n"
