"""The context view: the model answers a suspect query after its nearest clean neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt

from regold.asking import conversation, in_context
from regold.engines.base import Need, Request
from regold.methods.answers import read_answer
from regold.methods.neighbours import nearest
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Lengths, Spend, Stage
from regold.store import Table


@dataclass(frozen=True)
class RelabelWithNeighbours(Stage):
    """Answer anew after the k nearest clean pairs: y_cont = M(q | (q_1, y_1), ..., (q_k, y_k)) (RobustFT, eq. 4-5).

    The suspect response is never shown. Shots stand nearest last; with fewer clean neighbours there are fewer, down to
    none.
    """

    k: Annotated[int, Ge(0)] = 3
    max_tokens: Annotated[int, Gt(0)] = 1024
    logprobs: bool = True
    """Note the answer's mean negative log-likelihood (eq. 7); turn off for servers without log-probabilities."""

    name: ClassVar[str] = "relabel"
    on: ClassVar[tuple[Status, ...]] = (Status.SUSPECT,)
    fits: ClassVar[bool] = True
    prompts: ClassVar[tuple[str, ...]] = ("context",)
    reads: ClassVar[Mapping[str, NoteType]] = {"embed.vector": NoteType.VECTOR}
    writes: ClassVar[Mapping[str, NoteType]] = {
        "relabel.neighbours": NoteType.TEXTS,
        "relabel.similarities": NoteType.VECTOR,
        "relabel.text": NoteType.TEXT,
        "relabel.answer": NoteType.TEXT,
        "relabel.mean_nll": NoteType.NUMBER,
    }

    @property
    def needs(self) -> Mapping[str, frozenset[Need]]:
        """A student that generates, with log-probabilities where they are noted."""
        return {"student": frozenset({Need.GENERATE, Need.LOGPROBS} if self.logprobs else {Need.GENERATE})}

    def spends(self, lengths: Lengths) -> Sequence[Spend]:
        """One call that reads k pairs and the query."""
        return (Spend("student", 1, (self.k + 1) * lengths.query + self.k * lengths.response, lengths.response),)

    async def fit(self, table: Table, ctx: Context) -> dict[str, list[list[Any]]]:
        """Return each suspect's neighbours as [id, cosine], nearest last: no duplicates of it, only CLEAN records."""
        suspect, clean = table.rows(self.on), table.rows((Status.CLEAN,))
        vectors = [table.vectors("embed.vector", rows) for rows in (suspect, clean)]
        texts = [
            [" ".join(conversation(table.messages(row)[:-1]).split()) for row in rows] for rows in (suspect, clean)
        ]
        found, cosines = nearest(vectors[0], vectors[1], self.k, groups=(texts[0], texts[1]))
        ids, clean_ids = table.ids(self.on), table.ids((Status.CLEAN,))
        return {
            id_: [[clean_ids[row], float(cosine)] for row, cosine in zip(rows, near, strict=True) if row >= 0][::-1]
            for id_, rows, near in zip(ids, found.tolist(), cosines.tolist(), strict=True)
        }

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Note the model's answer after the neighbours."""
        near = ctx.artifact.get(record.id, [])
        shots = ctx.lookup([id_ for id_, _ in near])
        messages = in_context(ctx, "context", record, shots)
        said = await ctx.ask("student", Request(messages, max_tokens=self.max_tokens, logprobs=self.logprobs))
        answer = read_answer(said.text, record.response, record.options, said.finish)
        notes = {"relabel.text": said.text, "relabel.answer": answer, "relabel.mean_nll": said.mean_nll}
        return Edit(
            notes={"relabel.neighbours": [i for i, _ in near], "relabel.similarities": [s for _, s in near], **notes}
        )
