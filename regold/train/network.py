"""Load the model that is trained: whole, in half precision under LoRA, or in four bits; and make it whole again."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from regold.errors import MissingExtra, UsageError
from regold.train.settings import TrainSettings

_RECURRENT = ("linear_attention", "mamba", "conv", "recurrent")


def load_tokenizer(model: str, chat_template: str | None = None) -> Any:
    """Return a model's tokenizer, with another chat template if one is given. Raises UsageError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise UsageError(f"{model} has no tokenizer that loads: {str(error).splitlines()[0]}") from None
    if chat_template:
        tokenizer.chat_template = chat_template
    return tokenizer


def load_network(model: str, settings: TrainSettings, half: bool) -> Any:
    """Return the model, in bfloat16 if `half`, in four bits (NF4, QLoRA, arXiv 2305.14314) where the settings say so.

    Raises UsageError for what is no causal language model or cannot be packed, MissingExtra without bitsandbytes.
    """
    wanted: dict[str, Any] = {"dtype": torch.bfloat16 if half else torch.float32}
    if settings.attention != "auto":
        wanted["attn_implementation"] = settings.attention
    if settings.qlora:
        wanted |= {"quantization_config": _four_bits(wanted["dtype"]), "device_map": {"": _device()}}
    try:
        network = AutoModelForCausalLM.from_pretrained(model, **wanted)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{model} does not load as a causal language model: {str(error).splitlines()[0]}") from None
    kinds = getattr(network.config, "layer_types", None) or ()
    if settings.packing and any(word in kind for kind in kinds for word in _RECURRENT):
        raise UsageError(
            f"{model} has recurrent layers, which would read from one packed record into the next: unset packing"
        )
    return network


def adapter(settings: TrainSettings) -> LoraConfig | None:
    """Return LoRA's configuration, or None where every weight is trained."""
    if settings.full:
        return None
    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )


def merged(network: Any, model: str, settings: TrainSettings, scratch: Path) -> Any:
    """Return an adapted network as a whole model; one trained in four bits is merged into the model's own weights."""
    if not settings.qlora:
        return network.merge_and_unload()
    network.save_pretrained(scratch, save_embedding_layers=False)
    dtype = next(p.dtype for p in network.parameters() if p.is_floating_point())
    base = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
    return PeftModel.from_pretrained(base, scratch).merge_and_unload()


def _four_bits(dtype: torch.dtype) -> BitsAndBytesConfig:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra("bitsandbytes", "qlora")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _device() -> str | int:
    return int(os.environ.get("LOCAL_RANK", "0")) if torch.accelerator.is_available() else "cpu"
