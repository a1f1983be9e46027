"""Scores records by their gradients: those that move the model the way a few wanted examples do (LESS)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from regold.lab.pool import Entry
from regold.record import Message
from regold.train.batches import collate_with
from regold.train.encode import EncodeChat

WIDTH = 2048
"""Coordinates to which gradients are projected at random."""


def influence(model: Path, entries: Sequence[Entry], wanted: Sequence[Entry], seed: int = 0) -> dict[str, float]:
    """Return each entry's cosine with the mean gradient of the wanted answers (LESS, arXiv 2402.04333, eq. 3).

    Gradients are those of the last layer, at the model as it is and without Adam's moments: cheaper than the paper's,
    which averages over a warm-up's checkpoints.
    """
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    weights = [p for p in network.model.layers[-1].parameters() if p.ndim == 2]
    for parameter in network.parameters():
        parameter.requires_grad_(any(parameter is one for one in weights))
    tokenizer = AutoTokenizer.from_pretrained(model)
    encode, collate = EncodeChat(tokenizer), collate_with(tokenizer)
    size = sum(p.numel() for p in weights)
    kept = torch.randperm(size, generator=torch.Generator().manual_seed(seed))[:WIDTH]

    def gradient(question: str, answer: str) -> torch.Tensor:
        row = encode((Message("user", question), Message("assistant", answer)))
        batch = collate([{"input_ids": row.ids, "labels": row.labels, "weight": 1.0}])
        given = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
        found = torch.autograd.grad(network(**given).loss, weights)
        flat = torch.cat([one.flatten() for one in found])[kept]
        unit: torch.Tensor = flat / flat.norm().clamp(min=1e-12)
        return unit

    aim = torch.stack([gradient(e.question, e.truth) for e in wanted]).mean(dim=0)
    return {e.id: round(float(gradient(e.question, e.response) @ aim), 6) for e in entries}
