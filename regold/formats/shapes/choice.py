"""The format of `question`, `options` and `answer`: multiple choice, asked in letters."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regold.formats.rows import BadRow, Columns
from regold.formats.shapes.lettered import letter_columns, lettered_texts, with_lettered
from regold.formats.shapes.shape import Parsed, Turn, column, joined, like_packed, needed, put, unpacked
from regold.formats.values import as_text, kind, like
from regold.record import Message, Messages

LETTERS = string.ascii_uppercase
_QUERY, _OPTIONS = ("question", "prompt", "query", "Question"), ("options", "choices")
_RESPONSE = ("answer", "answerKey", "answer_key", "label", "response", "output", "Answer")
_DRESSED = re.compile(r"[\s(\[*\"']*([A-Za-z])[\s)\]*\"'.:]*")


@dataclass(frozen=True, slots=True)
class _Options:
    """The option texts and what the data itself calls them."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """The question and its lettered options are the user turn, the answer's letter is the response.

    The options are a list, an object, or columns named `A`, `B` and so on.
    An answer may be a letter, a label of the data's own, a 0-based index or the text of an option; it is written back
    in the same style. Any other text is kept as the response: a wrong answer is what is looked for. Without options
    the question is an open one.
    """

    name: str = "multiple-choice"
    expected: str = "question, options (or choices; or columns A, B, ...), answer"
    known: tuple[str, ...] = (*_QUERY, *_OPTIONS, *_RESPONSE)

    def fits(self, row: Mapping[str, Any], columns: Columns) -> bool:
        """Tell whether the row has a question and options."""
        if column(row, "query", _QUERY, columns) is None:
            return False
        if column(row, "options", _OPTIONS, columns) is not None:
            return True
        return bool(letter_columns(row)) and column(row, "response", _RESPONSE, columns) is not None

    def parse(self, row: Mapping[str, Any], columns: Columns) -> Parsed:
        """Return the lettered question and the letter of the answer."""
        asked = needed(row, "query", _QUERY, columns)
        answered = needed(row, "response", _RESPONSE, columns)
        if row[asked] is None:
            raise BadRow(f"{asked} is null")
        options = _options(row, columns)
        question = as_text(row[asked], asked) + lettered(options.texts)
        response = _letter(row[answered], options, answered)
        return Parsed(
            (
                Turn(Message("user", question), (asked,)),
                Turn(Message("assistant", response), (answered,), answers=True),
            ),
            options.texts,
        )

    def replace(self, row: dict[str, Any], columns: Columns, turn: Turn, message: Message) -> dict[str, Any]:
        """Replace the question, less its options, or the answer in the style it has."""
        options = _options(row, columns)
        if not turn.answers:
            return put(row, turn.place, message.content.removesuffix(lettered(options.texts)))  # type: ignore[no-any-return]
        name = str(turn.place[0])
        return row | {name: _styled(row[name], message.content, options)}

    def rebuild(self, row: dict[str, Any], columns: Columns, messages: Messages) -> dict[str, Any]:
        """Write all turns before the answer as the question."""
        asked, answered = self.parse(row, columns).turns
        row = self.replace(row, columns, asked, Message("user", joined(messages[:-1])))
        return self.replace(row, columns, answered, messages[-1])

    def with_options(self, row: dict[str, Any], columns: Columns, options: Sequence[str]) -> dict[str, Any]:
        """Return the row with other options, kept in the container the old ones had."""
        if column(row, "options", _OPTIONS, columns) is None and letter_columns(row):
            return with_lettered(row, options)
        name = needed(row, "options", _OPTIONS, columns)
        old = unpacked(row[name], name)
        new: Any = list(options)
        if isinstance(old, dict) and "text" in old and "label" in old:
            new = old | {"text": new, "label": [*old["label"], *LETTERS[len(old["label"]) :]][: len(new)]}
        elif isinstance(old, dict):
            new = dict(zip([*old, *LETTERS[len(old) :]], options, strict=False))
        return row | {name: like_packed(row[name], new)}

    def answer(self, row: Mapping[str, Any], columns: Columns, value: Any) -> str:
        """Return the letter that a value of the answer's column stands for."""
        return _letter(value, _options(row, columns), "the true value")


def lettered(options: Sequence[str]) -> str:
    """Return the options as they follow a question: a newline, then `A. text` and so on."""
    return "".join(f"\n{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False))


def _options(row: Mapping[str, Any], columns: Columns) -> _Options:
    name = column(row, "options", _OPTIONS, columns)
    value = unpacked(row[name], name) if name else lettered_texts(row) or None
    if value is None:
        return _Options((), ())
    labels: Sequence[Any] | None = None
    if isinstance(value, dict) and "text" in value and "label" in value:
        value, labels = value["text"], value["label"]
    elif isinstance(value, dict):
        value, labels = list(value.values()), list(value)
    if not isinstance(value, list):
        raise BadRow(f"{name} is {kind(value)}, expected a list of texts")
    if len(value) > len(LETTERS):
        raise BadRow(f"{name} has {len(value)} options, at most {len(LETTERS)} have a letter")
    if labels is not None and len(labels) != len(value):
        raise BadRow(f"{name} has {len(value)} texts and {len(labels)} labels")
    if any(text is None for text in value):
        raise BadRow(f"{name or 'one of the columns A, B, ...'} holds a null")
    texts = tuple(as_text(text, f"{name}[{i}]") for i, text in enumerate(value))
    return _Options(texts, tuple(map(str, labels)) if labels else tuple(LETTERS[: len(texts)]))


def _letter(value: Any, options: _Options, name: str) -> str:
    """Return the letter an answer stands for; any other text as it is. Raises BadRow for an index out of range."""
    if isinstance(value, int) and not isinstance(value, bool) and options.texts and str(value) not in options.labels:
        if not 0 <= value < len(options.texts):
            raise BadRow(f"{name} {value} is no 0-based index of {len(options.texts)} options")
        return LETTERS[value]
    text = as_text(value, name)
    place = _place(text, options)
    return text if place is None else LETTERS[place]


def _place(text: str, options: _Options) -> int | None:
    bare = text.strip()
    if bare in options.labels:
        return options.labels.index(bare)
    if text in options.texts or bare in options.texts:
        return options.texts.index(text if text in options.texts else bare)
    dressed = _DRESSED.fullmatch(bare)
    if dressed and dressed[1].upper() in options.labels:
        return options.labels.index(dressed[1].upper())
    index = int(bare) if len(bare) < 3 and bare.isascii() and bare.isdecimal() else len(options.texts)
    return index if index < len(options.texts) else None


def _styled(old: Any, text: str, options: _Options) -> Any:
    """Return a new answer in the style of the old one: index, option text, label or dressed letter."""
    place = LETTERS.find(text) if len(text) == 1 else -1
    if not 0 <= place < len(options.texts):
        return text
    label = options.labels[place]
    if not isinstance(old, str):
        indexed = isinstance(old, int) and not isinstance(old, bool) and str(old) not in options.labels
        return place if indexed else like(old, label)
    # an option's text can look like another one's letter
    return new if _place(new := _worded(old, place, options), options) == place else label


def _worded(old: str, place: int, options: _Options) -> str:
    bare, label = old.strip(), options.labels[place]
    dressed = _DRESSED.fullmatch(bare)
    if bare in options.labels:
        return label
    if old in options.texts or bare in options.texts:
        return options.texts[place]
    if dressed and dressed[1].upper() in options.labels:
        at = old.index(dressed[1])
        return old[:at] + (label.lower() if dressed[1].islower() else label) + old[at + 1 :]
    return str(place) if bare.isdecimal() else label
