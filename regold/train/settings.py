"""What a training is asked for and what it reports: its settings and its card, both plain and light to import."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from regold.errors import RecipeError, UsageError

CARD_FILE = "train.json"

Progress: TypeAlias = Callable[[int, int, float], None]
"""Called now and then with the step, the number of steps and the loss (nats per response token)."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides the weights, beside the base model and the records."""

    epochs: int = 2
    learning_rate: float = 2e-4
    """Suits LoRA on models of a billion parameters and more; a model of a million wants some 3e-3, `full` a tenth."""
    batch_size: int = 16
    """Records in one forward pass."""
    accumulate: int = 1
    """Forward passes in one step."""
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str | tuple[str, ...] = "all-linear"
    """Names of the modules LoRA adapts; `all-linear` is every linear layer except the output head."""
    warmup: float = 0.03
    """Share of the steps in which the learning rate climbs."""
    schedule: str = "cosine"
    max_length: int = 2048
    """In tokens; a longer record is left out and counted, for a cut query no longer asks what the response answers."""
    seed: int = 0
    dtype: str = "auto"
    """`auto` is bfloat16 on a GPU that has it and float32 elsewhere."""
    full: bool = False
    """Train every weight instead of LoRA's."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a fifth slower."""

    def __post_init__(self) -> None:
        """Raise RecipeError for a setting no training can have."""
        at_least_one = ("epochs", "batch_size", "accumulate", "rank", "max_length")
        wrong = [name for name in at_least_one if getattr(self, name) < 1]
        wrong += [name for name in ("dropout", "warmup") if not 0 <= getattr(self, name) < 1]
        wrong += ["learning_rate"] * (not self.learning_rate > 0)
        wrong += ["dtype"] * (self.dtype not in ("auto", "float32", "bfloat16"))
        if wrong:
            raise RecipeError(f"training cannot use {', '.join(f'{w} = {getattr(self, w)!r}' for w in wrong)}")


@dataclass(frozen=True)
class TrainCard:
    """What was trained, on what and how it went; stands beside the weights as train.json and README.md."""

    key: str
    """Digest of base model, records and settings: two trainings with one key are the same training."""
    model: str
    base: str
    """Digest of the base model's files, or its name and commit where it came from a hub."""
    data: str
    """Digest of the records with their weights, in order."""
    settings: TrainSettings
    merged: bool
    """Whether the folder holds a whole model rather than an adapter."""
    given: int
    trained: int
    left_out: Mapping[str, int]
    """Why and how many records were not trained on; given = trained + the sum of these."""
    tokens: int
    """Tokens in one epoch, of which `response_tokens` carry loss."""
    response_tokens: int
    parameters: int
    """Weights that were trained."""
    device: str
    dtype: str
    versions: Mapping[str, str]
    steps: int
    losses: tuple[tuple[int, float], ...]
    """Steps and the mean loss since the one before, in nats per response token."""
    wall_s: float

    def write(self, folder: Path) -> None:
        """Write train.json and README.md into a folder."""
        (folder / CARD_FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(self.readme(), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> TrainCard:
        """Read a card back. Raises UsageError where the folder has none."""
        try:
            held: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
            settings = held["settings"]
            if isinstance(settings["targets"], list):
                settings["targets"] = tuple(settings["targets"])
            held["losses"] = tuple((step, loss) for step, loss in held["losses"])
            return cls(**{**held, "settings": TrainSettings(**settings)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{folder} holds no finished training ({error}): give another folder") from None

    def readme(self) -> str:
        """Return the card as a model hub shows it."""
        out = ", ".join(f"{n} {why}" for why, n in self.left_out.items()) or "none"
        rows = {
            "base model": f"{self.model} (`{self.base[:16]}`)",
            "records": f"{self.trained} of {self.given}; left out: {out} (data `{self.data[:16]}`)",
            "tokens": f"{self.tokens} an epoch, {self.response_tokens} with loss",
            "method": "every weight" if self.settings.full else f"LoRA, rank {self.settings.rank}",
            "trained weights": f"{self.parameters:,}",
            "steps": f"{self.steps} ({self.settings.epochs} epochs), seed {self.settings.seed}",
            "loss": f"{self.losses[0][1]:.4f} to {self.losses[-1][1]:.4f} nats per response token",
            "run": f"{self.wall_s:.1f} s on {self.device}, {self.dtype}",
            "versions": ", ".join(f"{name} {version}" for name, version in self.versions.items()),
        }
        table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
        library = "transformers" if self.merged else "peft"
        head = f"---\nlibrary_name: {library}\ntags: [regold, sft]\n---\n# Fine-tuned by Regold\n\n"
        return f"{head}| | |\n|---|---|\n{table}\n\nSettings, losses and whole digests: {CARD_FILE}.\n"
