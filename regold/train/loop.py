"""Walk the steps: trl's SFTTrainer with a loss of our own, weighing records, logits of responses only."""

from __future__ import annotations

import inspect
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from regold.errors import RunError
from regold.train.encode import IGNORED, Encoded
from regold.train.settings import Progress, TrainSettings

LOGS = 40
"""About how many losses a training reports."""

_NAMES = ("activation_checkpointing", "gradient_checkpointing")
CHECKPOINTING = next(name for name in _NAMES if hasattr(SFTConfig, name))
"""Newer versions of transformers renamed it, and warn of the old name."""

Batch: TypeAlias = dict[str, torch.Tensor]


def run(
    network: Any,
    tokenizer: Any,
    encoded: Sequence[Encoded],
    weights: Sequence[float],
    *,
    settings: TrainSettings,
    half: bool = False,
    progress: Progress | None = None,
) -> TrainResponses:
    """Train a loaded model on encoded records, in bfloat16 autocast if `half`, and return the trainer.

    Raises RunError where the loss is no number.
    """
    rows = {"input_ids": [e.ids for e in encoded], "labels": [e.labels for e in encoded], "weight": list(weights)}
    with tempfile.TemporaryDirectory() as scratch:
        trainer = TrainResponses(
            model=network,
            args=_config(settings, half, scratch),
            train_dataset=Dataset.from_dict(rows),
            processing_class=tokenizer,
            data_collator=collate_with(tokenizer),
            peft_config=None if settings.full else _lora(settings),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(_Watch(progress))
        trainer.train()
    return trainer


class TrainResponses(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer whose loss is sum(weight * nll) / response tokens of the step; no router loss is added."""

    def __init__(self, **arguments: Any) -> None:
        """Take SFTTrainer's arguments; the data set has the columns input_ids, labels and weight."""
        self._takes = frozenset(inspect.signature(type(arguments["model"]).forward).parameters)
        super().__init__(**arguments)

    @property
    def losses(self) -> tuple[tuple[int, float], ...]:
        """Return steps and the mean loss since the one before."""
        return tuple((entry["step"], float(entry["loss"])) for entry in self.state.log_history if "loss" in entry)

    def compute_loss(
        self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of one forward pass; `num_items_in_batch` counts the response tokens of the whole step."""
        labels, weights = inputs["labels"], inputs["weight"]
        longest = int((labels != IGNORED).sum(1).max())
        wanted = {"logits_to_keep": longest + 1, "position_ids": inputs["position_ids"]}
        wanted = {name: value for name, value in wanted.items() if name in self._takes}
        outputs = model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False, **wanted
        )
        nll = token_nll(outputs.logits[:, -longest - 1 : -1], labels[:, -longest:])
        count = (labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = (nll * weights[:, None]).sum() / count
        return (loss, outputs) if return_outputs else loss

    def floating_point_ops(self, inputs: Batch) -> int:
        """Return 0: counting them walks every module, 4 ms of a small model's 80 ms step."""
        return 0


class _Watch(TrainerCallback):  # type: ignore[misc]
    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise RunError(f"the loss is {loss} at step {state.global_step}: lower the learning rate")
        if self._progress:
            self._progress(state.global_step, state.max_steps, loss)


def token_nll(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the negative log-likelihood of each label, shape (records, tokens); 0 where it is IGNORED."""
    flat = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return flat.view_as(labels)


def collate_with(tokenizer: Any) -> Callable[[Sequence[Mapping[str, Any]]], Batch]:
    """Return a function that pads records on the left, so that the responses end together and few logits are needed."""
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id

    def collate(records: Sequence[Mapping[str, Any]]) -> Batch:
        lengths = torch.tensor([len(r["input_ids"]) for r in records])
        width = int(lengths.max())
        places = torch.arange(width)[None] - (width - lengths)[:, None]
        return {
            "input_ids": torch.tensor([[pad] * (width - len(r["input_ids"])) + r["input_ids"] for r in records]),
            "labels": torch.tensor([[IGNORED] * (width - len(r["labels"])) + r["labels"] for r in records]),
            "attention_mask": (places >= 0).long(),
            "position_ids": places.clamp(min=0),
            "weight": torch.tensor([r["weight"] for r in records]),
        }

    return collate


def _lora(settings: TrainSettings) -> Any:
    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )


def _config(settings: TrainSettings, half: bool, scratch: str) -> Any:
    return SFTConfig(
        output_dir=scratch,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        seed=settings.seed,
        bf16=half,
        use_cpu=not torch.accelerator.is_available(),
        **{CHECKPOINTING: settings.checkpointing},
        logging_steps=1 / LOGS,
        logging_nan_inf_filter=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
