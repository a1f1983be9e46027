"""Gradients: weights, padding, packing and turns against the textbook loss."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from regold.record import Messages
from regold.train.batches import SeededOrder, collate_with
from regold.train.encode import IGNORED, EncodeChat
from regold.train.job import encode_all
from regold.train.loop import CHECKPOINTING, TrainResponses, token_nll
from tests.train.chats import (
    chat,
)


def gradients(
    model: torch.nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    rows: list[tuple[Messages, float]],
    packing: bool = False,
    turns: str = "last",
) -> dict:
    """Return the gradients of our loss on one batch."""
    encoded, weights, _ = encode_all(EncodeChat(tokenizer), rows, 200, turns)
    batch = collate_with(tokenizer, packing)(
        [{"input_ids": e.ids, "labels": e.labels, "weight": w} for e, w in zip(encoded, weights, strict=True)]
    )
    trainer = object.__new__(TrainResponses)
    trainer._takes = {"logits_to_keep", "position_ids"}
    model.zero_grad()
    trainer.compute_loss(model, batch).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def plain_gradients(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, rows: list) -> dict:
    """Return the gradients of the textbook loss: record by record, unpadded, all logits."""
    total, tokens, mass = torch.zeros(()), 0, 0.0
    model.zero_grad()
    for messages, weight in rows:
        one = EncodeChat(tokenizer)(messages)
        logits = model(input_ids=torch.tensor([one.ids])).logits[0, one.start - 1 : -1]
        answer = torch.tensor(one.ids[one.start :])
        total = total + weight * torch.nn.functional.cross_entropy(logits, answer, reduction="sum")
        tokens, mass = tokens + len(answer), mass + weight * len(answer)
    (total / mass).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


TEXTS = [("Who is it?", "Ann"), ("Why?", "Because it rains."), ("A much longer question, is it not?", "No")]


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("weights", [(1, 1, 1), (0.25, 0.25, 0.25), (1.0, 0.1, 0.6)])
def test_padding_packing_and_weights_give_the_textbook_gradient(
    tiny: str, tokenizer: PreTrainedTokenizerFast, weights: tuple[float, ...], packing: bool
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    rows = [(chat(*text), weight) for text, weight in zip(TEXTS, weights, strict=True)]
    same(gradients(model, tokenizer, rows, packing), plain_gradients(model, tokenizer, rows))


def same(ours: dict, textbook: dict) -> None:
    assert ours.keys() == textbook.keys()
    longest = max(float(gradient.abs().max()) for gradient in textbook.values())
    apart = max(float((gradient - textbook[name]).abs().max()) for name, gradient in ours.items())
    print(f"gradients: furthest apart {apart:.1e}, largest {longest:.1e}")
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, textbook[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("packing", [False, True])
def test_weight_0_is_a_dropped_record_and_weights_of_1_are_none(
    tiny: str, tokenizer: PreTrainedTokenizerFast, packing: bool
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    rows = [(chat(*text), weight) for text, weight in zip(TEXTS, (1.0, 0.0, 0.5), strict=True)]
    same(gradients(model, tokenizer, rows, packing), gradients(model, tokenizer, [rows[0], rows[2]], packing))
    ones = [(messages, 1.0) for messages, _ in rows]
    encoded, weights, _ = encode_all(EncodeChat(tokenizer), ones, 200)
    assert weights == [1.0] * len(encoded)


@pytest.mark.parametrize("packing", [False, True])
def test_every_turn_gives_the_gradient_of_its_turns_one_by_one(
    tiny: str, tokenizer: PreTrainedTokenizerFast, packing: bool
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    talk = chat("Who?", "Ann", "Sure?", "Yes, she", "Why?", "No")
    rows = [(talk, 0.5), (chat("What?", "This."), 1.0)]
    apart = [(talk[:2], 0.5), (talk[:4], 0.5), (talk, 0.5), rows[1]]
    same(gradients(model, tokenizer, rows, packing, "all"), plain_gradients(model, tokenizer, apart))


def test_without_weights_the_gradient_is_trls(tiny: str, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    ours = gradients(model, tokenizer, [(chat(*text), 1.0) for text in TEXTS])
    rows = [dict(zip(("prompt", "completion"), _turns(text), strict=True)) for text in TEXTS]
    quiet = {CHECKPOINTING: False, "bf16": False, "use_cpu": True, "report_to": "none", "disable_tqdm": True}
    arguments = SFTConfig(str(tmp_path), per_device_train_batch_size=3, completion_only_loss=True, **quiet)
    peer = SFTTrainer(model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
    model.zero_grad()
    peer.compute_loss(model, next(iter(peer.get_train_dataloader()))).backward()
    same(ours, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})


def _turns(text: tuple[str, str]) -> list[list[dict[str, str]]]:
    return [[{"role": role, "content": said}] for role, said in zip(("user", "assistant"), text, strict=True)]


def test_the_order_is_the_same_for_any_number_of_processes() -> None:
    alone, shared = SeededOrder(10, 3), SeededOrder(10, 3, 8)
    assert list(shared)[:10] == list(alone)
    assert list(shared)[10:] == [10] * 6
    assert sorted(alone) == list(range(10))
    alone.set_epoch(1)
    assert list(alone) != list(SeededOrder(10, 3))


def test_ignored_tokens_have_no_loss() -> None:
    nll = token_nll(torch.zeros(1, 3, 4), torch.tensor([[IGNORED, 2, IGNORED]]))
    torch.testing.assert_close(nll, torch.tensor([[0.0, math.log(4), 0.0]]))
