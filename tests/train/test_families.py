"""Masks, gradients and whole trainings under the templates and architectures of Llama-3, Gemma-2, Mistral and Qwen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from regold.errors import InputError
from regold.formats import Row, read, training_messages
from regold.record import Message, Messages
from regold.train import TrainSettings, train
from regold.train.encode import EncodeChat
from tests.train.chats import chat
from tests.train.families import FAMILIES, build_family, tokenizer_of
from tests.train.test_weights import gradients, plain_gradients, same

TALK = chat("Who?", "Ann", "Sure?", "Yes", system="Be brief")
LLAMA_SYSTEM = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nDate: 26 Jul 2024\n\n"
PROMPTS = {
    "llama3": LLAMA_SYSTEM + "Be brief<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nAnn<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nSure?"
    "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma2": "<bos><start_of_turn>user\nBe brief\n\nWho?<end_of_turn>\n<start_of_turn>model\nAnn<end_of_turn>\n"
    "<start_of_turn>user\nSure?<end_of_turn>\n<start_of_turn>model\n",
    "mistral": "<s>[INST] Who?[/INST] Ann</s>[INST] Be brief\n\nSure?[/INST]",
    "qwen2.5": "<|im_start|>system\nBe brief<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n"
    "Ann<|im_end|>\n<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n",
}
ANSWERS = {
    "llama3": ("Ann<|eot_id|>", "Yes<|eot_id|>"),
    "gemma2": ("Ann<end_of_turn>", "Yes<end_of_turn>"),
    "mistral": (" Ann</s>", " Yes</s>"),
    "qwen2.5": ("Ann<|im_end|>", "Yes<|im_end|>"),
}
CALLS = {
    "llama3": '{"name": "add", "parameters": {"a": 1}}<|eot_id|>',
    "mistral": '[TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}}]</s>',
    "qwen2.5": '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call><|im_end|>',
}


def spans(name: str, messages: Messages) -> list[str]:
    tokenizer = tokenizer_of(name)
    found = EncodeChat(tokenizer).every_turn(messages)
    return [tokenizer.decode(one.ids[a:b]) for one in found for a, b in one.spans]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_last_answer_of_a_conversation_with_system_text_carries_loss(name: str) -> None:
    tokenizer = tokenizer_of(name)
    one = EncodeChat(tokenizer)(TALK)
    assert tokenizer.decode(one.ids[: one.start]) == PROMPTS[name]
    assert tokenizer.decode(one.ids[one.start :]) == ANSWERS[name][1]
    assert [place for place, label in enumerate(one.labels) if label >= 0] == list(range(one.start, len(one.ids)))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("system", ["", "Be brief"])
def test_every_answer_of_a_conversation_carries_loss(name: str, system: str) -> None:
    assert spans(name, chat("Who?", "Ann", "Sure?", "Yes", system=system)) == list(ANSWERS[name])


def test_a_system_text_that_moves_with_the_last_query_makes_a_sequence_of_each_turn() -> None:
    tokenizer = tokenizer_of("mistral")
    texts = [tokenizer.decode(one.ids) for one in EncodeChat(tokenizer).every_turn(TALK)]
    assert texts == ["<s>[INST] Be brief\n\nWho?[/INST] Ann</s>", PROMPTS["mistral"] + " Yes</s>"]


def calling(folder: Path) -> Messages:
    """Return a conversation with a tool, as read from a file of sharegpt's shape."""
    turns = [
        {"from": "human", "value": "1 + 1?"},
        {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 1}}'},
        {"from": "observation", "value": "2"},
        {"from": "gpt", "value": "It is 2."},
    ]
    row = {"conversations": turns, "tools": json.dumps([{"name": "add", "parameters": {}}])}
    (folder / "calls.jsonl").write_text(json.dumps(row) + "\n")
    [read_row] = read(folder / "calls.jsonl")
    assert isinstance(read_row, Row)
    return training_messages(read_row.messages, read_row.source)


@pytest.mark.parametrize("name", CALLS)
def test_tools_are_read_and_calls_carry_loss_as_the_template_writes_them(name: str, tmp_path: Path) -> None:
    tokenizer, messages = tokenizer_of(name), calling(tmp_path)
    one = EncodeChat(tokenizer)(messages)
    assert '"function": {"name": "add", "parameters": {}}' in tokenizer.decode(one.ids[: one.start])
    assert spans(name, messages)[0] == CALLS[name]
    assert spans(name, messages)[1].strip().startswith("It is 2.")


def test_what_a_template_refuses_is_refused_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="alternate"):
        EncodeChat(tokenizer_of("gemma2"))(calling(tmp_path))
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    turns = (Message("user", "?"), Message("assistant", "", {"tool_calls": [call]}))
    with pytest.raises(InputError, match="nine characters"):
        EncodeChat(tokenizer_of("mistral"))(turns)


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, build_family(tmp_path_factory.mktemp("family"), request.param)


@pytest.mark.parametrize("packing", [False, True])
def test_each_architecture_has_the_textbook_gradient(model: tuple[str, Path], packing: bool) -> None:
    name, folder = model
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    rows = [(TALK, 0.25), (chat("Why is that so, and since when?", "It rains."), 1.0), (chat("Who?", "Bo"), 0.5)]
    tokenizer = tokenizer_of(name)
    same(gradients(network, tokenizer, rows, packing), plain_gradients(network, tokenizer, rows))


def test_each_family_trains_from_file_to_adapter(model: tuple[str, Path], tmp_path: Path) -> None:
    rows = [(chat(f"Code of {n}?", str(n), "Sure?", "Yes", system="Be brief"), 1.0 - n / 40) for n in range(20)]
    settings = TrainSettings(epochs=4, learning_rate=1e-2, batch_size=10, rank=8, turns="all", packing=True)
    card = train(str(model[1]), rows, tmp_path / "out", settings)
    assert card.trained == 20
    assert card.sequences == (40 if model[0] == "mistral" else 20)
    assert card.losses[-1][1] < 0.8 * card.losses[0][1]
