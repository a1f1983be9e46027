"""Which model in this process a name means: a shipped checkpoint, a folder, an adapter on its base, or a hub name."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from regold.errors import UsageError

LAB = "lab"
LABS = {LAB: "model", "lab-fuse": "model-fuse"}
"""The checkpoints that are shipped, and their folders."""


def lab_folder(name: str = LAB) -> Path:
    """Return the folder of a shipped checkpoint."""
    return Path(__file__).parent.parent / "lab" / LABS[name]


def model_place(name: str) -> str:
    """Return the folder or the hub name that a model's name means. Raises UsageError for what cannot be either."""
    if name in LABS:
        return str(lab_folder(name))
    if Path(name).is_dir() or _hub_name(name):
        return name
    raise UsageError(
        f"no model {name}: there is no such folder{_near(name)}. Give a folder, OWNER/NAME for a model of the hub, "
        "`lab`, or a server with --base-url"
    )


def model_and_adapter(name: str) -> tuple[str, str | None]:
    """Return a model's place and the adapter on it: a folder with an adapter stands for it on its recorded base.

    Raises UsageError where there is no such model, or the base is not here or no longer what it was.
    """
    place = model_place(name)
    return (_base(Path(place)), place) if is_adapter(place) else (place, None)


def is_adapter(place: str) -> bool:
    """Return whether a folder holds a LoRA adapter rather than a whole model."""
    return (Path(place) / "adapter_config.json").is_file()


def shipped(name: str) -> str | None:
    """Return which shipped checkpoint a name is, or the adapter in that folder was trained on; None for neither."""
    if name in LABS:
        return name
    return _shipped(_recorded(Path(name) / "train.json").get("base")) if is_adapter(name) else None


def _base(adapter: Path) -> str:
    base = _recorded(adapter / "adapter_config.json").get("base_model_name_or_path") or ""
    digest = _recorded(adapter / "train.json").get("base")
    if found := _shipped(digest):
        return str(lab_folder(found))
    cure = f"give the base as --model and {adapter} as --adapter"
    if base and Path(base).is_dir():
        if digest and digest != _digest(Path(base)):
            raise UsageError(f"{adapter} is an adapter on {base}, which has changed since: if you want it so, {cure}")
    elif not _hub_name(base):
        raise UsageError(f"{adapter} is an adapter on {base or 'a model it does not name'}, which is not here: {cure}")
    return str(base)


def _shipped(digest: str | None) -> str | None:
    return next((name for name in LABS if digest and digest == _digest(lab_folder(name))), None)


def _digest(folder: Path) -> str:
    from regold.engines.weights import folder_digest

    return folder_digest(folder)


def _recorded(file: Path) -> dict[str, Any]:
    """Return what a JSON file beside an adapter records; nothing where there is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _hub_name(name: str) -> bool:
    return name.count("/") == 1 and name[0] not in "./~" and not name.endswith("/")


def _near(name: str) -> str:
    folder = Path(name).parent
    models = [p.parent for p in folder.glob("*/*config.json")] if folder.is_dir() else []
    near = get_close_matches(Path(name).name, [p.name for p in models], 1)
    return f"; did you mean {folder / near[0]}?" if near else ""
