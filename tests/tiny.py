"""Build a tiny random Llama with a character-level tokenizer, for tests that want a real model and no download."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def build_tiny(folder: Path, seed: int = 0, positions: int = 256) -> Path:
    """Write a model of 2 layers and width 32 whose greedy answers are short ASCII texts, some with an end."""
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=positions,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.3,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        head = model.lm_head.weight
        head[tokenizer.eos_token_id] *= 2.0  # so that some answers end before max_tokens
        for token in SPECIAL:
            if token != tokenizer.eos_token:
                head[tokenizer.convert_tokens_to_ids(token)] *= 0.0
    model.save_pretrained(folder)
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    """One token a printable ASCII character: any text splits in one way only, so texts and token counts agree."""
    letters = ByteLevel(add_prefix_space=False, use_regex=False)
    vocabulary = {letters.pre_tokenize_str(c)[0][0]: i for i, c in enumerate(string.printable)}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<|pad|>", eos_token="<|end|>")
    tokenizer.add_special_tokens({"additional_special_tokens": [t for t in SPECIAL if t not in ("<|pad|>", "<|end|>")]})
    tokenizer.chat_template = TEMPLATE
    return tokenizer
