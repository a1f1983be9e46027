"""How rows of each format hold a conversation, and how a changed one is put back."""

from __future__ import annotations

from regold.errors import InputError
from regold.formats.rows import did_you_mean
from regold.formats.shapes.alpaca import Alpaca
from regold.formats.shapes.chat import Chat
from regold.formats.shapes.choice import Choice
from regold.formats.shapes.pairs import Pairs
from regold.formats.shapes.shape import Parsed, Shape, Turn

SHAPES: tuple[Shape, ...] = (
    Chat("messages", "role", "content"),
    Chat("sharegpt", "from", "value"),
    Choice(),
    Alpaca(),
    Pairs(),
)
"""The formats, the most telling first: where a row fits two, the earlier one is meant."""

FORMATS = tuple(shape.name for shape in SHAPES)


def shape_of(name: str) -> Shape:
    """Return the format of that name. Raises InputError with a did-you-mean for an unknown one."""
    for shape in SHAPES:
        if shape.name == name:
            return shape
    raise InputError(f"unknown format {name!r}{did_you_mean(name, FORMATS)}; there are {', '.join(FORMATS)}")


__all__ = ["FORMATS", "SHAPES", "Parsed", "Shape", "Turn", "shape_of"]
