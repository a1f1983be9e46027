"""The lab model's start: attention heads that look things up in the context, which a small model is slow to grow."""

from typing import Any

import torch
from transformers import LlamaForCausalLM

CONSTANT = 0.08
"""What every token's embedding holds in its first dimension; heads that look back read it."""
SHARP, MATCH, WRITE = 5.8, 1.5, 0.12
FREQUENCIES = 4
"""A head that looks back uses the fastest rotary frequencies alone: the slow ones cannot tell neighbours apart."""


@torch.no_grad()
def look_up(model: LlamaForCausalLM, seed: int) -> None:
    """Let layer 1 tell what stood one to four tokens back, and layers 2 and 4 find equal tokens by it.

    In place at the start are the two steps of an induction head (Olsson et al. 2022, arXiv 2209.11895). Training may
    change every weight; from random weights the letters of options were not learnt within ten million tokens.
    """
    width = model.config.hidden_size // model.config.num_attention_heads
    chance = torch.Generator().manual_seed(seed)
    reads, writes = ([_projection(model, width, chance) for _ in range(4)] for _ in range(2))
    model.model.embed_tokens.weight[:, 0] = CONSTANT
    first, second, last = (model.model.layers[layer].self_attn for layer in (0, 1, 3))
    for head in range(4):
        _look_back(first, head, width)
        _carry(first, head, reads[head], writes[head])
    before = (writes[1], reads[1])
    _match(second, 0, writes[0], reads[0], *before)
    _match(second, 1, reads[0], writes[0], reads[2], reads[2])
    _match(second, 2, reads[0], reads[0], *before)
    _match(last, 0, reads[0], reads[0], *before)


def _projection(model: LlamaForCausalLM, width: int, chance: torch.Generator) -> torch.Tensor:
    """Return `width` orthonormal rows that leave out the constant."""
    found: torch.Tensor = torch.linalg.qr(torch.randn(model.config.hidden_size, width, generator=chance))[0].T.clone()
    found[:, 0] = 0
    return found


def _look_back(attention: Any, head: int, width: int) -> None:
    """Turn the query by head + 1 rotary steps, so that it meets the key that many tokens back."""
    turned = -(head + 1) * 10000.0 ** (-torch.arange(0, width, 2) / width)
    fast = (torch.arange(width // 2) < FREQUENCIES).float()
    rows = _rows(head, width)
    for weight, values in (
        (attention.q_proj.weight, torch.cat([turned.cos() * fast, turned.sin() * fast])),
        (attention.k_proj.weight, torch.cat([fast, 0 * fast])),
    ):
        weight[rows] = 0
        weight[rows, 0] = SHARP * values


def _match(
    attention: Any, head: int, query: torch.Tensor, key: torch.Tensor, read: torch.Tensor, say: torch.Tensor
) -> None:
    """Attend where what `key` reads equals what `query` reads here, and say what `read` finds there."""
    rows = _rows(head, len(query))
    attention.q_proj.weight[rows] = MATCH * query
    attention.k_proj.weight[rows] = MATCH * key
    _carry(attention, head, read, say)


def _carry(attention: Any, head: int, read: torch.Tensor, write: torch.Tensor) -> None:
    rows = _rows(head, len(read))
    attention.v_proj.weight[rows] = read
    attention.o_proj.weight[:, rows] = WRITE * write.T


def _rows(head: int, width: int) -> slice:
    return slice(head * width, (head + 1) * width)
