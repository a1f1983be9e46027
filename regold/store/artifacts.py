"""How a fit's result lies in a step's folder: arrays as npz, all else as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from regold.files import read_json, replacing, write_json


def has_artifact(folder: Path) -> bool:
    """Return whether a fit is stored."""
    return _place(folder) is not None


def write_artifact(folder: Path, artifact: Any) -> None:
    """Store a fit's result whole: a dict of arrays as npz, all else as JSON."""
    if isinstance(artifact, Mapping) and artifact and all(isinstance(v, np.ndarray) for v in artifact.values()):
        with replacing(folder / "artifact.npz") as stream:
            np.savez(stream, **artifact)
    else:
        write_json(folder / "artifact.json", artifact)


def read_artifact(folder: Path) -> Any:
    """Read a fit's result; None where there is none."""
    place = _place(folder)
    return None if place is None else _read(place, place.stat().st_mtime_ns)


def told(folder: Path) -> list[str]:
    """Return what a fit has to tell a person, the lines under `told` of its result; nothing where it has nothing."""
    place = folder / "artifact.json"
    found = read_json(place) if place.exists() else None
    return list(found.get("told", [])) if isinstance(found, dict) else []


def _place(folder: Path) -> Path | None:
    places = (folder / f"artifact.{kind}" for kind in ("json", "npz"))
    return next((place for place in places if place.exists()), None)


@lru_cache(maxsize=8)
def _read(path: Path, written_ns: int) -> Any:
    """Read an artifact; the time it was written tells a refitted one apart."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    return read_json(path)
