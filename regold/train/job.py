"""One whole training: what goes in by digest, the run itself, and a folder that appears complete or not at all."""

from __future__ import annotations

import hashlib
import math
import os
import resource
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import torch
import transformers
from transformers import AutoConfig

from regold import __version__
from regold.engines.weights import folder_digest
from regold.errors import InputError, UsageError
from regold.fingerprint import canonical, digest
from regold.record import Messages
from regold.train.card import TrainCard
from regold.train.checkpoints import claim, first_process, release, scratch_of, world_size
from regold.train.encode import EncodeChat, Encoded
from regold.train.loop import TrainResponses, build
from regold.train.network import adapter, load_network, load_tokenizer, merged
from regold.train.settings import Progress, TrainSettings

Rows: TypeAlias = Sequence[tuple[Messages, float]]


def fine_tune(
    model: str,
    rows: Rows,
    out: Path,
    settings: TrainSettings,
    *,
    merge: bool,
    chat_template: str | None,
    threads: int | None,
    save_s: float | None,
    progress: Progress | None,
) -> TrainCard:
    """Do what `regold.train.train` says."""
    started = time.perf_counter()
    facts: dict[str, Any] = {
        "model": model,
        "base": base_digest(model),
        "data": data_digest(rows),
        "settings": settings,
        "merged": merge or settings.full,
        "given": len(rows),
        "processes": world_size(),
    }
    key = digest({**facts, "model": None, "template": chat_template})
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        return _finished(out, key)
    half = settings.dtype == "bfloat16" or (settings.dtype == "auto" and _bfloat16_here())
    scratch, done = scratch_of(out), False
    checkpoint = claim(scratch, key)
    try:
        with _quiet(threads):
            tokenizer = load_tokenizer(model, chat_template)
            encoded, weights, counts = encode_all(EncodeChat(tokenizer), rows, settings.max_length, settings.turns)
            trainer = build(
                load_network(model, settings, half and not settings.full),
                tokenizer,
                encoded,
                weights,
                settings=settings,
                adapter=adapter(settings),
                half=half,
                scratch=scratch,
                save_s=save_s,
                progress=progress,
            )
            before = time.perf_counter()
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            steps_s = time.perf_counter() - before
            facts |= {"key": key, "left_out": counts, "trained": len(rows) - sum(counts.values())}
            facts |= _measures(trainer, encoded, checkpoint, steps_s)
            facts |= {"weights": _extremes(weight for _, weight in rows)}
            facts |= {"template": digest(str(tokenizer.chat_template))}
            card = TrainCard(**facts, wall_s=round(time.perf_counter() - started, 3))
            _save(trainer, tokenizer, card, out)
            done = True
        return card
    finally:
        release(scratch, done)


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


def encode_all(
    encode: EncodeChat, rows: Rows, max_length: int, turns: str = "last"
) -> tuple[list[Encoded], list[float], dict[str, int]]:
    """Return what to train on, its weights at a token-weighted mean of 1, and counts of what is left out by reason.

    Raises InputError for a weight that is no finite number of at least 0, and where nothing remains.
    """
    encoded, weights, left_out = [], [], Counter[str]()
    for number, (messages, weight) in enumerate(rows, 1):
        if not 0 <= weight < math.inf:
            raise InputError(f"record {number} has the weight {weight}: expected a finite number of at least 0")
        if weight == 0:
            left_out["of weight 0"] += 1
            continue
        try:
            sequences = [encode(messages)] if turns != "all" else encode.every_turn(messages)
        except InputError as error:
            left_out[f"because {error}"] += 1
            continue
        if max(len(s.ids) for s in sequences) > max_length:
            left_out[f"longer than {max_length} tokens"] += 1
            continue
        encoded += sequences
        weights += [weight] * len(sequences)
    if not encoded:
        reasons = ", ".join(f"{n} {why}" for why, n in left_out.items()) or "none given"
        raise InputError(f"no record to train on: {reasons}")
    sizes = [e.trained for e in encoded]
    mean = math.fsum(w * n for w, n in zip(weights, sizes, strict=True)) / sum(sizes)
    return encoded, [w / mean for w in weights], dict(left_out)


def _extremes(weights: Iterable[float]) -> tuple[float, float]:
    """Return the least and the greatest weight that is above 0."""
    used = [weight for weight in weights if weight > 0]
    return min(used), max(used)


def _measures(
    trainer: TrainResponses, encoded: Sequence[Encoded], checkpoint: Path | None, steps_s: float
) -> Mapping[str, Any]:
    versions = {name: version(name) for name in ("torch", "transformers", "trl", "peft", "accelerate")}
    tokens, steps = sum(len(e.ids) for e in encoded), trainer.state.global_step
    begun = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
    seen = tokens * trainer.args.num_train_epochs * (steps - begun) / max(steps, 1)
    return {
        "sequences": len(encoded),
        "tokens": tokens,
        "response_tokens": sum(e.trained for e in encoded),
        "parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "device": trainer.args.device.type,
        "dtype": "bfloat16" if trainer.args.bf16 else "float32",
        "versions": {"regold": __version__, **versions},
        "steps": steps,
        "resumed_from": begun,
        "losses": trainer.losses,
        "tokens_per_s": round(seen / steps_s, 1),
        "peak_memory": _peak_memory(),
    }


def _peak_memory() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _save(trainer: TrainResponses, tokenizer: Any, card: TrainCard, out: Path) -> None:
    """Have the first process write beside `out`, then rename; the others wait."""
    if first_process():
        parts = out.with_name(f"{out.name}.tmp")
        shutil.rmtree(parts, ignore_errors=True)
        network = trainer.accelerator.unwrap_model(trainer.model)
        if card.merged and not card.settings.full:
            network = merged(network, card.model, card.settings, scratch_of(out) / "adapter")
        network.save_pretrained(parts, **({} if card.merged else {"save_embedding_layers": False}))
        tokenizer.save_pretrained(parts)
        card.write(parts)
        if out.exists():
            out.rmdir()
        os.replace(parts, out)
    if card.processes > 1:
        trainer.accelerator.wait_for_everyone()
        trainer.accelerator.end_training()


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
