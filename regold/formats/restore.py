"""From messages back to the row they came from, in the row's own shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regold.formats.rows import NOISE, TRUTH, Columns, Row
from regold.formats.shapes import shape_of
from regold.record import Messages


def restore(
    source: Mapping[str, Any],
    format: str,
    messages: Messages,
    options: Sequence[str] = (),
    *,
    columns: Columns | None = None,
    turn: int | None = None,
) -> dict[str, Any]:
    """Return the source row with what changed put in; unchanged messages give an equal row.

    Where turns were only reworded, each text goes back to its place and everything else, turns after the response too,
    stays. Where the number or the roles of the messages differ, as after a fusion, the conversation is written anew.
    `options`: the empty sequence leaves them. `turn`: the assistant turn the messages end at, for a record `id#turn`.
    """
    shape, named = shape_of(format), columns or {}
    parsed = shape.parse(source, named)
    end = parsed.end(turn)
    row = dict(source)
    if options and tuple(options) != parsed.options:
        row = shape.with_options(row, named, options)
    old = parsed.turns[:end]
    if [t.message.role for t in old] != [m.role for m in messages]:
        rest = () if turn is None else parsed.messages[end : parsed.end()]
        return shape.rebuild(row, named, (*messages, *rest))
    for known, message in zip(old, messages, strict=True):
        if message != known.message:
            row = shape.replace(row, named, known, message)
    return row


def rejoin(
    source: Mapping[str, Any], format: str, turns: Mapping[int, Messages], *, columns: Columns | None = None
) -> dict[str, Any]:
    """Return the row of a conversation from its records `id#turn`; turns without a record stay as they were."""
    return restore(source, format, conversation(source, format, turns, columns=columns), columns=columns)


def conversation(
    source: Mapping[str, Any], format: str, turns: Mapping[int, Messages], *, columns: Columns | None = None
) -> Messages:
    """Return the messages of a conversation up to its last response, from its records `id#turn`.

    Each record speaks for its response and for what came after the response before it. Raises ValueError for a record
    that has another number of messages than the conversation had up to there.
    """
    parsed = shape_of(format).parse(source, columns or {})
    whole = list(parsed.messages[: parsed.end()])
    for turn, messages in sorted(turns.items()):
        start, end = parsed.end(turn - 1) if turn else 0, parsed.end(turn)
        if len(messages) != end:
            raise ValueError(f"turn {turn} has {len(messages)} messages, the conversation has {end} up to there")
        whole[start:end] = messages[start:end]
    return tuple(whole)


def split_id(id: str) -> tuple[str, int]:
    """Return the conversation's id and the turn of a record `id#turn`."""
    whole, _, turn = id.rpartition("#")
    return whole, int(turn)


def with_truth(row: Row, columns: Columns | None = None) -> dict[str, Any]:
    """Return a row as `regold corrupt` writes it: restored, with the true value and the noise in reserved columns."""
    restored = restore(row.source, row.format, row.messages, row.options, columns=columns, turn=row.turn)
    return restored | {TRUTH: row.truth, NOISE: row.noise}
