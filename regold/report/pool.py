"""What became of a pool in an ENTP run: its parts, clusters, pairs, how the fusion converged, what the mix covers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regold.errors import InputError
from regold.record import TRAINED_ON, Fate
from regold.report.coverage import compared_texts
from regold.store import StepPlace
from regold.store.fates import Ended, PastRun


@dataclass(frozen=True)
class Told:
    """A record's end with the notes that tell its way."""

    ended: Ended
    notes: Mapping[str, Any]
    excluded: str
    """The step that took a record out before the partition, else empty."""


WANTED = ("partition.part", "cluster.label", "cluster.words", "pair.partner", "pair.lead", "fuse.outcome", "fuse.story")


def summarize(run: PastRun, covered: bool = True) -> dict[str, Any]:
    """Return the summary of a finished run as plain data; `covered` measures coverage, which takes longer.

    Raises InputError for a run that is not finished or has no partition.
    """
    if not any(step.name == "partition" for step in run.steps):
        raise InputError("this run has no step that partitions: it is no run of the recipe entp", run.store.root)
    told = list(_told(run))
    found = {
        "run": str(run.store.root),
        "records": len(told),
        "warnings": warnings(run),
        "parts": parts(told),
        "fates": dict(Counter(str(t.ended.fate) for t in told)),
        "mix": mix(told),
        "clusters": clusters(told),
        "pairs": sum(bool(t.notes["pair.lead"]) for t in told),
        "fusion": convergence(t.notes["fuse.story"] for t in told if t.notes["fuse.story"]),
    }
    return {**found, "coverage": reach(told)} if covered else found


def _told(run: PastRun) -> Iterator[Told]:
    written = {name for step in run.steps for name in step.writes}
    ended = run.ended()
    for part in run.store.parts():
        size = run.store.loaded(part, ["id"]).num_rows
        columns = {
            name: run.store.column(name, part, run.steps) if name in written else [None] * size for name in WANTED
        }
        gone = _gone(run, part, size)
        for row in range(size):
            yield Told(next(ended), {name: column[row] for name, column in columns.items()}, gone[row])


def _gone(run: PastRun, part: int, size: int) -> list[str]:
    """Return for each record the step before the partition that changed its status."""
    found = [""] * size
    before: Sequence[StepPlace] = run.steps[: next(i for i, s in enumerate(run.steps) if s.name == "partition")]
    for step in before:
        edits = run.store.edits(step, part, ["row", "status"])
        for row, status in zip(edits["row"].to_pylist(), edits["status"].to_pylist(), strict=True):
            found[row] = f"{step.name} ({status})" if status is not None else found[row]
    return found


def warnings(run: PastRun) -> list[str]:
    """Return what makes the partition worthless: ratings that are all the same, or all missing."""
    step = next(s for s in run.manifest["recipe"]["step"] if s["use"] == "PartitionByQuality")
    note = step["value"]
    given = [v for part in run.store.parts() for v in run.store.column(note, part, run.steps) if v is not None]
    if not given:
        return [f"no record has a rating in {note}"]
    if len(given) > 1 and len(set(given)) == 1:
        return [f"all {len(given)} ratings in {note} are {given[0]:g}: they tell no record from another"]
    return []


def parts(told: Sequence[Told]) -> dict[str, int]:
    """Return how many records went into each part of the partition; what never reached it is named by its step."""
    return dict(Counter(t.notes["partition.part"] or t.excluded or "not partitioned" for t in told).most_common())


def mix(told: Sequence[Told]) -> dict[str, Any]:
    """Return what the training set is mixed from, and the fusion ratio: fused over all that is trained on."""
    counts = Counter(t.ended.fate for t in told if t.ended.fate in TRAINED_ON)
    made = counts[Fate.FUSED] + counts[Fate.REPAIRED]
    total = made + counts[Fate.KEPT]
    ratio = round(made / total, 4) if total else 0.0
    return {"high": counts[Fate.KEPT], "fused": counts[Fate.FUSED], "mended": counts[Fate.REPAIRED], "ratio": ratio}


def clusters(told: Sequence[Told]) -> list[dict[str, Any]]:
    """Return each cluster's size and words, the largest first."""
    sizes = Counter(t.notes["cluster.label"] for t in told if t.notes["cluster.label"])
    words = {t.notes["cluster.label"]: t.notes["cluster.words"] for t in told if t.notes["cluster.label"]}
    return [{"cluster": label, "records": size, "words": words[label]} for label, size in sizes.most_common()]


def convergence(stories: Iterator[str]) -> dict[str, Any]:
    """Return how the fusions ended, and for each cycle and round the versions, accepted ones and mean loss.

    Versions without a checklist that could be read have no loss and are counted as unread.
    """
    outcomes: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    rounds: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for text in stories:
        one = json.loads(text)
        outcomes[one["outcome"]] += 1
        stopped.update(f"{cycle}: {why}" for cycle, why in one["stopped"].items())
        for version in one["versions"]:
            rounds.setdefault((version["cycle"], version["round"]), []).append(version)
    order = {"merge": 0, "answer": 1, "mend": 2}
    table = [_round(*key, rounds[key]) for key in sorted(rounds, key=lambda k: (order.get(k[0], 3), k[1]))]
    return {"outcomes": dict(outcomes), "stopped": dict(stopped.most_common()), "rounds": table}


def _round(cycle: str, number: int, versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    losses = [v["loss"] for v in versions if v["loss"]]
    means = [round(float(m), 4) for m in np.mean(losses, axis=0)] if losses else None
    accepted = sum(v["accepted"] for v in versions)
    counted = {"versions": len(versions), "unread": len(versions) - len(losses), "accepted": accepted}
    return {"cycle": cycle, "round": number, **counted, "mean_loss": means}


def reach(told: Sequence[Told]) -> dict[str, Any]:
    """Return coverage and diversity of the whole pool, of HIGH alone and of the mix, in one lexical space."""
    sides = {
        "pool": [_text(t) for t in told],
        "high": [_text(t) for t in told if t.ended.fate == Fate.KEPT],
        "mix": [_text(t) for t in told if t.ended.fate in TRAINED_ON],
    }
    return compared_texts({name: texts for name, texts in sides.items() if texts})


def _text(told: Told) -> str:
    return "\n\n".join(m.content for m in told.ended.messages)
