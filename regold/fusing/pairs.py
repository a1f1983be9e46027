"""Two records fused into one, or one mended alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from regold.asking import asked, conversation
from regold.engines.base import Request
from regold.fusing.loop import Limits, Loop, Version
from regold.methods.checklist import Kind
from regold.methods.drafts import Draft, Source
from regold.record import Record
from regold.stage import Context
from regold.together import together


async def answer_directly(ctx: Context, record: Record, max_tokens: int) -> str:
    """Return the model's own answer to a record without showing it the stored one; empty where it was cut off."""
    said = await ctx.ask("student", Request(asked(ctx, "direct", record), max_tokens=max_tokens))
    return "" if said.finish == "length" else said.text.strip()


def source_of(record: Record, answer: str) -> Source:
    """Return a record as a source of a merge."""
    return Source(conversation(record.query), record.response, answer)


@dataclass(frozen=True)
class Fusion:
    """What came of a pair: the final draft, or None where nothing could be vouched for."""

    outcome: str
    """`fused at once`, `fused after rounds`, `mended` or `refused`."""
    reason: str
    final: Draft | None
    best: Version | None
    versions: tuple[Version, ...]
    stopped: Mapping[str, str]
    sources: tuple[Source, ...]

    @property
    def fused(self) -> bool:
        """Return whether the pair became one record."""
        return self.outcome.startswith("fused")

    def story(self) -> dict[str, Any]:
        """Return the whole trajectory as plain data."""
        return {
            "outcome": self.outcome,
            "stopped": dict(self.stopped),
            "answers": [source.answer for source in self.sources],
            "sources": [[source.instruction, source.response, source.answer] for source in self.sources],
            "versions": [version.as_json() for version in self.versions],
        }


async def fuse_pair(ctx: Context, lead: Record, partner: Record, limits: Limits, mend: bool) -> Fusion:
    """Fuse two records; with `mend`, a pair that does not fuse gives the lead a repair of its own (ENTP)."""
    answers = await together([answer_directly(ctx, record, limits.max_tokens) for record in (lead, partner)])
    sources = (source_of(lead, answers[0]), source_of(partner, answers[1]))
    loop = Loop(ctx, sources, limits)
    await loop.merge()
    if loop.best is not None:
        await loop.answer()
    if loop.sound and loop.best is not None:
        kept = sum(version.accepted for version in loop.versions if version.template != "check")
        outcome = "fused at once" if kept == 1 else "fused after rounds"
        reason = f"{outcome} with {partner.id}: {loop.best.loss}; {_ended(loop.stopped)}"
        return _fusion(loop, outcome, reason, loop.best.draft)
    why = f"not fused with {partner.id}: {_unsound(loop)}"
    if mend:
        alone = await mend_one(ctx, sources[0], limits)
        whole = replace(
            alone,
            versions=(*loop.versions, *alone.versions),
            stopped={**loop.stopped, **alone.stopped},
            sources=sources,
        )
        return replace(whole, reason=f"{why}; {alone.reason}")
    return _fusion(loop, "refused", why, None)


async def mend_one(ctx: Context, source: Source, limits: Limits) -> Fusion:
    """Repair one record's response under the checklist; its instruction stays as it is."""
    loop = Loop(ctx, (source,), limits)
    await loop.answer("mend", Draft(source.instruction, source.response))
    changed = loop.best is not None and loop.best.round > 0
    if changed and loop.sound and loop.best is not None:
        return _fusion(loop, "mended", f"mended alone: {loop.best.loss}", loop.best.draft)
    nothing_better = loop.best is not None and (loop.sound or not changed)
    why = "no better response was found" if nothing_better else _unsound(loop)
    return _fusion(loop, "refused", f"not mended: {why}", None)


async def refine_one(ctx: Context, source: Source, limits: Limits) -> Fusion:
    """Rewrite one record's response by the model's own feedback, the last version standing (arXiv 2303.17651)."""
    loop = Loop(ctx, (source,), limits)
    await loop.refine(Draft(source.instruction, source.response))
    if loop.best is None or loop.best.round == 0 or loop.best.draft is None:
        return _fusion(loop, "refused", f"not refined: {loop.stopped['refine']}", None)
    return _fusion(loop, "mended", f"refined in {loop.best.round} rounds", loop.best.draft)


def _fusion(loop: Loop, outcome: str, reason: str, final: Draft | None) -> Fusion:
    return Fusion(outcome, reason, final, loop.best, tuple(loop.versions), loop.stopped, loop.sources)


def _ended(stopped: Mapping[str, str]) -> str:
    return ", ".join(f"{cycle} ended: {why}" for cycle, why in stopped.items())


def _unsound(loop: Loop) -> str:
    """Say what stands against the best version there is."""
    if loop.best is None or loop.best.loss is None:
        return next((why for why in reversed(loop.stopped.values())), "no version")
    first = min((f for f in loop.best.faults if f.major), key=lambda f: list(Kind).index(f.kind))
    return f"{loop.best.loss}; {first.kind.replace('_', ' ')}: {first.detail}"
