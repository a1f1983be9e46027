"""What a step sees: records in a seeded order, padded or laid end to end, each token with its label and weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

import torch
from torch.utils.data import Sampler

from regold.train.encode import IGNORED

Batch: TypeAlias = dict[str, torch.Tensor]
Sequences: TypeAlias = Sequence[Mapping[str, Any]]


def collate_with(tokenizer: Any, packing: bool = False) -> Callable[[Sequences], Batch]:
    """Return a function that makes one batch of sequences, padded or (`packing`) end to end without padding."""
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return _packed if packing else lambda sequences: _padded(sequences, pad)


def _padded(sequences: Sequences, pad: int) -> Batch:
    """Pad on the left, so that the responses end together and few logits are needed."""
    lengths = torch.tensor([len(s["input_ids"]) for s in sequences])
    width = int(lengths.max())
    places = torch.arange(width)[None] - (width - lengths)[:, None]
    return {
        "input_ids": torch.tensor([[pad] * (width - len(s["input_ids"])) + s["input_ids"] for s in sequences]),
        "labels": torch.tensor([[IGNORED] * (width - len(s["labels"])) + s["labels"] for s in sequences]),
        "attention_mask": (places >= 0).long(),
        "position_ids": places.clamp(min=0),
        "weight": torch.tensor([[s["weight"]] for s in sequences]),
    }


def _packed(sequences: Sequences) -> Batch:
    """Lay sequences end to end in one row; positions that start again at 0 keep each from reading the others."""
    rows = {key: list(chain.from_iterable(s[key] for s in sequences)) for key in ("input_ids", "labels")}
    places = chain.from_iterable(range(len(s["input_ids"])) for s in sequences)
    weights = chain.from_iterable([s["weight"]] * len(s["input_ids"]) for s in sequences)
    return {
        **{key: torch.tensor([values]) for key, values in rows.items()},
        "position_ids": torch.tensor([list(places)]),
        "weight": torch.tensor([list(weights)]),
    }


def blank(end: int) -> dict[str, Any]:
    """Return a sequence without loss, which fills up the last batch where several processes must step together."""
    return {"input_ids": [end], "labels": [IGNORED], "weight": 0.0}


class SeededOrder(Sampler[int]):
    """Each epoch's order of sequences, by seed and epoch alone, so that any number of processes walks the same way."""

    def __init__(self, sequences: int, seed: int, multiple: int = 1) -> None:
        """Take the number of sequences; the order's length is the next `multiple`, filled up with that number."""
        self._sequences, self._seed, self._fill, self._epoch = sequences, seed, -sequences % multiple, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        yield from torch.randperm(self._sequences, generator=generator).tolist()
        yield from [self._sequences] * self._fill

    def __len__(self) -> int:
        return self._sequences + self._fill
