"""One whole training: what goes in by digest, the run itself, and a folder that appears complete or not at all."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from regold import __version__
from regold.engines.weights import folder_digest
from regold.errors import InputError, UsageError
from regold.fingerprint import canonical, digest
from regold.record import Messages
from regold.train.encode import EncodeChat, Encoded
from regold.train.loop import TrainResponses, run
from regold.train.settings import Progress, TrainCard, TrainSettings

Rows: TypeAlias = Sequence[tuple[Messages, float]]


def fine_tune(
    model: str,
    rows: Rows,
    out: Path,
    settings: TrainSettings,
    *,
    merge: bool,
    threads: int | None,
    progress: Progress | None,
) -> TrainCard:
    """Do what `regold.train.train` says."""
    started = time.perf_counter()
    base, data = base_digest(model), data_digest(rows)
    key = digest(base, data, settings, merge or settings.full)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        return _finished(out, key)
    half = settings.dtype == "bfloat16" or (settings.dtype == "auto" and _bfloat16_here())
    with _quiet(threads):
        tokenizer, network = _load(model, half and not settings.full)
        encoded, weights, left_out = encode_all(EncodeChat(tokenizer), rows, settings.max_length)
        trainer = run(network, tokenizer, encoded, weights, settings=settings, half=half, progress=progress)
        facts = {
            "key": key,
            "model": model,
            "base": base,
            "data": data,
            "settings": settings,
            "merged": merge or settings.full,
            "given": len(rows),
            "left_out": left_out,
            **_measures(trainer, encoded),
            "wall_s": round(time.perf_counter() - started, 3),
        }
        return _save(trainer.model, tokenizer, TrainCard(**facts), out)


def base_digest(model: str) -> str:
    """Return the digest of a model folder's files, or a hub model's name and commit. Raises UsageError for neither."""
    folder = Path(model)
    if (folder / "adapter_config.json").is_file():
        raise UsageError(f"{model} is an adapter: give a whole model, such as one trained with merge")
    if folder.is_dir():
        return folder_digest(folder)
    try:
        return f"{model}@{AutoConfig.from_pretrained(model)._commit_hash}"
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no model {model!r}, neither a folder nor on the hub ({str(error).splitlines()[0]})"
        ) from None


def data_digest(rows: Rows) -> str:
    """Return the digest of records and weights, in order."""
    hasher = hashlib.sha256()
    for row in rows:
        hasher.update(canonical(row).encode() + b"\n")
    return hasher.hexdigest()


def encode_all(encode: EncodeChat, rows: Rows, max_length: int) -> tuple[list[Encoded], list[float], dict[str, int]]:
    """Return what to train on, its weights at a token-weighted mean of 1, and counts of what is left out by reason.

    Raises InputError for a weight outside 0 to 1, and where nothing remains.
    """
    encoded, weights, left_out = [], [], Counter[str]()
    for number, (messages, weight) in enumerate(rows, 1):
        if not 0 <= weight <= 1:
            raise InputError(f"record {number} has the weight {weight}: weights lie between 0 and 1")
        if weight == 0:
            left_out["of weight 0"] += 1
            continue
        try:
            one = encode(messages)
        except InputError as error:
            left_out[f"because {error}"] += 1
            continue
        if len(one.ids) > max_length:
            left_out[f"longer than {max_length} tokens"] += 1
            continue
        encoded.append(one)
        weights.append(weight)
    if not encoded:
        reasons = ", ".join(f"{n} {why}" for why, n in left_out.items()) or "none given"
        raise InputError(f"no record to train on: {reasons}")
    sizes = [len(e.ids) - e.start for e in encoded]
    mean = math.fsum(w * n for w, n in zip(weights, sizes, strict=True)) / sum(sizes)
    return encoded, [w / mean for w in weights], dict(left_out)


def _load(model: str, half: bool) -> tuple[Any, Any]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
        network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16 if half else torch.float32)
    except (OSError, ValueError) as error:
        raise UsageError(f"{model} does not load as a causal language model: {str(error).splitlines()[0]}") from None
    return tokenizer, network


def _measures(trainer: TrainResponses, encoded: Sequence[Encoded]) -> Mapping[str, Any]:
    versions = {name: version(name) for name in ("torch", "transformers", "trl", "peft")}
    return {
        "trained": len(encoded),
        "tokens": sum(len(e.ids) for e in encoded),
        "response_tokens": sum(len(e.ids) - e.start for e in encoded),
        "parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "device": trainer.args.device.type,
        "dtype": "bfloat16" if trainer.args.bf16 else "float32",
        "versions": {"regold": __version__, **versions},
        "steps": trainer.state.global_step,
        "losses": trainer.losses,
    }


def _save(network: Any, tokenizer: Any, card: TrainCard, out: Path) -> TrainCard:
    """Write beside `out`, then rename."""
    if card.merged and not card.settings.full:
        network = network.merge_and_unload()
    parts = out.with_name(f"{out.name}.tmp")
    shutil.rmtree(parts, ignore_errors=True)
    network.save_pretrained(parts, **({} if card.merged else {"save_embedding_layers": False}))
    tokenizer.save_pretrained(parts)
    card.write(parts)
    if out.exists():
        out.rmdir()
    os.replace(parts, out)
    return card


def _finished(out: Path, key: str) -> TrainCard:
    card = TrainCard.read(out)
    if card.key != key:
        raise UsageError(f"{out} holds another training: give another folder, or remove that one")
    return card


def _bfloat16_here() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


@contextmanager
def _quiet(threads: int | None) -> Iterator[None]:
    """Hold torch to some CPU threads and transformers to errors, and give both back.

    FutureWarnings are hidden: they are what peft and trl have to settle with transformers.
    """
    before, verbosity = torch.get_num_threads(), transformers.logging.get_verbosity()
    bars = transformers.logging.is_progress_bar_enabled()
    torch.set_num_threads(threads or before)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        torch.set_num_threads(before)
        transformers.logging.set_verbosity(verbosity)
        if bars:
            transformers.logging.enable_progress_bar()
