"""Known noise for experiments: exactly so many wrong responses, the truth kept, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import inf
from random import Random
from typing import Any, ClassVar, Protocol, TypeVar

from regold.errors import UsageError
from regold.methods import spoil
from regold.methods.pools import Pool, plain, same, seeded
from regold.record import Messages

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FREE_TEXT = ("truncate", "swap", "fact", "off-topic", "empty", "placeholder", "repetition")
KINDS = ("symmetric", "pair", "model", *FREE_TEXT, "free-text", "instruction", "structured", "adversarial")
"""`free-text` mixes the seven before it; `instruction` leaves the response and spoils the question.

`structured` strikes group after group, each of them wrong in one way; `adversarial` strikes where the model errs most.
"""


class Given(Protocol):
    """A record as a frozen dataclass; `truth` and `noise` are where the noise is written down."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def id(self) -> str:
        """Return the record's id."""

    @property
    def messages(self) -> Messages:
        """Return the conversation, the response last."""

    @property
    def options(self) -> tuple[str, ...]:
        """Return the texts of the legal answers; the response is then a letter."""

    @property
    def source(self) -> Mapping[str, Any]:
        """Return the original row, where the column `within` is looked up."""

    @property
    def truth(self) -> str | None:
        """Return the true value where it is known already, else None."""

    @property
    def noise(self) -> str | None:
        """Return the noise put in before, or None."""


R = TypeVar("R", bound=Given)


def corrupt_rows(
    rows: Sequence[R],
    rate: float,
    kind: str,
    seed: int,
    *,
    within: str | None = None,
    model: Mapping[str, str] | None = None,
    by: str | None = None,
    margin: Mapping[str, float] | None = None,
) -> list[R]:
    """Return the rows in order, exactly floor(rate x rows) of them wrong in the given way.

    Every row gets its `truth`: the response before the noise, with `instruction` the question for those spoiled. The
    wrong ones get `noise`, the kind that struck. Whether and how a row is struck depends on its id, the seed and the
    data, never on the rate: a lower rate strikes a part of the rows that a higher one does, in the same way.
    Rows that a kind cannot strike, such as one whose pool of answers holds no other, are passed over for the next.
    `within` names a column of the source: only rows with equal values there lend each other answers.
    `model` gives the wrong response by record id, for the kinds `model` and `adversarial`; `margin`, for the latter,
    how much better the model likes the right one: the least is struck first.
    `by` names the column whose equal values are one group of `structured` noise; without it, an open question's group
    are the records with its right answer.
    Raises UsageError for an unknown kind, rate or column, and where too few rows can be struck.
    """
    _check(rows, rate, kind, {"share answers within": within, "group records by": by}, model)
    noise = _Noise(rows, seed, within, model or {}, by)
    wanted = count(rate, len(rows))
    struck: dict[str, R] = {}
    for row in noise.order(kind, margin or {}):
        if len(struck) == wanted:
            break
        if (wrong := noise.strike(row, kind)) is not None:
            struck[row.id] = wrong
    if len(struck) < wanted:
        raise UsageError(f"only {len(struck)} of the {wanted} records asked for can be corrupted by {kind!r} noise")
    return [struck.get(row.id) or _with(row, truth=_true(row)) for row in rows]


def count(rate: float, rows: int) -> int:
    """Return floor(rate x rows), the rate taken as the decimal it is written as."""
    return int(Fraction(str(rate)) * rows)


def ranked(rows: Iterable[R], seed: int) -> list[R]:
    """Return the rows in the order in which noise strikes them: by a seeded hash of the id."""
    return sorted(rows, key=lambda row: (seeded(seed, "rank", row.id), row.id))


def _true(row: Given) -> str:
    return row.messages[-1].content if row.truth is None else row.truth


def _with(row: R, **changes: Any) -> R:
    return replace(row, **changes)


def _check(
    rows: Sequence[Given], rate: float, kind: str, columns: Mapping[str, str | None], model: Mapping[str, str] | None
) -> None:
    if kind not in KINDS:
        raise UsageError(f"unknown noise {kind!r}; there are {', '.join(KINDS)}")
    if not 0 <= rate <= 1:
        raise UsageError(f"the rate is {rate}; it must lie between 0 and 1")
    if kind in ("model", "adversarial") and model is None:
        raise UsageError(f"noise of the kind {kind!r} needs the wrong response that the model prefers, by record id")
    for use, column in columns.items():
        if column is not None and rows and not any(column in row.source for row in rows):
            raise UsageError(f"no record has the column {column!r} to {use}")
    if kind == "structured" and columns["group records by"] is None and any(row.options for row in rows):
        raise UsageError("structured noise on multiple choice needs the column to group records by (--by)")


@dataclass(frozen=True)
class _Noise:
    """The kinds of noise over one data set, with what they draw from."""

    rows: Sequence[Given]
    seed: int
    within: str | None
    model: Mapping[str, str]
    by: str | None

    def order(self, kind: str, margin: Mapping[str, float]) -> list[Any]:
        """Return the rows in the order in which a kind strikes them."""
        rows = ranked(self.rows, self.seed)
        if kind == "structured":
            return sorted(rows, key=lambda row: seeded(self.seed, "group", self._struck_with(row)))
        return sorted(rows, key=lambda row: margin.get(row.id, inf)) if kind == "adversarial" else rows

    def strike(self, row: R, kind: str) -> R | None:
        """Return the row made wrong, or None where this kind cannot."""
        chance = Random(seeded(self.seed, kind, row.id))
        if kind == "instruction":
            return self._misasked(row, chance)
        kinds = chance.sample(FREE_TEXT, len(FREE_TEXT)) if kind == "free-text" else [kind]
        for name in kinds:
            wrong = self._responses[name](row, chance)
            if wrong is not None and not same(wrong, _true(row)):
                messages = (*row.messages[:-1], replace(row.messages[-1], content=wrong))
                return _with(row, messages=messages, truth=_true(row), noise=name)
        return None

    @cached_property
    def _responses(self) -> dict[str, Callable[[Given, Random], str | None]]:
        return {
            "symmetric": self._symmetric,
            "pair": self._pair,
            "model": self._preferred,
            "adversarial": self._preferred,
            "structured": lambda row, chance: self._mistaken_alike(row),
            "swap": self._swapped,
            "fact": lambda row, chance: spoil.fact(_true(row), self._names, chance),
            "truncate": lambda row, chance: spoil.truncated(_true(row), chance),
            "repetition": lambda row, chance: spoil.repeated(_true(row), chance),
            "off-topic": lambda row, chance: chance.choice(spoil.OFF_TOPIC),
            "placeholder": lambda row, chance: chance.choice(spoil.PLACEHOLDERS),
            "empty": lambda row, chance: "",
        }

    def _symmetric(self, row: Given, chance: Random) -> str | None:
        if not row.options:
            return self._swapped(row, chance)
        wrong = _wrong_letters(row)
        return chance.choice(wrong) if wrong else None

    def _pair(self, row: Given, chance: Random) -> str | None:
        if not row.options:
            return self._pools[self._group(row)].mistaken(_true(row), self.seed)
        later = [letter for letter in _wrong_letters(row) if letter > _true(row)]
        return next(iter(later or _wrong_letters(row)), None)

    def _preferred(self, row: Given, chance: Random) -> str | None:
        wrong = self.model.get(row.id)
        if wrong is None or not row.options or wrong in _letters(row):
            return wrong
        raise UsageError(f"the model's answer {wrong!r} to the record {row.id} is none of {', '.join(_letters(row))}")

    def _mistaken_alike(self, row: Given) -> str | None:
        """Make the same mistake throughout a group: the letter so many places on, or one other answer for an answer."""
        way = seeded(self.seed, "way", self._struck_with(row))
        if not row.options:
            return self._pools[self._group(row)].other(_true(row), Random(seeded(way, plain(_true(row)))))
        wrong = _wrong_letters(row)
        after = [letter for letter in wrong if letter > _true(row)]
        cycle = after + wrong[: len(wrong) - len(after)]
        return cycle[way % len(cycle)] if cycle else None

    def _struck_with(self, row: Given) -> str:
        return repr(row.source.get(self.by)) if self.by else f"{self._group(row)} {plain(_true(row))}"

    def _swapped(self, row: Given, chance: Random) -> str | None:
        if row.options:
            return self._symmetric(row, chance)
        return self._pools[self._group(row)].other(_true(row), chance)

    def _misasked(self, row: R, chance: Random) -> R | None:
        place = max((i for i, m in enumerate(row.messages) if m.role == "user"), default=None)
        if place is None:
            return None
        question, tail = _asked(row.messages[place].content, row.options)
        drawn = self._questions.other(question, chance)
        ways = [drawn, spoil.truncated(question, chance), chance.choice(spoil.OFF_TOPIC_QUESTIONS)]
        wrong = next((w for w in chance.sample(ways, len(ways)) if w is not None and not same(w, question)), None)
        if wrong is None:
            return None
        said = replace(row.messages[place], content=wrong + tail)
        messages = (*row.messages[:place], said, *row.messages[place + 1 :])
        return _with(row, messages=messages, truth=question + tail, noise="instruction")

    def _group(self, row: Given) -> str:
        return "" if self.within is None else repr(row.source.get(self.within))

    @cached_property
    def _pools(self) -> dict[str, Pool]:
        groups: dict[str, list[str]] = {}
        for row in self.rows:
            groups.setdefault(self._group(row), []).append(_true(row))
        return {name: Pool.of(answers) for name, answers in groups.items()}

    @cached_property
    def _questions(self) -> Pool:
        asked = (next((m.content for m in reversed(r.messages) if m.role == "user"), "") for r in self.rows)
        return Pool.of(_asked(text, row.options)[0] for text, row in zip(asked, self.rows, strict=True))

    @cached_property
    def _names(self) -> list[str]:
        return spoil.names(_true(row) for row in self.rows)


def _letters(row: Given) -> list[str]:
    return list(LETTERS[: len(row.options)])


def _wrong_letters(row: Given) -> list[str]:
    """Return the letters of the options that are not the true one, nor worded like it."""
    texts = dict(zip(_letters(row), row.options, strict=False))
    true = texts.get(_true(row))
    return [letter for letter, text in texts.items() if letter != _true(row) and (true is None or not same(text, true))]


def _asked(text: str, options: Sequence[str]) -> tuple[str, str]:
    """Split a question from the lettered options below it."""
    tail = "".join(f"\n{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return (text.removesuffix(tail), tail) if tail and text.endswith(tail) else (text, "")
