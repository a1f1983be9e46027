"""What a training is asked for: plain settings, light to import, and the presets that ship with the package."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from regold.errors import RecipeError
from regold.formats.rows import did_you_mean

PRESETS = Path(__file__).parent / "presets"

Progress: TypeAlias = Callable[[int, int, float], None]
"""Called now and then with the step, the number of steps and the loss (nats per response token)."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides the weights, beside the base model, the records and the number of processes."""

    epochs: int = 2
    learning_rate: float = 2e-4
    """Suits LoRA on models of a billion parameters and more; a model of a million wants some 3e-3, `full` a tenth."""
    batch_size: int = 16
    """Records in one forward pass of one process."""
    accumulate: int = 1
    """Forward passes in one step; a step sees batch_size x accumulate x processes records."""
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str | tuple[str, ...] = "all-linear"
    """Names of the modules LoRA adapts; `all-linear` is every linear layer except the output head."""
    warmup: float = 0.03
    """Share of the steps in which the learning rate climbs."""
    schedule: str = "cosine"
    """How the learning rate falls after the climb: cosine, linear or constant."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    """Longer gradients are cut to this length; 0 cuts none."""
    max_length: int = 2048
    """In tokens; a longer record is left out and counted, for a cut query no longer asks what the response answers."""
    turns: str = "auto"
    """Which assistant turns of a conversation carry loss: last or all; `auto`: those the run checked, a file's last."""
    seed: int = 0
    dtype: str = "auto"
    """`auto` is bfloat16 on a GPU that has it and float32 elsewhere."""
    full: bool = False
    """Train every weight instead of LoRA's."""
    qlora: bool = False
    """Hold the base model in four bits under LoRA (QLoRA)."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a fifth slower."""
    packing: bool = False
    """Lay a batch's records end to end instead of padding them; each reads only itself, and keeps its weight."""
    attention: str = "auto"
    """The implementation of attention, such as sdpa or flash_attention_2."""

    def __post_init__(self) -> None:
        """Raise RecipeError for a setting no training can have."""
        at_least_one = ("epochs", "batch_size", "accumulate", "rank", "alpha", "max_length")
        wrong = [name for name in at_least_one if getattr(self, name) < 1]
        wrong += [name for name in ("dropout", "warmup") if not 0 <= getattr(self, name) < 1]
        wrong += [name for name in ("weight_decay", "max_grad_norm") if not getattr(self, name) >= 0]
        wrong += ["learning_rate"] * (not self.learning_rate > 0)
        wrong += [name for name, known in _CHOICES.items() if getattr(self, name) not in known]
        wrong += ["targets"] * (not self.targets)
        if wrong:
            known = "".join(f"; {name} is one of {', '.join(_CHOICES[name])}" for name in wrong if name in _CHOICES)
            raise RecipeError(f"training cannot use {', '.join(f'{w} = {getattr(self, w)!r}' for w in wrong)}{known}")
        if self.full and self.qlora:
            raise RecipeError("training cannot be both full and qlora: four-bit weights cannot be trained")


_CHOICES = {
    "dtype": ("auto", "float32", "bfloat16"),
    "schedule": ("cosine", "linear", "constant"),
    "turns": ("auto", "last", "all"),
}


def presets() -> list[str]:
    """Return the names of the settings that come with the package."""
    return sorted(p.stem for p in PRESETS.glob("*.toml"))


def train_table(name: str) -> Mapping[str, Any]:
    """Return the `[train]` table of a shipped preset or of a TOML file, such as a recipe. Raises RecipeError."""
    path = PRESETS / f"{name}.toml" if name in presets() else Path(name)
    if not path.is_file():
        raise RecipeError(
            f"no training settings {name!r}{did_you_mean(name, presets())}; shipped: {', '.join(presets())}"
        )
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("train")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    if not isinstance(table, Mapping):
        raise RecipeError(f"{path}: has no [train] table")
    return table
