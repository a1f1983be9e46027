"""Tiny random models of the families people fine-tune, with templates of our own that behave as theirs do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

LLAMA3 = """{{- bos_token }}
{%- set head = '<|start_header_id|>' %}
{%- set first = 1 if messages[0].role == 'system' else 0 %}
{{- head + 'system<|end_header_id|>\n\nDate: 26 Jul 2024\n\n' }}
{{- (messages[0].content | trim if first else '') + '<|eot_id|>' }}
{%- for m in messages[first:] %}
  {%- if m.role == 'tool' %}
    {{- head + 'ipython<|end_header_id|>\n\n' + m.content + '<|eot_id|>' }}
  {%- elif m.tool_calls %}
    {%- if m.tool_calls | length != 1 %}{{- raise_exception('one call at a time') }}{%- endif %}
    {%- set call = m.tool_calls[0].function %}
    {{- head + 'assistant<|end_header_id|>\n\n{"name": "' + call.name + '", "parameters": ' }}
    {{- (call.arguments | tojson) + '}<|eot_id|>' }}
  {%- else %}
    {{- head + m.role + '<|end_header_id|>\n\n' }}
    {%- if tools and loop.first %}{{- 'Functions: ' + (tools | tojson) + '\n\n' }}{%- endif %}
    {{- m.content | trim + '<|eot_id|>' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- head + 'assistant<|end_header_id|>\n\n' }}{%- endif %}"""

GEMMA2 = """{{- bos_token }}
{%- for m in messages %}
  {%- if m.role == 'system' %}{{- raise_exception('no system role') }}{%- endif %}
  {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{- raise_exception('roles must alternate') }}{%- endif %}
  {{- '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\n' }}
  {{- m.content | trim + '<end_of_turn>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<start_of_turn>model\n' }}{%- endif %}"""

MISTRAL = """{{- bos_token }}
{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{%- set turns = messages[1:] if system else messages %}
{%- set asked = turns | selectattr('role', 'equalto', 'user') | list %}
{%- for m in turns %}
  {%- if m.role == 'user' %}
    {%- if tools and m == asked[-1] %}{{- '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{%- endif %}
    {{- '[INST] ' + (system + '\n\n' if system and loop.last else '') + m.content + '[/INST]' }}
  {%- elif m.tool_calls %}
    {{- '[TOOL_CALLS] [' }}
    {%- for call in m.tool_calls %}
      {%- if call.id | length != 9 %}{{- raise_exception('an id of a call has nine characters') }}{%- endif %}
      {{- (call.function | tojson) + ('' if loop.last else ', ') }}
    {%- endfor %}
    {{- ']' + eos_token }}
  {%- elif m.role == 'tool' %}
    {{- '[TOOL_RESULTS] {"content": ' + m.content + ', "call_id": "' + m.tool_call_id + '"}[/TOOL_RESULTS]' }}
  {%- else %}
    {{- ' ' + m.content | trim + eos_token }}
  {%- endif %}
{%- endfor %}"""

QWEN = """{%- set first = 1 if messages[0].role == 'system' else 0 %}
{{- '<|im_start|>system\n' + (messages[0].content if first else 'You are a helpful assistant.') }}
{%- if tools %}{{- '\n\n# Tools\n' + (tools | tojson) }}{%- endif %}
{{- '<|im_end|>\n' }}
{%- for m in messages[first:] %}
  {%- if m.role == 'tool' %}
    {{- '<|im_start|>user\n<tool_response>\n' + m.content + '\n</tool_response><|im_end|>\n' }}
  {%- else %}
    {{- '<|im_start|>' + m.role + '\n' + m.content }}
    {%- for call in m.tool_calls or [] %}
      {{- '<tool_call>\n' + (call.function | tojson) + '\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\n' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""


@dataclass(frozen=True)
class Family:
    """What tells one family's models and conversations from another's."""

    config: type[PretrainedConfig]
    template: str
    begin: str | None
    end: str
    special: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)


FAMILIES = {
    "llama3": Family(
        LlamaConfig,
        LLAMA3,
        "<|begin_of_text|>",
        "<|eot_id|>",
        ("<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>"),
    ),
    "gemma2": Family(
        Gemma2Config, GEMMA2, "<bos>", "<eos>", ("<start_of_turn>", "<end_of_turn>"), {"sliding_window": 16}
    ),
    "mistral": Family(
        MistralConfig,
        MISTRAL,
        "<s>",
        "</s>",
        (
            "[INST]",
            "[/INST]",
            "[AVAILABLE_TOOLS]",
            "[/AVAILABLE_TOOLS]",
            "[TOOL_CALLS]",
            "[TOOL_RESULTS]",
            "[/TOOL_RESULTS]",
        ),
        {"sliding_window": None},
    ),
    "qwen2.5": Family(Qwen2Config, QWEN, None, "<|im_end|>", ("<|im_start|>", "<|endoftext|>")),
}


def tokenizer_of(name: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer of one token a byte with the family's special tokens and template."""
    family = FAMILIES[name]
    raw = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(sorted(ByteLevel.alphabet()))}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token=family.begin, eos_token=family.end)
    tokenizer.add_special_tokens({"additional_special_tokens": list(family.special)})
    tokenizer.chat_template = family.template
    return tokenizer


def build_family(folder: Path, name: str) -> Path:
    """Write a model of the family's architecture with 2 layers of width 32 and random weights."""
    family, tokenizer = FAMILIES[name], tokenizer_of(name)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = family.config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        initializer_range=0.1,
        **family.extra,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder
