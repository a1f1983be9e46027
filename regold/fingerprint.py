"""A stable digest of plain values: what decides an answer goes in, anything without a stable form is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any


def digest(*values: Any) -> str:
    """Return the SHA-256 hex digest of the values' canonical form.

    Raises TypeError for anything whose form could differ between two runs: paths, functions, objects with an address.
    """
    return hashlib.sha256(canonical(list(values)).encode()).hexdigest()


def canonical(value: Any) -> str:
    """Return the one JSON text that stands for a value, with its types kept apart."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return ["enum", type(value).__name__, _plain(value.value)]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return ["float", value.hex()]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if is_dataclass(value) and not isinstance(value, type):
        return ["data", type(value).__name__, {f.name: _plain(getattr(value, f.name)) for f in fields(value)}]
    if isinstance(value, Mapping):
        if not all(isinstance(k, str) for k in value):
            raise TypeError("a mapping enters a fingerprint only with text keys")
        return ["map", {k: _plain(v) for k, v in value.items()}]
    if isinstance(value, AbstractSet):
        return ["set", sorted(canonical(v) for v in value)]
    if isinstance(value, Sequence):
        return ["list", [_plain(v) for v in value]]
    raise TypeError(f"a {type(value).__name__} has no stable form and cannot enter a fingerprint")


def file_digest(path: Path) -> str:
    """Return the SHA-256 hex digest of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
