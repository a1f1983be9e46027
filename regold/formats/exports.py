"""Write a folder that a trainer loads as it is: hf, trl, openai, llamafactory or axolotl."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regold.errors import InputError
from regold.files import replacing
from regold.formats.dataset import Card, empty_folder, write_folder
from regold.formats.rows import did_you_mean
from regold.formats.trainers import llamafactory_entry, llamafactory_row, llamafactory_takes, openai_row
from regold.formats.write import write
from regold.record import Messages

WEIGHT = "loss_weight"


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One record on its way to a trainer."""

    row: Mapping[str, Any]
    """In the shape it came in, as `restore` returns it; tools are taken from here."""
    messages: Messages
    weight: float | None = None
    """Written as `loss_weight` unless None."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, and how to load it."""

    files: tuple[Path, ...]
    records: int
    usage: str
    warnings: tuple[str, ...] = ()


def export(target: str, folder: Path, rows: Iterable[ExportRow], card: Card | None = None) -> Exported:
    """Write records for a trainer into a new or empty folder. Raises InputError for another target or folder."""
    if target not in TARGETS:
        raise InputError(f"unknown target {target!r}{did_you_mean(target, TARGETS)}; there are {', '.join(TARGETS)}")
    empty_folder(folder)
    return _TARGETS[target](folder, rows, card)


def _hf(folder: Path, rows: Iterable[ExportRow], card: Card | None) -> Exported:
    count = write_folder(folder, (_weighed(dict(r.row), r) for r in rows), card)
    return Exported((folder,), count, f"datasets.load_dataset({str(folder)!r})")


def _messages(folder: Path, rows: Iterable[ExportRow], name: str) -> tuple[Path, int]:
    path = folder / name
    return path, write(path, (_weighed(openai_row(r.messages, r.row), r) for r in rows))


def _trl(folder: Path, rows: Iterable[ExportRow], card: Card | None) -> Exported:
    path, count = _messages(folder, rows, "train.jsonl")
    return Exported((path,), count, f"trl sft --dataset_name {folder} --model_name_or_path MODEL")


def _openai(folder: Path, rows: Iterable[ExportRow], card: Card | None) -> Exported:
    path, count = _messages(folder, (ExportRow(r.row, r.messages) for r in rows), "train.jsonl")
    return Exported((path,), count, "upload the file with purpose fine-tune")


def _axolotl(folder: Path, rows: Iterable[ExportRow], card: Card | None) -> Exported:
    path, count = _messages(folder, rows, "train.jsonl")
    config = folder / "dataset.yaml"
    with replacing(config) as stream:
        stream.write(_AXOLOTL.format(path=json.dumps(str(path), ensure_ascii=False)).encode())
    return Exported((path, config), count, f"merge {config} into the axolotl config")


_AXOLOTL = """datasets:
  - path: {path}
    ds_type: json
    type: chat_template
    field_messages: messages
    message_property_mappings:
      role: role
      content: content
"""


def _llamafactory(folder: Path, rows: Iterable[ExportRow], card: Card | None) -> Exported:
    skipped, tools = 0, False

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal skipped, tools
        for record in rows:
            row = llamafactory_row(record.messages, record.row)
            skipped += not llamafactory_takes(row)
            tools = tools or bool(row["tools"])
            yield _weighed(row, record)

    path, info = folder / "regold.jsonl", folder / "dataset_info.json"
    count = write(path, counted())
    with replacing(info) as stream:
        stream.write((json.dumps({"regold": llamafactory_entry(path.name, tools=tools)}, indent=2) + "\n").encode())
    warning = f"LLaMA-Factory will skip {skipped} records whose turns do not alternate between asking and answering"
    usage = f"llamafactory-cli train ... --dataset_dir {folder} --dataset regold"
    return Exported((path, info), count, usage, (warning,) if skipped else ())


def _weighed(row: dict[str, Any], record: ExportRow) -> dict[str, Any]:
    return row if record.weight is None else row | {WEIGHT: record.weight}


_TARGETS: dict[str, Callable[[Path, Iterable[ExportRow], Card | None], Exported]] = {
    "hf": _hf,
    "trl": _trl,
    "llamafactory": _llamafactory,
    "axolotl": _axolotl,
    "openai": _openai,
}
TARGETS = tuple(_TARGETS)
