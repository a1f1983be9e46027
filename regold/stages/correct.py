"""Corrects noisy ratings, or says why it leaves them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import MinLen

from regold.asking import conversation
from regold.engines.base import Need
from regold.errors import RecipeError
from regold.methods.neighbours import nearest
from regold.methods.ratings.choice import FEW, NONE, Ground, Outcome, mean_of, settle
from regold.methods.ratings.neighbourly import Near
from regold.methods.ratings.regression import FOLDS, WIDE, length_features
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage
from regold.store import Table


@dataclass(frozen=True)
class CorrectRatings(Stage):
    """Note a corrected value, from the scores themselves and the texts alone (ENTP).

    The artifact holds each rater's transition matrix, prior and residual, the corrector chosen and why. Rounded half
    up, a corrected value is a class 0-5. A missing score stays missing.
    """

    scores: Annotated[tuple[str, ...], MinLen(1)] = ("rate.value",)
    """The notes to correct. Several are several raters, or disjoint samples of one: each is evidence for the others."""
    method: Literal["auto", "none", "rule", "smoothing", "regression"] = "auto"
    """How; by itself it chooses by evidence."""
    vector: str = ""
    """The note that holds each record's vector; without it, query and response are embedded here."""

    name: ClassVar[str] = "correct"
    fits: ClassVar[bool] = True
    writes: ClassVar[Mapping[str, NoteType]] = {"rate.corrected": NoteType.NUMBER}
    on: ClassVar[tuple[Status, ...]] = (
        Status.NEW,
        Status.CLEAN,
        Status.SUSPECT,
        Status.HIGH,
        Status.LOW,
        Status.REPAIRED,
    )

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The scores, and the vectors where they are noted."""
        return {
            **dict.fromkeys(self.scores, NoteType.NUMBER),
            **({self.vector: NoteType.VECTOR} if self.vector else {}),
        }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """An encoder, where no vectors are noted."""
        return {} if self.vector else {"encoder": frozenset({Need.EMBED})}

    async def fit(self, table: Table, ctx: Context) -> dict[str, Any]:
        """Choose, correct, and return the corrected scores by record id with all that led there."""
        rows = table.rows(self.on)
        ratings = [np.array([table.column(name)[row] for row in rows], dtype=np.float64) for name in self.scores]
        most, least = max(int(np.isfinite(r).sum()) for r in ratings), FEW if self.method == "auto" else 2 * FOLDS
        if most < least:
            values, told = mean_of(ratings), {"told": [f"left as they are: {most} scores, fewer than {least}"]}
        else:
            done = settle(ratings, await self._ground(table, ctx, rows), self.method, ctx.seed)
            values, told = done.values, explained(done, self.scores)
        ids = table.ids(self.on)
        scores = {id_: float(v) for id_, v in zip(ids, values, strict=True) if np.isfinite(v)}
        return {**told, "corrected": scores}

    async def _ground(self, table: Table, ctx: Context, rows: list[int]) -> Ground:
        texts = [table.messages(row) for row in rows]
        queries, responses = [conversation(m[:-1]) for m in texts], [m[-1].content for m in texts]
        if self.vector:
            vectors = table.vectors(self.vector, rows)
        elif ctx.engines.encoder is None:
            raise RecipeError("the recipe embeds records, but there is no encoder: give one with --encoder")
        else:
            whole = [f"{q}\n{r}" for q, r in zip(queries, responses, strict=True)]
            vectors = await ctx.engines.encoder.encode(whole, await ctx.engines.encoder.learn(whole))
        lengths = length_features(
            *(np.array([len(t) for t in side], dtype=np.float64) for side in (queries, responses))
        )
        return Ground.of(vectors, Near(*nearest(vectors, vectors, WIDE)), lengths, ctx.seed)

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the record's corrected score."""
        value = ctx.artifact["corrected"].get(record.id)
        if value is None:
            return Edit(reason="no score to correct")
        given = ", ".join("missing" if (g := record.notes[n]) is None else f"{g:g}" for n in self.scores)
        how = "+".join(dict.fromkeys(c["method"] for c in ctx.artifact.get("choices", []))) or NONE
        return Edit(reason=f"{given} -> {value:.2f} ({how})", notes={"rate.corrected": value})


def explained(done: Outcome, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what was chosen for each rater and why, with its transition matrix, as plain data."""
    choices = []
    for name, choice, found in zip(names, done.choices, done.diagnoses, strict=True):
        matrix = found.transition
        fitted = (
            {}
            if matrix is None
            else {
                "transition": matrix.matrix.tolist(),
                "prior": matrix.prior.tolist(),
                "residual": matrix.residual,
                "spread": matrix.spread,
                "dominant": matrix.dominant.tolist(),
                "bootstrap": found.bootstrap,
            }
        )
        about = {"method": choice.method, "reason": choice.reason, "evidence": choice.evidence}
        figures = {kind: dict(each) for kind, each in choice.figures.items()}
        doubts = {"doubts": list(found.reasons), "merged": found.merged.tolist()}
        choices.append({"scores": name, **about, "figures": figures, **doubts, **fitted})
    said = [f"{c['scores']}: {c['method']}, {c['reason']}" for c in choices]
    return {"choices": choices, "together": done.together, "told": [*said, f"together: {done.together}"]}
