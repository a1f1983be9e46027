"""Puts known noise into a data file, for experiments; the truth goes into reserved columns that no stage can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from regold.engines import Engine, Request
from regold.formats import Row, with_truth, write
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.noise import LETTERS, corrupt_rows
from regold.together import together

DRAWS = 4
"""Answers drawn for an open question before the model counts as having no wrong one to offer."""


@dataclass(frozen=True)
class Corrupted:
    """How many records there are and how many were made wrong."""

    records: int
    corrupted: int


def corrupt_file(
    rows: Sequence[Row],
    out: Path,
    rate: float,
    kind: str,
    seed: int,
    *,
    within: str | None = None,
    columns: Mapping[str, str] | None = None,
    model: Mapping[str, str] | None = None,
    by: str | None = None,
    margin: Mapping[str, float] | None = None,
) -> Corrupted:
    """Write rows with exactly floor(rate x rows) of them made wrong. Raises UsageError where a kind cannot do so."""
    wrong = corrupt_rows(rows, rate, kind, seed, within=within, model=model, by=by, margin=margin)
    write(out, (with_truth(row, columns) for row in wrong))
    return Corrupted(len(wrong), sum(row.noise is not None for row in wrong))


async def confusable(engine: Engine, rows: Sequence[Row], greedy: bool = False) -> dict[str, str]:
    """Return by record id the wrong response that the model itself prefers; none where it offers no wrong one.

    With options, the wrong letter it scores highest; otherwise the first of a few sampled answers that is wrong,
    with `greedy` before them what the model says for certain: the label that its views are most likely to confirm.
    """
    found = await together([_preferred(engine, row, greedy) for row in rows])
    return {row.id: wrong for row, wrong in zip(rows, found, strict=True) if wrong is not None}


async def margins(engine: Engine, rows: Sequence[Row], wrong: Mapping[str, str]) -> dict[str, float]:
    """Return by record id how much likelier the right response is to the model than the wrong one, in nats a token.

    The least, and those below 0 all the more, are where the model itself is most easily misled.
    """

    async def margin(row: Row) -> float:
        query = row.messages[:-1]
        right = await engine.score(query, row.truth or row.messages[-1].content)
        other = await engine.score(query, wrong[row.id])
        return fmean(right.logprobs or (0.0,)) - fmean(other.logprobs or (0.0,))

    chosen = [row for row in rows if row.id in wrong]
    found = await together([margin(row) for row in chosen])
    return {row.id: one for row, one in zip(chosen, found, strict=True)}


async def _preferred(engine: Engine, row: Row, greedy: bool) -> str | None:
    query, given = row.messages[:-1], row.messages[-1].content
    truth = row.truth or given
    right = read_answer(truth, truth, row.options)
    if row.options:
        letters = [x for x in LETTERS[: len(row.options)] if not same_answer(x, right, row.options)]
        if not letters:
            return None
        scores = await together([engine.score(query, letter) for letter in letters])
        return max(zip(letters, scores, strict=True), key=lambda pair: sum(pair[1].logprobs))[0]
    drawn = [Request(query, temperature=1.0, max_tokens=64, sample=draw) for draw in range(DRAWS)]
    for request in [Request(query, max_tokens=64)] * greedy + drawn:
        said = await engine.generate(request)
        answer = read_answer(said.text, truth, row.options, said.finish)
        if answer is not None and same_answer(answer, right, row.options) is False:
            return said.text.strip()
    return None
