"""Looks at every record that was made: is it grounded in its parents, new, whole, clean, and better than they were."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from regold.asking import ask_form, conversation
from regold.engines.base import Need
from regold.formats import read_rows
from regold.methods.checks import Exchange, choose, examine
from regold.methods.drafts import Source
from regold.methods.produced import GRAVE, Produced, inspect_produced
from regold.methods.rating import RatingForm, mean
from regold.methods.similar import Contamination, near_duplicates, sketch
from regold.record import Edit, Note, NoteType, Record, Status
from regold.stage import Context, Files, Lengths, Spend, Stage, numbered
from regold.store import Table
from regold.together import together

MOST = 5
"""Unsupported sentences that are noted."""
CUT = 200
"""Characters of each."""


@dataclass(frozen=True)
class AuditProduced(Stage):
    """Note what speaks for and against each fused or mended record; with `faulty`, take out what is gravely wrong.

    Grave are an empty record, a lost or copied parent, another script, a near duplicate and evaluation text.
    """

    rater: str = ""
    """The role of another engine, such as `second`, that rates parents and product, not told which is which."""
    asks: str = "rate-correct"
    """Its prompt."""
    against: Files = ()
    """Evaluation files whose questions must not stand in what was made."""
    faulty: Literal["keep", "BORDERLINE", "DROPPED"] = "keep"
    """What becomes of a record with a grave finding."""

    name: ClassVar[str] = "produced"
    on: ClassVar[tuple[Status, ...]] = (Status.FUSED, Status.REPAIRED)
    fits: ClassVar[bool] = True
    reads: ClassVar[Mapping[str, NoteType]] = {"fuse.story": NoteType.TEXT, "fuse.outcome": NoteType.TEXT}

    @property
    def writes(self) -> Mapping[str, NoteType]:
        """The findings, the measures they rest on, and the second rater's scores."""
        rated = {"produced.before": NoteType.NUMBER, "produced.after": NoteType.NUMBER} if self.rater else {}
        return {
            "produced.found": NoteType.TEXTS,
            "produced.unsupported": NoteType.TEXTS,
            "produced.grounding": NoteType.NUMBER,
            "produced.covered": NoteType.NUMBER,
            "produced.copied": NoteType.NUMBER,
            "produced.words": NoteType.INTEGER,
            "produced.ratio": NoteType.NUMBER,
            **rated,
        }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """The second rater, where there is one."""
        return {self.rater: frozenset({Need.GENERATE})} if self.rater else {}

    @property
    def prompts(self) -> tuple[str, ...]:
        """The rating prompt, where there is a rater."""
        return (self.asks,) if self.rater else ()

    @property
    def files(self) -> Mapping[str, Path]:
        """The evaluation files."""
        return numbered(self.against, self.name)

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """Three ratings of what was made of two, which is half of what is weak."""
        if not self.rater:
            return ()
        return (Spend(self.rater, 1.5, 1.5 * (lengths.query + lengths.response + 300), 75.0),)

    async def fit(self, table: Table, ctx: Context) -> dict[str, str]:
        """Return for each produced record that nearly repeats another one that is kept the id of that one."""
        ids, kept = table.ids(), table.rows((Status.NEW, Status.CLEAN, Status.HIGH, *self.on))
        made = set(table.rows(self.on))
        rows = sorted(kept, key=lambda row: (row in made, row))
        found = near_duplicates(sketch("\n".join(m.content for m in table.messages(row)) for row in rows))
        return {ids[rows[a]]: ids[rows[b]] for a, b in found.items() if rows[a] in made}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Compare the record with its parents."""
        told = json.loads(str(record.notes["fuse.story"])) if record.notes.get("fuse.story") else {}
        parents = [Source(*texts) for texts in told.get("sources", ())]
        if not parents:
            return Edit(reason="was not made from other records")
        parents = parents[:1] if record.notes["fuse.outcome"] == "mended" else parents
        done = inspect_produced(conversation(record.query), record.response, parents)
        reasons = {**self._reasons(record, ctx), **dict.fromkeys(done.found, "")}
        notes = {**_notes(done, list(reasons)), **await self._rated(record, parents, ctx)}
        grave = [name for name in reasons if name in GRAVE]
        status = Status(self.faulty) if grave and self.faulty != "keep" else None
        said = ", ".join(f"{name} {why}".strip() for name, why in reasons.items()) or "nothing speaks against it"
        return Edit(status, said, notes=notes)

    def _reasons(self, record: Record, ctx: Context) -> dict[str, str]:
        """Return what needs more than the parents: another record, an evaluation file, the text checks."""
        found = {}
        if record.id in ctx.artifact:
            found["duplicate"] = f"of {ctx.artifact[record.id]}"
        for path in self.against:
            hit = _evaluation(path).find("\n".join(m.content for m in record.messages))
            if hit is not None:
                found["contaminated"] = f"by {hit[0]}"
        findings = examine(Exchange.of(record.messages, record.options), choose())
        return {**found, **{f"text:{f.check}": "" for f in findings}}

    async def _rated(self, record: Record, parents: Sequence[Source], ctx: Context) -> dict[str, Note]:
        if not self.rater:
            return {}
        shown = [(p.instruction, p.response) for p in parents] + [(conversation(record.query), record.response)]
        scores = await together([self._rating(ctx, query, response) for query, response in shown])
        return {"produced.before": mean(scores[:-1]), "produced.after": scores[-1]}

    async def _rating(self, ctx: Context, query: str, response: str) -> float | None:
        form = RatingForm.of(ctx.prompts.text(self.asks))

        def read(text: str, mark: str | None, as_json: bool) -> float | None:
            scores = form.read(text, mark or "")
            return scores.get("correct", scores.get("overall"))

        def schema(marked: bool) -> dict[str, Any]:
            return dict(form.schema or {})

        values = {"query": query, "response": response}
        return await ask_form(ctx, self.rater, self.asks, values, schema, read, 512)


def _notes(done: Produced, found: list[str]) -> dict[str, Note]:
    return {
        "produced.found": found,
        "produced.unsupported": [text[:CUT] for text in done.unsupported[:MOST]],
        "produced.grounding": done.grounding,
        "produced.covered": min(done.covered),
        "produced.copied": max(done.copied),
        "produced.words": done.words,
        "produced.ratio": done.ratio,
    }


@lru_cache(maxsize=8)
def _evaluation(path: Path) -> Contamination:
    rows = read_rows(path, on_bad_line="skip")
    return Contamination({f"{path.name} {r.id}": "\n".join(m.content for m in r.messages[:-1]) for r in rows}, 13)
