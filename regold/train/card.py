"""What a training reports: its card, as JSON for programs and as a page for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from regold.errors import UsageError
from regold.train.settings import TrainSettings

CARD_FILE = "train.json"
_SHOWN = 10


@dataclass(frozen=True)
class TrainCard:
    """What was trained, on what and how it went; stands beside the weights as train.json and README.md."""

    key: str
    """Digest of base model, records, settings, template and processes: one key, one training."""
    model: str
    base: str
    """Digest of the base model's files, or its name and commit where it came from a hub."""
    data: str
    """Digest of the records with their weights, in order."""
    template: str
    """Digest of the chat template."""
    settings: TrainSettings
    merged: bool
    """Whether the folder holds a whole model rather than an adapter."""
    given: int
    trained: int
    left_out: Mapping[str, int]
    """Why and how many records were not trained on; given = trained + the sum of these."""
    sequences: int
    """How many token sequences the records became: more than records where a template rewrites earlier turns."""
    tokens: int
    """Tokens in one epoch, of which `response_tokens` carry loss."""
    response_tokens: int
    parameters: int
    """Weights that were trained."""
    device: str
    dtype: str
    processes: int
    versions: Mapping[str, str]
    steps: int
    resumed_from: int
    """The step of the checkpoint this training went on from; 0 if it was never broken off."""
    losses: tuple[tuple[int, float], ...]
    """Steps and the mean loss since the one before, in nats per response token."""
    wall_s: float
    """Of the whole command, since it was last started."""
    tokens_per_s: float
    """Over the steps alone, all processes together."""
    peak_memory: int
    """Bytes: the most that this process held at once, on its GPU where there is one, else in memory."""
    weights: tuple[float, float] = (1.0, 1.0)
    """The least and the greatest weight of the records given, those of weight 0 aside."""

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
            held["weights"] = tuple(held.get("weights", (1.0, 1.0)))
            held["losses"] = tuple((step, loss) for step, loss in held["losses"])
            return cls(**{**held, "settings": TrainSettings(**settings)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{folder} holds no finished training ({error}): give another folder") from None

    def readme(self) -> str:
        """Return the card as a model hub shows it."""
        table = "\n".join(f"| {name} | {value} |" for name, value in self._rows().items())
        curve = "\n".join(f"| {step} | {loss:.4f} |" for step, loss in _thinned(self.losses))
        library = "transformers" if self.merged else "peft"
        head = f"---\nlibrary_name: {library}\ntags: [regold, sft]\n---\n# Fine-tuned by Regold\n\n"
        return (
            f"{head}| | |\n|---|---|\n{table}\n\n## Loss\n\nNats per response token, mean since the step before.\n\n"
            f"| step | loss |\n|---|---|\n{curve}\n\nSettings, losses and whole digests: {CARD_FILE}.\n"
        )

    def _rows(self) -> Mapping[str, str]:
        out = ", ".join(f"{n} {why}" for why, n in self.left_out.items()) or "none"
        s, (low, high) = self.settings, self.weights
        lora = f"LoRA, rank {s.rank}, alpha {s.alpha}, dropout {s.dropout}" + ", base in four bits" * s.qlora
        batch = f"{s.batch_size} x {s.accumulate} x {self.processes} records a step"
        turns = "every assistant turn" if s.turns == "all" else "last assistant turn"
        again = f", resumed at step {self.resumed_from}" if self.resumed_from else ""
        return {
            "base model": f"{self.model} (`{self.base[:16]}`)",
            "records": f"{self.trained} of {self.given}; left out: {out} (data `{self.data[:16]}`)",
            "weights of records": "all alike" if low == high else f"{low:g} to {high:g}",
            "tokens": f"{self.tokens} an epoch, {self.response_tokens} with loss ({turns})",
            "method": "every weight" if s.full else lora,
            "trained weights": f"{self.parameters:,}",
            "learning rate": f"{s.learning_rate:g}, {s.schedule}, warm-up {s.warmup:.0%}",
            "steps": f"{self.steps} ({s.epochs} epochs, {batch}), seed {s.seed}{again}",
            "loss": f"{self.losses[0][1]:.4f} to {self.losses[-1][1]:.4f} nats per response token",
            "run": f"{self.wall_s:.1f} s on {self.device}, {self.dtype}, {self.tokens_per_s:,.0f} tokens/s",
            "peak memory": f"{self.peak_memory / 2**20:,.0f} MiB",
            "versions": ", ".join(f"{name} {version}" for name, version in self.versions.items()),
        }


def _thinned(losses: Sequence[tuple[int, float]]) -> Sequence[tuple[int, float]]:
    every = -(-len(losses) // _SHOWN)
    return losses[every - 1 :: every] if every else losses
