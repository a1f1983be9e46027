"""A learner of NoiseAL's: the lab model with LoRA, a loss of one's own, and what it makes of every record."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from regold.record import Messages
from regold.train import TrainSettings
from regold.train.batches import collate_with
from regold.train.encode import IGNORED, EncodeChat, Encoded
from regold.train.loop import token_nll

Pack: TypeAlias = Encoded
TokenLoss: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
BatchLoss: TypeAlias = Callable[[Sequence[Pack], Sequence[int]], torch.Tensor]
READ = 64
"""Records read at once without gradients."""


@dataclass(frozen=True)
class Seen:
    """What a learner makes of every record: exp(-mean NLL) of the given response, and whether it would say it."""

    confidence: np.ndarray
    predicted: np.ndarray


@dataclass
class Learner:
    """A model under LoRA with its tokenizer."""

    model: Any
    tokenizer: Any
    settings: TrainSettings
    seed: int

    @classmethod
    def fresh(cls, model: Path, settings: TrainSettings, seed: int) -> Learner:
        """Load a model and put seeded, untrained LoRA weights on it.

        FutureWarnings are hidden: they are what peft has to settle with transformers.
        """
        torch.manual_seed(seed)
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        lora = LoraConfig(
            r=settings.rank, lora_alpha=settings.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            adapted = get_peft_model(base, lora)
        return cls(adapted, AutoTokenizer.from_pretrained(model), settings, seed)

    def packed(self, messages: Sequence[Messages]) -> list[Pack]:
        """Encode records as training does."""
        encode = EncodeChat(self.tokenizer)
        return [encode(one) for one in messages]

    def learn(self, packs: Sequence[Pack], epochs: int, loss: BatchLoss) -> None:
        """Train some epochs."""
        for _ in self.epochs(packs, epochs, loss, look=False):
            pass

    def epochs(self, packs: Sequence[Pack], epochs: int, loss: BatchLoss, look: bool = True) -> Iterator[Seen]:
        """Train, yielding after each epoch what the learner makes of every record."""
        size = self.settings.batch_size
        steps = epochs * math.ceil(len(packs) / size)
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, self.settings.learning_rate, weight_decay=0.0)
        pace = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
        chance = np.random.default_rng(self.seed)
        for _ in range(epochs):
            self.model.train()
            order = chance.permutation(len(packs)).tolist()
            for start in range(0, len(packs), size):
                torch.autograd.backward(loss(packs, order[start : start + size]))
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                optimizer.zero_grad()
                pace.step()
            yield self.seen(packs) if look else Seen(np.zeros(0), np.zeros(0, dtype=bool))

    def plain(self, packs: Sequence[Pack], places: Sequence[int]) -> torch.Tensor:
        """Return the mean cross-entropy over a batch's response tokens."""
        total, tokens = self.token_loss([packs[place] for place in places])
        return total / tokens

    def token_loss(self, packs: Sequence[Pack], loss: TokenLoss | None = None) -> tuple[torch.Tensor, int]:
        """Return the sum of a token loss over the responses, cross-entropy unless told otherwise, and their tokens."""
        logits, labels = self._read(packs)
        return (loss or token_nll)(logits, labels).sum(), int((labels != IGNORED).sum())

    def mixed(self, packs: Sequence[Pack], partners: Sequence[int], shares: torch.Tensor) -> tuple[torch.Tensor, int]:
        """Return mixup's loss: inputs' embeddings mixed with a partner's, each label's cross-entropy by its share."""
        batch = self._batch([*packs, *(packs[p] for p in partners)])
        n, part = len(packs), shares[:, None, None]
        mask = batch["attention_mask"]
        inputs = self.model.get_input_embeddings()(batch["input_ids"]) * mask[..., None]
        both = mask[:n] | mask[n:]
        labels, longest = _responses(batch["labels"])
        logits = self.model(
            inputs_embeds=part * inputs[:n] + (1 - part) * inputs[n:],
            attention_mask=both,
            position_ids=(both.cumsum(-1) - 1).clamp(min=0),
            use_cache=False,
            logits_to_keep=longest + 1,
        ).logits[:, :-1]
        own, other = token_nll(logits, labels[:n]), token_nll(logits, labels[n:])
        return (shares[:, None] * own + (1 - shares[:, None]) * other).sum(), int((labels[:n] != IGNORED).sum())

    @torch.no_grad()
    def seen(self, packs: Sequence[Pack]) -> Seen:
        """Read every record without learning from it."""
        self.model.eval()
        confidence, predicted = [], []
        for start in range(0, len(packs), READ):
            logits, labels = self._read(packs[start : start + READ])
            counts = (labels != IGNORED).sum(1)
            confidence += (-token_nll(logits, labels).sum(1) / counts).exp().tolist()
            predicted += ((logits.argmax(-1) == labels) | (labels == IGNORED)).all(1).tolist()
        return Seen(np.asarray(confidence), np.asarray(predicted, dtype=bool))

    def save(self, out: Path) -> None:
        """Save the model with its LoRA weights merged, and its tokenizer."""
        self.model.merge_and_unload().save_pretrained(out)
        self.tokenizer.save_pretrained(out)

    def _batch(self, packs: Sequence[Pack]) -> dict[str, torch.Tensor]:
        rows = [{"input_ids": p.ids, "labels": p.labels, "weight": 1.0} for p in packs]
        return collate_with(self.tokenizer)(rows)

    def _read(self, packs: Sequence[Pack]) -> tuple[torch.Tensor, torch.Tensor]:
        batch = self._batch(packs)
        labels, longest = _responses(batch["labels"])
        given = {name: batch[name] for name in ("input_ids", "attention_mask", "position_ids")}
        logits = self.model(**given, use_cache=False, logits_to_keep=longest + 1).logits
        return logits[:, :-1], labels


def _responses(labels: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Return the labels of the longest response's stretch, and how long it is; responses end together."""
    longest = int((labels != IGNORED).sum(1).max())
    return labels[:, -longest:], longest
