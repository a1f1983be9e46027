"""What a run came to, as a table for people: fates, what each step did, what was paid, what was lost, and the truth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from regold.outcome import tally
from regold.record import Fate
from regold.store.fates import PastRun, summary
from regold.truth import known_truth

REASONS = 8
"""So many reasons are listed at most."""
_LOST = (Fate.DROPPED, Fate.FAILED, Fate.BORDERLINE)
_OWN = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s:,;()]*\d[^\s:,;()]*")
"""What tells one record's reason from another's: quoted words, ids and figures."""


def ledger_lines(run: PastRun) -> Iterator[str]:
    """Yield the lines that tell a person what a run is and came to; of one that was broken off, how far it got."""
    found = summary(run)
    sizes = [run.store.loaded(part, ["id"]).num_rows for part in run.store.parts()]
    rejected = f", {found['rejected']} lines rejected" if found.get("rejected") else ""
    yield f"{found['run']}: recipe {found['recipe']} on {found['source']}, {sum(sizes)} records{rejected}"
    if not found["finished"]:
        yield "not finished: run its command again"
    yield from _fates(found.get("fates", {}))
    yield from _steps(run, sizes)
    paid = tally(run.store)
    yield f"\ncalls {paid.answered}, {paid.prompt_tokens} prompt and {paid.completion_tokens} completion tokens"
    if "fates" in found:
        yield from _reasons(run)
        yield from _truth(known_truth(run))
    yield from ("", *found["told"]) if "told" in found else ()


def _fates(fates: Mapping[str, int]) -> Iterator[str]:
    met = {fate: count for fate, count in fates.items() if count}
    if met:
        yield f"\n{'fate':16} {'records':>8}  share"
    for fate, count in met.items():
        yield f"{fate:16} {count:8}  {count / sum(met.values()):.1%}"


def _steps(run: PastRun, sizes: list[int]) -> Iterator[str]:
    yield f"\n{'step':16} {'records':>8}  what became of them"
    for step in run.steps:
        done = [part for part in run.store.parts() if run.store.has_edits(step, part)]
        moved = [s for part in done for s in run.store.edits(step, part, ["status"])["status"].to_pylist()]
        said = [f"{count} {status}" for status, count in Counter(s for s in moved if s).most_common()]
        missing = sum(sizes) - sum(sizes[part] for part in done)
        said += [f"{missing} not looked at yet"] * bool(missing)
        yield f"{step.name:16} {len(moved):8}  {', '.join(said) or 'no status changed'}"


def _reasons(run: PastRun) -> Iterator[str]:
    why: Counter[tuple[str, str]] = Counter()
    for end in run.ended():
        if end.fate in _LOST:
            why[str(end.fate), _OWN.sub("...", end.reason)] += 1
    if why:
        yield "\nwhy records were not kept"
    for (fate, reason), count in why.most_common(REASONS):
        yield f"{fate:16} {count:8}  {reason}"
    if len(why) > REASONS:
        yield f"{'others':16} {sum(n for _, n in why.most_common()[REASONS:]):8}"


def _truth(found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        return
    yield "\nagainst the known truth, as far as texts alone tell what is right"
    if wrong := found["made_wrong"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in wrong.items())
        yield f"{'made wrong':16} {sum(wrong.values()):8}  {kinds}"
    if seen := found["detection"]:
        figures = f"precision {seen['precision']:.3f}, recall {seen['recall']:.3f}, F1 {seen['f1']:.3f}"
        yield f"{'suspects':16} {seen['flagged']:8}  {figures}; {seen['wrong']} were wrong"
    if repairs := found["repairs"]:
        after = (
            "" if repairs["right_after"] is None else f", {repairs['right_after']:.1%} of the {repairs['kept']} kept"
        )
        yield f"{'reviewed':16} {repairs['repaired']:8}  {repairs['right_before']:.1%} right{after}"
    for name, counted in (("given", found["given"]), ("kept or repaired", found["kept_or_repaired"])):
        share = f"{counted['right'] / counted['records']:.1%} right" if counted["records"] else ""
        unsure = f", {counted['undecided']} only a judge could tell" if counted["undecided"] else ""
        yield f"{name:16} {counted['records']:8}  {share}{unsure}".rstrip()
