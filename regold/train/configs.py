"""The configuration files of other trainers, saying what our own settings say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from regold.train.settings import TrainSettings

_TEMPLATES = {
    r"llama-?3": "llama3",
    r"gemma-?2": "gemma2",
    r"gemma-?3": "gemma3",
    r"mistral": "mistral",
    r"qwen-?3": "qwen3",
    r"qwen": "qwen",
}
"""LLaMA-Factory's names of chat templates; for a model of no such name it reads the tokenizer's own."""


def trainer_config(target: str, data: Path, settings: TrainSettings, model: str) -> tuple[str, str] | None:
    """Return the name and the text of a trainer's configuration for data exported to a folder; None where it has none.

    `settings.turns` is `last` or `all`.
    """
    if target not in _MADE:
        return None
    name, made = _MADE[target]
    values = made(data.resolve(), settings, model)
    if name.endswith(".json"):
        return name, json.dumps(values, indent=2) + "\n"
    return name, "".join(f"{key}: {_yaml(value)}\n" for key, value in values.items())


def _trl(data: Path, s: TrainSettings, model: str) -> Mapping[str, Any]:
    only = {"assistant_only_loss": True} if s.turns == "all" else {"completion_only_loss": True}
    targets = s.targets if isinstance(s.targets, str) else list(s.targets)
    lora = {"use_peft": True, "lora_r": s.rank, "lora_alpha": s.alpha, "lora_dropout": s.dropout}
    return {
        "model_name_or_path": model,
        "dataset_name": str(data),
        "output_dir": str(data / "model"),
        **_shared(s),
        "warmup_steps": s.warmup,
        "max_length": s.max_length,
        "packing": False,
        **only,
        **({} if s.full else {**lora, "lora_target_modules": targets}),
        **({"load_in_4bit": True} if s.qlora else {}),
    }


def _llamafactory(data: Path, s: TrainSettings, model: str) -> Mapping[str, Any]:
    targets = "all" if s.targets == "all-linear" else ",".join([s.targets] if isinstance(s.targets, str) else s.targets)
    lora = {"lora_rank": s.rank, "lora_alpha": s.alpha, "lora_dropout": s.dropout, "lora_target": targets}
    template = next((name for pattern, name in _TEMPLATES.items() if re.search(pattern, model.lower())), None)
    return {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": model,
        "dataset_dir": str(data),
        "dataset": "regold",
        **({"template": template} if template else {}),
        "cutoff_len": s.max_length,
        "mask_history": s.turns != "all",
        "output_dir": str(data / "model"),
        **_shared(s),
        "warmup_ratio": s.warmup,
        "finetuning_type": "full" if s.full else "lora",
        **({} if s.full else lora),
        **({"quantization_bit": 4, "quantization_method": "bnb"} if s.qlora else {}),
    }


def _axolotl(data: Path, s: TrainSettings, model: str) -> Mapping[str, Any]:
    linear = {"lora_target_linear": True}
    targets = linear if s.targets == "all-linear" else {"lora_target_modules": list(s.targets)}
    lora = {"lora_r": s.rank, "lora_alpha": s.alpha, "lora_dropout": s.dropout, **targets}
    dataset = {
        "path": str(data / "train.jsonl"),
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles_to_train": ["assistant"],
        "train_on_eos": "turn",
        **({} if s.turns == "all" else {"message_field_training": "train"}),
    }
    return {
        "base_model": model,
        "datasets": [dataset],
        "chat_template": "tokenizer_default",
        "sequence_len": s.max_length,
        "sample_packing": False,
        "val_set_size": 0,
        "output_dir": str(data / "model"),
        "dataset_prepared_path": str(data / "prepared"),
        "num_epochs": s.epochs,
        "micro_batch_size": s.batch_size,
        "gradient_accumulation_steps": s.accumulate,
        "optimizer": "adamw_torch",
        "learning_rate": s.learning_rate,
        "lr_scheduler": _schedule(s),
        "warmup_ratio": s.warmup,
        "weight_decay": s.weight_decay,
        "max_grad_norm": s.max_grad_norm,
        "gradient_checkpointing": s.checkpointing,
        "bf16": {"auto": "auto", "bfloat16": True, "float32": False}[s.dtype],
        "seed": s.seed,
        **({} if s.full else {"adapter": "qlora" if s.qlora else "lora", **lora}),
        **({"load_in_4bit": True} if s.qlora else {}),
    }


def _openai(data: Path, s: TrainSettings, model: str) -> Mapping[str, Any]:
    supervised = {"hyperparameters": {"n_epochs": s.epochs}}
    method = {"type": "supervised", "supervised": supervised}
    return {"model": model, "training_file": "ID of the uploaded train.jsonl", "seed": s.seed, "method": method}


def _shared(s: TrainSettings) -> Mapping[str, Any]:
    """Return what TRL and LLaMA-Factory both take from transformers."""
    return {
        "num_train_epochs": s.epochs,
        "per_device_train_batch_size": s.batch_size,
        "gradient_accumulation_steps": s.accumulate,
        "learning_rate": s.learning_rate,
        "lr_scheduler_type": _schedule(s),
        "weight_decay": s.weight_decay,
        "max_grad_norm": s.max_grad_norm,
        **({"gradient_checkpointing": True} if s.checkpointing else {}),
        "bf16": s.dtype != "float32",
        "seed": s.seed,
        "logging_steps": 10,
        "report_to": "none",
    }


def _schedule(s: TrainSettings) -> str:
    return "constant_with_warmup" if s.schedule == "constant" else s.schedule


def _yaml(value: Any) -> str:
    """Return a value as YAML, which JSON is but for small numbers: without a point they would be texts."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"^(-?\d+)e", r"\1.0e", text) if isinstance(value, float) else text


_MADE: dict[str, tuple[str, Callable[[Path, TrainSettings, str], Mapping[str, Any]]]] = {
    "trl": ("sft.yaml", _trl),
    "llamafactory": ("train.yaml", _llamafactory),
    "axolotl": ("axolotl.yaml", _axolotl),
    "openai": ("job.json", _openai),
}
