"""Writes what a run came to: the records to train on, all others with their reasons, and the rejected lines."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from regold.declared import build
from regold.files import replacing
from regold.formats import (
    Card,
    Columns,
    Exported,
    ExportRow,
    Reject,
    check_target,
    conversation,
    export,
    read_rows,
    restore,
    split_id,
    training_messages,
    writing,
)
from regold.formats.read import weight_of
from regold.formats.rows import WEIGHT
from regold.record import TRAINED_ON, Fate, Messages
from regold.store.fates import Ended, PastRun, open_run
from regold.train.configs import trainer_config
from regold.train.settings import TrainSettings, train_table

_WORST = (Fate.FAILED, Fate.DROPPED, Fate.BORDERLINE, Fate.MERGED, Fate.FUSED, Fate.REPAIRED, Fate.KEPT)
"""A conversation is only as good as its worst turn."""


@dataclass(frozen=True)
class Outputs:
    """Where the outputs lie."""

    kept: Path
    rest: Path
    rejects: Path | None


@dataclass(frozen=True)
class Finished:
    """One output row: a record, or a whole conversation with the fate of its worst turn."""

    row: Mapping[str, Any]
    fate: Fate
    reason: str
    id: str
    weight: float
    messages: Messages
    """The conversation up to its last response, every repaired turn in place: what to train on."""


def write_outputs(run: PastRun, out: Path, provenance: bool) -> Outputs:
    """Write the rows to train on to `out` in their original shape, the rest to `<stem>.rest<suffix>` with `_regold`."""
    _, rest, rejected = _places(out)
    with writing(out) as keep, writing(rest) as lay_beside:
        for done in finished(run):
            keep(_row(done, provenance)) if done.fate in TRAINED_ON else lay_beside(_row(done, True))
    return Outputs(out, rest, _rejects(run, rejected))


def check_outputs(out: Path, source: Path) -> None:
    """Refuse, before anything is paid, outputs that cannot be written or would touch the source. Raises InputError."""
    for place in _places(out):
        check_target(place, source)


def kept(run: PastRun) -> Iterator[Finished]:
    """Yield the output rows to train on: what `--out` holds, what is exported and what `regold train` reads."""
    return (f for f in finished(run) if f.fate in TRAINED_ON)


def finished(run: PastRun) -> Iterator[Finished]:
    """Yield each output row with its fate; the turns of one conversation come back as one row."""
    columns = run.manifest["source"]["columns"]
    for _, turns in groupby(run.ended(), key=lambda e: e.id if e.turn is None else split_id(e.id)[0]):
        yield _finished(list(turns), columns)


def _finished(turns: Sequence[Ended], columns: Columns) -> Finished:
    worst = min(turns, key=lambda e: _WORST.index(e.fate))
    if worst.turn is None:
        row = restore(worst.source, worst.format, worst.messages, worst.options, columns=columns)
        row = _weighed(row, worst.weight)
        return Finished(row, worst.fate, worst.reason, worst.id, worst.weight, worst.messages)
    texts = {e.turn: e.messages for e in turns if e.turn is not None}
    whole = conversation(worst.source, worst.format, texts, columns=columns)
    weight = min(e.weight for e in turns)
    row = _weighed(restore(worst.source, worst.format, whole, columns=columns), weight)
    return Finished(row, worst.fate, f"{worst.id}: {worst.reason}", split_id(worst.id)[0], weight, whole)


def _weighed(row: dict[str, Any], weight: float) -> dict[str, Any]:
    """Return a row whose column `loss_weight` says the weight that the run gave it; untouched where it does already."""
    return row if weight == weight_of(row) else {**row, WEIGHT: weight}


def _row(done: Finished, provenance: bool) -> Mapping[str, Any]:
    if not provenance:
        return done.row
    about = {"id": done.id, "fate": str(done.fate), "reason": done.reason, "weight": done.weight}
    return {**done.row, "_regold": about}


def _places(out: Path) -> tuple[Path, Path, Path]:
    """Return where the kept rows, the rest and the rejected lines go."""
    suffixes = "".join(out.suffixes[-2:] if out.suffix in (".gz", ".zst") else out.suffixes[-1:])
    stem = out.name.removesuffix(suffixes)
    return out, out.with_name(f"{stem}.rest{suffixes}"), out.with_name(f"{stem}.rejected.jsonl")


def _rejects(run: PastRun, place: Path) -> Path | None:
    """Copy the rejected lines; where there are none, those of an earlier run go, and a file of another kind stays."""
    written = run.store.root / run.store.load / "rejects.jsonl"
    if not written.stat().st_size:
        if _holds_rejects(place):
            place.unlink()
        return None
    shutil.copyfile(written, place)
    return place


def _holds_rejects(place: Path) -> bool:
    try:
        with place.open(encoding="utf-8") as lines:
            first = json.loads(next(lines, "null"))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and set(first) == {f.name for f in fields(Reject)}


def export_run(
    root: Path, target: str, folder: Path, model: str | None = None, settings: str | None = None
) -> Exported:
    """Write a finished run's records to train on for a trainer, with that trainer's own configuration.

    The configuration says what `regold train` would do: the settings named (a preset or a TOML file), or else those of
    the run's recipe. Raises InputError for an unknown target or run.
    """
    run = open_run(root)
    chosen = training_settings(root, settings)
    rows = (ExportRow(f.row, f.messages, f.weight) for f in kept(run))
    done = export(target, folder, rows, Card(summary=_told(run, target)), chosen.turns == "all")
    asked = run.manifest["models"].get("student", {}).get("model", "MODEL")
    config = trainer_config(target, folder, chosen, model or asked)
    if config is None:
        return done
    with replacing(folder / config[0]) as stream:
        stream.write(config[1].encode())
    return replace(done, files=(*done.files, folder / config[0]))


def _told(run: PastRun, target: str) -> str:
    """Return what a data set card says of the run."""
    recipe, source = run.manifest["recipe"], run.manifest["source"]
    fates = Counter(str(f.fate) for f in finished(run))
    models = ", ".join(sorted({spec["model"] for spec in run.manifest["models"].values()})) or "no model"
    ledger = "\n".join(f"| {fate} | {count} |" for fate, count in sorted(fates.items()))
    weight = "The column `loss_weight` says how much each record is to count in training"
    seen = "." if target == "hf" else f"; {target} does not read it."
    return (
        f"{Path(source['path']).name} (`{source['digest'][:16]}`), repaired by "
        f"Regold {run.manifest['versions']['regold']} with the recipe "
        f"`{recipe['name']}`, asking {models}. {weight}{seen}\n\n| fate | records |\n|---|---|\n{ledger}\n\n"
        "Only KEPT, REPAIRED and FUSED records are here."
    )


def training_rows(data: Path, format: str | None = None) -> list[tuple[Messages, float]]:
    """Return what to train on with its weights: a finished run's kept records, or every record of a data file.

    Tools and calls are there as chat templates read them.
    """
    if (data / "manifest.json").is_file():
        return [(training_messages(f.messages, f.row), f.weight) for f in kept(open_run(data))]
    return [(training_messages(row.messages, row.source), row.weight) for row in read_rows(data, format=format)]


def training_settings(data: Path, named: str | None = None, given: Mapping[str, Any] | None = None) -> TrainSettings:
    """Return what is given over the named settings (a preset or a TOML file), or else over those of the run's recipe.

    Where nothing says which assistant turns carry loss, they are those that the run checked. Raises RecipeError.
    """
    manifest = open_run(data).manifest if (data / "manifest.json").is_file() else None
    if named is not None:
        table, where = train_table(named), f"--settings {named}"
    else:
        table, where = (manifest["recipe"].get("train") or {} if manifest else {}), str(data)
    settings = build(TrainSettings, {**table, **(given or {})}, "the command line" if given else where)
    if settings.turns != "auto":
        return settings
    return replace(settings, turns=str(manifest["source"].get("turns", "last")) if manifest else "last")
