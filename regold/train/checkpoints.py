"""Where an unfinished training lies beside its output, and from which of its checkpoints it goes on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from regold.errors import UsageError
from regold.files import replacing

KEY = "training.json"


def world_size() -> int:
    """Return how many processes `accelerate launch` or `torchrun` started for this training."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first_process() -> bool:
    """Tell whether this process is the one that writes and speaks."""
    return int(os.environ.get("RANK", "0")) == 0


def scratch_of(out: Path) -> Path:
    """Return the folder beside `out` in which an unfinished training keeps its checkpoints."""
    return out.with_name(f"{out.name}.part")


def claim(scratch: Path, key: str) -> Path | None:
    """Make the folder this training's own and return its newest whole checkpoint, if any.

    Raises UsageError where the folder holds another unfinished training.
    """
    held = scratch / KEY
    if held.is_file():
        if json.loads(held.read_text(encoding="utf-8")).get("key") != key:
            raise UsageError(
                f"{scratch} holds another unfinished training (other settings, records, model or number of processes): "
                "remove it, or give another --out"
            )
        return _newest(scratch)
    if first_process():
        scratch.mkdir(parents=True, exist_ok=True)
        with replacing(held) as stream:
            stream.write(json.dumps({"key": key}).encode())
    return None


def release(scratch: Path, done: bool) -> None:
    """Remove the folder when the training is done, or where it stopped before its first checkpoint."""
    if first_process() and (done or not _newest(scratch)):
        shutil.rmtree(scratch, ignore_errors=True)


def _newest(scratch: Path) -> Path | None:
    found = [p for p in scratch.glob("checkpoint-*") if p.name.removeprefix("checkpoint-").isdigit() and _whole(p)]
    return max(found, key=lambda p: int(p.name.removeprefix("checkpoint-")), default=None)


def _whole(checkpoint: Path) -> bool:
    """Tell whether everything is there; the state is written last, random states by each process for itself."""
    world = world_size()
    states = ["rng_state.pth"] if world == 1 else [f"rng_state_{rank}.pth" for rank in range(world)]
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all((checkpoint / name).is_file() for name in (*states, "optimizer.pt", "scheduler.pt"))
