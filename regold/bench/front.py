"""The front half of entp on a real pool with recorded ratings: time and memory of each step, and what came out."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from regold.bench.tables import markdown
from regold.files import read_json, write_json
from regold.report.pool import summarize
from regold.run import Job, run
from regold.runner import Step
from regold.store.columns import load_messages
from regold.store.fates import PastRun, open_run

WORDS = 6
"""Words of a text that a result file may hold."""


@dataclass(frozen=True)
class Spent:
    """What one step took."""

    step: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    """The largest resident memory of this process during the step."""


@dataclass
class Meter:
    """Measures what lies between the starts of two steps; a step that was done before keeps what it took then."""

    root: Path
    spent: dict[str, Spent] = field(default_factory=dict)
    """By the folder of the step's fingerprint."""
    _open: tuple[str, str, float, float] | None = None

    def begin(self, folder: str, name: str) -> None:
        """Close the step before and open one."""
        self.end()
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak is counted anew
        self._open = folder, name, time.monotonic(), time.process_time()

    def end(self) -> None:
        """Close the step that is open, and remember what was measured."""
        if self._open is None:
            return
        folder, name, wall, cpu = self._open
        lasted = round(time.monotonic() - wall, 1), round(time.process_time() - cpu, 1)
        self.spent[folder], self._open = Spent(name, *lasted, round(_peak_mb())), None
        known = self.known() | {key: vars(one) for key, one in self.spent.items() if key not in self.known()}
        write_json(self.root / "steps.json", known)

    def known(self) -> dict[str, Any]:
        """Return what is remembered of steps in this run directory."""
        place = self.root / "steps.json"
        return dict(read_json(place)) if place.is_file() else {}

    def steps(self, folders: Sequence[str]) -> list[dict[str, Any]]:
        """Return the figures of the load and of the steps in these folders, in order."""
        known = self.known()
        return [known[folder] for folder in ("load", *folders) if folder in known]


def _peak_mb() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bench_front(
    job: Job, pairs: int, watch: Callable[[str, int], Callable[[int], None]], texts: bool = False
) -> dict[str, Any]:
    """Run a recipe's front half and return all figures; what was done before costs no time again.

    Some `pairs` are shown by their ids; with `texts`, by the first words of their questions too.

    Raises what `run` raises.
    """
    meter = Meter(job.root)
    meter.begin("load", "load")

    def watched(step: Step, records: int) -> Callable[[int], None]:
        meter.begin(step.place.folder, step.place.name)
        return watch(step.place.name, records)

    report = asyncio.run(run(job, watched))
    meter.end()
    past = open_run(job.root)
    told = summarize(past)
    steps = meter.steps([step.folder for step in past.steps])
    return {
        **{key: told[key] for key in ("records", "parts", "fates", "pairs", "coverage", "clusters")},
        "rejected": report.rejected,
        "calls": report.calls,
        "steps": steps,
        "seconds": round(sum(s["seconds"] for s in steps), 1),
        "cpu_seconds": round(sum(s["cpu_seconds"] for s in steps), 1),
        "peak_mb": max(s["peak_mb"] for s in steps),
        "chosen": chosen(past),
        **paired(past, pairs, texts=texts),
    }


def chosen(run: PastRun) -> dict[str, Any]:
    """Return what the fits chose: how each rater was corrected and why, and the silhouette of each k."""
    found: dict[str, Any] = {}
    for step in run.steps:
        if step.name == "correct":
            artifact = run.store.artifact(step)
            found["correct"] = [
                {key: one[key] for key in ("scores", "method", "reason")} for one in artifact.get("choices", [])
            ]
            found["together"] = artifact.get("together")
        if step.name == "cluster":
            found["silhouettes"] = run.store.artifact(step)["silhouettes"]
    return found


NOTES = ("pair.partner", "pair.lead", "pair.cosine", "cluster.words", "cluster.group", "partition.part", "messages")


def paired(run: PastRun, count: int, seed: int = 0, texts: bool = False) -> dict[str, Any]:
    """Return quantiles of the pairs' cosines, the share of weak records in pairs, and some pairs drawn by the seed.

    Of a pair stand the ids, the cosine and the cluster's words; with `texts` the first few words of each question.
    """
    rows: list[Mapping[str, Any]] = []
    for part in run.store.parts():
        columns = {name: run.store.column(name, part, run.steps) for name in NOTES}
        columns["id"] = run.store.loaded(part, ["id"])["id"].to_pylist()
        rows += [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    by_id = {row["id"]: row for row in rows}
    leads = [row for row in rows if row["pair.lead"]]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(leads))[:count])
    low = sum(row["partition.part"] == "low" for row in rows)
    cosines = [row["pair.cosine"] for row in leads]
    return {
        "paired_share": round(2 * len(leads) / max(low, 1), 4),
        "groups": len({row["cluster.group"] for row in rows if row["cluster.group"]}),
        "cosine": {str(q): round(float(np.quantile(cosines, q)), 3) for q in (0.1, 0.5, 0.9)} if leads else {},
        "some_pairs": [_pair(leads[n], by_id[leads[n]["pair.partner"]], texts) for n in drawn],
    }


def _pair(lead: Mapping[str, Any], partner: Mapping[str, Any], texts: bool) -> dict[str, Any]:
    asked = [" ".join(load_messages(row["messages"])[0].content.split()[:WORDS]) for row in (lead, partner)]
    about = {"cosine": round(lead["pair.cosine"], 3), "cluster": lead["cluster.words"][:5]}
    return {"lead": lead["id"], "partner": partner["id"], **about, **({"begin": asked} if texts else {})}


_PAIR = ("leads", "follows", "cosine", "cluster")


def page(found: Mapping[str, Any]) -> str:
    """Return the figures as a Markdown page."""
    steps = [
        [s["step"], f"{s['seconds']:.1f}", f"{s['cpu_seconds']:.1f}", f"{s['peak_mb']:.0f}"] for s in found["steps"]
    ]
    sides = list(found["coverage"].items())
    figures = list(sides[0][1]) if sides else []
    coverage = [[side, *(f"{values[name]:g}" for name in figures)] for side, values in sides]
    clusters = [[c["cluster"], str(c["records"]), ", ".join(c["words"])] for c in found["clusters"]]
    pairs = [
        [
            p["lead"],
            p["partner"],
            f"{p['cosine']:.2f}",
            ", ".join(p["cluster"]),
            *(f"{text} ..." for text in p.get("begin", ())),
        ]
        for p in found["some_pairs"]
    ]
    parts = [
        f"{found['records']} records: " + ", ".join(f"{n} {part}" for part, n in found["parts"].items()) + ".",
        f"{found['pairs']} pairs in {found['groups']} groups: {found['paired_share']:.0%} of the low records. "
        f"{found['seconds']:.0f} s, {found['cpu_seconds']:.0f} of them on the processor; {found['peak_mb']:.0f} MB.",
        *_corrected(found["chosen"]),
        "## Time and memory of each step",
        markdown(["step", "seconds", "CPU seconds", "peak MB"], steps),
        "## Coverage and diversity",
        markdown(["side", *figures], coverage),
        *(["## Some pairs", markdown([*_PAIR, "one asks", "the other asks"][: len(pairs[0])], pairs)] if pairs else []),
        "## Clusters of the low records",
        markdown(["cluster", "records", "words"], clusters),
    ]
    return "\n\n".join(parts) + "\n"


def _corrected(chosen: Mapping[str, Any]) -> Sequence[str]:
    if "correct" not in chosen:
        return ["The ratings are taken as they are."]
    return [f"`{c['scores']}` corrected by {c['method']}: {c['reason']}" for c in chosen["correct"]]
