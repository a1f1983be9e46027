"""Strict JSON values: what a row may hold and how it is parsed and printed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from regold.formats.rows import RAW_LIMIT, BadRow

_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


def kind(value: Any) -> str:
    """Return what a value is, in words."""
    return "null" if value is None else _NAMES.get(type(value), type(value).__name__)


def parse(text: str) -> Any:
    """Parse one strict JSON text. Raises BadRow for torn JSON, NaN, infinities and lone surrogates."""
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadRow(f"not JSON: {explain(error)} at character {error.pos + 1}") from None
    except RecursionError:
        raise BadRow("nested too deeply") from None
    except ValueError as error:
        raise BadRow(f"not JSON: {error}") from None
    check_text(value, text)
    return value


def explain(error: json.JSONDecodeError) -> str:
    """Return the parser's complaint, in words for people where it is known."""
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
        return "it ends in the middle"
    return {"Extra data": "something follows the record"}.get(error.msg, error.msg.lower())


def check_text(value: Any, text: str) -> None:
    """Raise BadRow where a value parsed from `text` holds half a surrogate pair, which no UTF-8 file can hold."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    try:
        dump(value).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise BadRow(f"half of a character: \\u{ord(half):04x} stands alone, its other half is missing") from None


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value; write null")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)


def dump(value: Any) -> str:
    """Return one line of JSON. Raises ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def snippet(value: Mapping[str, Any]) -> str:
    """Return the beginning of a row as JSON, for a reject."""
    return json.dumps(value, ensure_ascii=False, default=str)[:RAW_LIMIT]


def as_text(value: Any, what: str) -> str:
    """Return a scalar as text, null as the empty text. Raises BadRow for a list or an object."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise BadRow(f"{what} is {kind(value)}, expected text")


def as_number(value: Any) -> float | None:
    """Return a number, or a text that spells one, if it is finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def like(old: Any, text: str) -> Any:
    """Return `text` in the type of the value it replaces: a number stays a number where the text is one."""
    if isinstance(old, list):
        return [{"type": "text", "text": text}]
    if old is None or isinstance(old, str):
        return text
    try:
        new = DECODER.decode(text)
    except ValueError:
        return text
    alike = isinstance(new, bool) == isinstance(old, bool) and isinstance(new, bool | int | float)
    return new if alike and json.dumps(new) == text else text
