"""Write the data of a folder that a trainer loads as it is: hf, trl, openai, llamafactory or axolotl."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regold.errors import InputError
from regold.files import replacing
from regold.formats.dataset import DATA, Card, empty_folder, write_card
from regold.formats.rows import WEIGHT, did_you_mean
from regold.formats.trainers import (
    earlier_turns,
    llamafactory_entry,
    llamafactory_row,
    llamafactory_takes,
    openai_row,
    trl_row,
    without_reasoning,
)
from regold.formats.write import write
from regold.record import Messages

_FEWEST = 10


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


def export(
    target: str, folder: Path, rows: Iterable[ExportRow], card: Card | None = None, every_turn: bool = True
) -> Exported:
    """Write records for a trainer into a new or empty folder; earlier assistant turns carry loss if `every_turn`.

    Only `hf` keeps records of weight 0: no other trainer reads weights. Raises InputError for another target or folder.
    """
    if target not in TARGETS:
        raise InputError(f"unknown target {target!r}{did_you_mean(target, TARGETS)}; there are {', '.join(TARGETS)}")
    empty_folder(folder)
    weighing = _Weighing()
    done = _TARGETS[target](folder, rows if target == "hf" else weighing(rows), every_turn)
    if target != "hf":
        weighed = weighing.warnings(target)
        done = replace(done, warnings=(*done.warnings, *weighed))
    written = "data/train-*.parquet" if target == "hf" else done.files[0].name
    readme = write_card(folder, card, done.records, written)
    return replace(done, files=(*done.files, readme))


class _Weighing:
    """Leaves out records of weight 0 and counts those whose weight the trainer will not see."""

    def __init__(self) -> None:
        self._dropped = self._unweighed = 0

    def __call__(self, rows: Iterable[ExportRow]) -> Iterator[ExportRow]:
        for row in rows:
            self._dropped += row.weight == 0
            self._unweighed += row.weight not in (None, 0, 1)
            if row.weight != 0:
                yield row

    def warnings(self, target: str) -> Iterator[str]:
        if self._dropped:
            yield f"{self._dropped} records of weight 0 are left out: {target} reads no weights"
        if self._unweighed:
            yield f"{target} reads no weights: {self._unweighed} records that weigh more or less than 1 will count as 1"


def _hf(folder: Path, rows: Iterable[ExportRow], every_turn: bool) -> Exported:
    count = write(folder / DATA, (_weighed(dict(r.row), r) for r in rows))
    return Exported((folder / DATA,), count, f"datasets.load_dataset({str(folder)!r})")


def _trl(folder: Path, rows: Iterable[ExportRow], every_turn: bool) -> Exported:
    shape = dict if every_turn else trl_row
    path = folder / "train.jsonl"
    count = write(path, (_weighed(shape(openai_row(r.messages, r.row)), r) for r in rows))
    return Exported((path,), count, f"trl sft --config {folder / 'sft.yaml'}")


def _openai(folder: Path, rows: Iterable[ExportRow], every_turn: bool) -> Exported:
    path = folder / "train.jsonl"
    made = (without_reasoning(openai_row(r.messages, r.row)) for r in rows)
    count = write(path, (row if every_turn else earlier_turns(row, weight=0) for row in made))
    few = (f"OpenAI takes no fewer than {_FEWEST} records; these are {count}",) if count < _FEWEST else ()
    return Exported((path,), count, "upload the file with purpose fine-tune, then create the job in job.json", few)


def _axolotl(folder: Path, rows: Iterable[ExportRow], every_turn: bool) -> Exported:
    path = folder / "train.jsonl"
    made = ((openai_row(r.messages, r.row), r) for r in rows)
    count = write(path, (_weighed(row if every_turn else earlier_turns(row, train=False), r) for row, r in made))
    return Exported((path,), count, f"axolotl train {folder / 'axolotl.yaml'}")


def _llamafactory(folder: Path, rows: Iterable[ExportRow], every_turn: bool) -> Exported:
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
    usage = f"llamafactory-cli train {folder / 'train.yaml'}"
    return Exported((path, info), count, usage, (warning,) if skipped else ())


def _weighed(row: dict[str, Any], record: ExportRow) -> dict[str, Any]:
    return row if record.weight is None else row | {WEIGHT: record.weight}


_TARGETS: dict[str, Callable[[Path, Iterable[ExportRow], bool], Exported]] = {
    "hf": _hf,
    "trl": _trl,
    "llamafactory": _llamafactory,
    "axolotl": _axolotl,
    "openai": _openai,
}
TARGETS = tuple(_TARGETS)
