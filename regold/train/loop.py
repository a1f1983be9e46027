"""Walk the steps: trl's SFTTrainer with a loss of our own, weighing records, logits of responses only."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from regold.errors import RunError
from regold.train.batches import Batch, SeededOrder, blank, collate_with
from regold.train.encode import IGNORED, Encoded
from regold.train.settings import Progress, TrainSettings

LOGS = 40
"""About how many losses a training reports."""

_NAMES = ("activation_checkpointing", "gradient_checkpointing")
CHECKPOINTING = next(name for name in _NAMES if hasattr(SFTConfig, name))
"""Newer versions of transformers renamed it, and warn of the old name."""
_SCHEDULES = {"constant": "constant_with_warmup"}


class TrainResponses(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer whose loss is sum(weight * nll) / response tokens of the step; no router loss is added."""

    def __init__(self, *, seed: int = 0, **arguments: Any) -> None:
        """Take SFTTrainer's arguments; the data set has the columns input_ids, labels and weight."""
        self._takes = frozenset(inspect.signature(type(arguments["model"]).forward).parameters)
        self._seed, self._sequences = seed, len(arguments["train_dataset"])
        super().__init__(**arguments)
        self.model_accepts_loss_kwargs = True  # have the whole step's tokens counted, over all processes

    @property
    def losses(self) -> tuple[tuple[int, float], ...]:
        """Return steps and the mean loss since the one before."""
        return tuple((entry["step"], float(entry["loss"])) for entry in self.state.log_history if "loss" in entry)

    def _get_train_sampler(self, train_dataset: Any = None) -> SeededOrder:
        world = self.accelerator.num_processes
        blanks = 1 if world > 1 else 0
        multiple = self.args.per_device_train_batch_size * world if blanks else 1
        return SeededOrder(self._sequences - blanks, self._seed, multiple)

    def compute_loss(
        self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of one forward pass; `num_items_in_batch` counts the response tokens of the whole step."""
        labels, weights = inputs["labels"], inputs["weight"]
        if "attention_mask" in inputs:
            first = max(1, int((labels != IGNORED).any(0).int().argmax()))
            keep: Any = labels.shape[1] - first + 1
            outputs, logits = self._forward(model, inputs, keep)
            logits, labels = logits[:, -keep:-1], labels[:, first:]
        else:
            keep = (labels[0] != IGNORED).nonzero()[:, 0] - 1
            labels, weights = labels[:, keep + 1], weights[:, keep + 1]
            outputs, logits = self._forward(model, inputs, keep)
        total = (token_nll(logits, labels) * weights).sum()
        if num_items_in_batch is None:
            loss = total / (labels != IGNORED).sum()
        else:  # gradients are averaged over processes, while the count is of all of them
            loss = total * self.accelerator.num_processes / num_items_in_batch
        return (loss, outputs) if return_outputs else loss

    def _forward(self, model: Any, inputs: Batch, keep: Any) -> tuple[Any, torch.Tensor]:
        wanted = {"logits_to_keep": keep, "position_ids": inputs["position_ids"]}
        wanted = {name: value for name, value in wanted.items() if name in self._takes}
        mask = inputs.get("attention_mask")
        outputs = model(input_ids=inputs["input_ids"], attention_mask=mask, use_cache=False, **wanted)
        whole = torch.is_tensor(keep) and "logits_to_keep" not in wanted
        return outputs, outputs.logits[:, keep] if whole else outputs.logits

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
        if self._progress and state.is_world_process_zero:
            self._progress(state.global_step, state.max_steps, loss)


class _Save(TrainerCallback):  # type: ignore[misc]
    """Saves a checkpoint when the time has come by the first process's clock."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._saved = every_s, time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        due = time.monotonic() - self._saved >= self._every_s
        if args.world_size > 1:
            told = torch.tensor([int(due)], device=args.device)
            torch.distributed.broadcast(told, 0)
            due = bool(told.item())
        if due and state.global_step < state.max_steps:
            control.should_save = True
            self._saved = time.monotonic()


def token_nll(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the negative log-likelihood of each label, shape (records, tokens); 0 where it is IGNORED."""
    flat = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return flat.view_as(labels)


def build(
    network: Any,
    tokenizer: Any,
    encoded: Sequence[Encoded],
    weights: Sequence[float],
    *,
    settings: TrainSettings,
    adapter: Any = None,
    half: bool = False,
    scratch: Path,
    save_s: float | None = None,
    progress: Progress | None = None,
) -> TrainResponses:
    """Return a trainer of a loaded model on encoded sequences, in bfloat16 autocast if `half`.

    Every `save_s` seconds it leaves a checkpoint in `scratch`. It raises RunError where the loss is no number.
    """
    arguments = _arguments(settings, half, str(scratch))
    arguments.ddp_find_unused_parameters = any("expert" in name for name in network.config.to_dict())
    rows = [
        {"input_ids": e.ids, "labels": e.labels, "weight": weight} for e, weight in zip(encoded, weights, strict=True)
    ]
    rows += [blank(tokenizer.eos_token_id)] * (arguments.world_size > 1)
    trainer = TrainResponses(
        seed=settings.seed,
        model=network,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        data_collator=collate_with(tokenizer, settings.packing),
        peft_config=adapter,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Watch(progress))
    if save_s is not None:
        trainer.add_callback(_Save(save_s))
    return trainer


def _arguments(settings: TrainSettings, half: bool, scratch: str) -> Any:
    arguments = SFTConfig(
        output_dir=scratch,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=_SCHEDULES.get(settings.schedule, settings.schedule),
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        bf16=half,
        use_cpu=not torch.accelerator.is_available(),
        **{CHECKPOINTING: settings.checkpointing},
        logging_steps=1 / LOGS,
        logging_nan_inf_filter=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        save_strategy="no",
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    _ = arguments.device
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several GPUs are for several processes, never for nn.DataParallel
    return arguments
