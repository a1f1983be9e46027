"""What a run made out of other records: the audit's findings counted, and a blind sheet for people to score."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from regold.asking import conversation
from regold.errors import InputError
from regold.files import disk, replacing
from regold.methods.intervals import paired_bootstrap
from regold.methods.rating import mean
from regold.record import Status
from regold.store.columns import load_messages
from regold.store.fates import PastRun

MEASURES = ("grounding", "covered", "copied", "words", "ratio")
SHEET = ("item", "task", "response", "score_1_to_10", "comment")
KEY = ("item", "record", "side", "text_of")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet compute a cell."""


@dataclass(frozen=True)
class Made:
    """A record that was made from others, with what the audit noted."""

    id: str
    outcome: str
    status: str
    parents: Sequence[str]
    sources: Sequence[Sequence[str]]
    """The parents' instructions and given responses; the first alone for one that was mended alone."""
    instruction: str
    response: str
    notes: Mapping[str, Any]


def made(run: PastRun) -> Iterator[Made]:
    """Yield the fused and mended records of a run, in load order. Raises InputError for a run that audits none."""
    written = {name for step in run.steps for name in step.writes}
    if "produced.found" not in written:
        raise InputError("this run has no step AuditProduced: nothing was made, or nobody looked at it", run.store.root)
    names = [name for name in sorted(written) if name.startswith(("produced.", "fuse."))]
    for part in run.store.parts():
        ids = run.store.loaded(part, ["id"])["id"].to_pylist()
        columns = {name: run.store.column(name, part, run.steps) for name in ("messages", "status", *names)}
        for row, id_ in enumerate(ids):
            if columns["produced.found"][row] is not None:
                yield _made(id_, {name: column[row] for name, column in columns.items()})


def _made(id_: str, row: Mapping[str, Any]) -> Made:
    turns, parents = load_messages(row["messages"]), list(row["fuse.parents"])
    sources = json.loads(row["fuse.story"])["sources"]
    alone = 1 if row["fuse.outcome"] == "mended" else 2
    notes = {name.removeprefix("produced."): value for name, value in row.items() if name.startswith("produced.")}
    texts = conversation(turns[:-1]), turns[-1].content
    return Made(id_, row["fuse.outcome"], row["status"], parents[:alone], sources[:alone], *texts, notes)


def summarize_produced(records: Sequence[Made], seed: int = 0) -> dict[str, Any]:
    """Return how many were made and how, how often each finding was made, mean measures, and the second rater's view.

    The difference of its scores, product minus mean of the parents, comes with a bootstrap interval of 95 %.
    """
    rated = [(m.notes["before"], m.notes["after"]) for m in records if _both(m)]
    return {
        "made": len(records),
        "outcomes": dict(Counter(m.outcome for m in records)),
        "taken_out": sum(m.status in (Status.DROPPED, Status.BORDERLINE) for m in records),
        "sound": sum(not m.notes["found"] for m in records),
        "found": dict(Counter(name for m in records for name in m.notes["found"]).most_common()),
        "mean": {name: _rounded(mean([m.notes[name] for m in records])) for name in MEASURES},
        "second_rater": _compared(rated, seed) if rated else None,
    }


def _both(one: Made) -> bool:
    return one.notes.get("before") is not None and one.notes.get("after") is not None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _compared(scores: Sequence[tuple[float, float]], seed: int) -> dict[str, Any]:
    before, after = zip(*scores, strict=True)
    apart = paired_bootstrap(after, before, seed)
    interval = [round(apart.low, 4), round(apart.high, 4)]
    means = {"before": _rounded(mean(before)), "after": _rounded(mean(after))}
    return {"records": len(scores), **means, "difference": round(apart.estimate, 4), "interval": interval}


def write_sheet(records: Sequence[Made], sheet: Path, count: int, seed: int = 0) -> tuple[Path, int]:
    """Write texts before and after in one random order for people to score, and beside it the key; return the key.

    Nothing in the sheet tells which text was made: that stands in `<sheet>.key.csv`, which the scorer must not see.
    """
    chance = Random(seed)
    drawn = chance.sample(list(records), min(count, len(records)))
    items = [(m.id, "after", m.id, m.instruction, m.response) for m in drawn]
    for m in drawn:
        items += [
            (m.id, "before", parent, asked, given)
            for parent, (asked, given, *_) in zip(m.parents, m.sources, strict=True)
        ]
    chance.shuffle(items)
    key = sheet.with_name(f"{sheet.stem}.key.csv")
    _write(sheet, SHEET, [[n, asked, given, "", ""] for n, (*_, asked, given) in enumerate(items, start=1)])
    _write(key, KEY, [[n, *known] for n, (*known, _, _) in enumerate(items, start=1)])
    return key, len(items)


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    with replacing(path) as stream:
        stream.write(text.getvalue().encode(errors="replace"))


def _inert(cell: Any) -> Any:
    """Return a cell that no spreadsheet computes: a text that begins like a formula gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_ACTIVE) else cell


def read_sheet(sheet: Path, seed: int = 0) -> dict[str, Any]:
    """Return what a filled-in sheet says: mean scores before and after, and their difference with its interval.

    Raises InputError where the key is missing, or a score is no number from 1 to 10.
    """
    known = {row["item"]: row for row in _rows(sheet.with_name(f"{sheet.stem}.key.csv"), KEY)}
    scores: dict[tuple[str, str], list[float]] = {}
    filled = 0
    for line, row in enumerate(_rows(sheet, SHEET), start=2):
        text = (row["score_1_to_10"] or "").strip()
        if not text:
            continue
        if row["item"] not in known:
            raise InputError(f"item {row['item']!r} is not in the key", sheet, line)
        score = _score(text, sheet, line)
        place = known[row["item"]]
        scores.setdefault((place["record"], place["side"]), []).append(score)
        filled += 1
    both = [r for r, side in scores if side == "after" and (r, "before") in scores]
    if not both:
        raise InputError("no record has a score before and one after: fill in the column score_1_to_10", sheet)
    pairs = [(mean(scores[r, "before"]) or 0.0, mean(scores[r, "after"]) or 0.0) for r in both]
    return {"scored": filled, "items": len(known), **_compared(pairs, seed)}


def _score(text: str, sheet: Path, line: int) -> float:
    try:
        score = float(text.replace(",", "."))
    except ValueError:
        score = 0.0
    if not 1 <= score <= 10:
        raise InputError(f"the score {text!r} is no number from 1 to 10", sheet, line)
    return score


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError("there is no such file", path)
    with disk(path), path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if not set(columns[:3]) <= set(reader.fieldnames or ()):
            raise InputError(f"lacks the columns {', '.join(columns[:3])}", path)
        return [{name: row.get(name) or "" for name in columns} for row in reader]
