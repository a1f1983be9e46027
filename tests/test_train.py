"""Training: which tokens carry loss under many chat templates, weights, seeds, what is refused, and that it learns."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from regold.engines.template import render
from regold.errors import InputError, MissingExtra, RecipeError, RunError, UsageError
from regold.fingerprint import file_digest
from regold.record import Message, Messages
from regold.train import TrainCard, TrainSettings, train
from regold.train.encode import IGNORED, EncodeChat
from regold.train.job import base_digest, encode_all
from regold.train.loop import TrainResponses, collate_with, token_nll
from tests.tiny import build_tiny

QUERY = "{% for m in messages %}<|{{ m.role }}|>"
CHATML = QUERY + "\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
TRIMMED = QUERY + "{{ m.content | trim }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
REFUSES_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
IGNORES_SYSTEM = CHATML.replace("messages %}", "messages if m.role != 'system' %}", 1)
BRACKETS = (
    "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }} <|end|>"
    "{% else %}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}"
)
UNENDED = (
    "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
THINKS = (
    QUERY
    + "\n{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
THINKS_FIRST = CHATML.replace("<|assistant|>\n", "<|assistant|>\n<think>\n")


def chat(*turns: str, system: str = "") -> Messages:
    roles = ("user", "assistant") * len(turns)
    head = (Message("system", system),) if system else ()
    return (*head, *(Message(role, text) for role, text in zip(roles, turns, strict=False)))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Two threads collapse beside a busy process, and tests run beside each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_tiny(tmp_path_factory.mktemp("model")))


@pytest.fixture
def tokenizer(tiny: str) -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(tiny)


def parts(tokenizer: PreTrainedTokenizerFast, template: str, messages: Messages) -> tuple[str, str]:
    """Return the texts without and with loss."""
    tokenizer.chat_template = template
    one = EncodeChat(tokenizer)(messages)
    assert [label for label in one.labels if label != IGNORED] == one.ids[one.start :]
    return tokenizer.decode(one.ids[: one.start]), tokenizer.decode(one.ids[one.start :])


@pytest.mark.parametrize(
    ("template", "before", "answer"),
    [
        (CHATML, "<|user|>\nWho?<|end|>\n<|assistant|>\n", " Ann <|end|>"),
        (TRIMMED, "<|user|>Who?<|end|><|assistant|>", "Ann<|end|>"),
        (REFUSES_SYSTEM, "<|user|>\nWho?<|end|>\n<|assistant|>\n", " Ann <|end|>"),
        (BRACKETS, "[INST] Who? [/INST]", "  Ann  <|end|>"),
        (UNENDED, "### user:\nWho?\n\n### assistant:\n", " Ann \n\n<|end|>"),
        (THINKS, "<|user|>\nWho?<|end|>\n<|assistant|>\n", "<think></think> Ann <|end|>"),
    ],
)
def test_only_the_response_and_its_end_carry_loss(
    tokenizer: PreTrainedTokenizerFast, template: str, before: str, answer: str
) -> None:
    assert parts(tokenizer, template, chat("Who?", " Ann ")) == (before, answer)


def test_earlier_turns_of_a_conversation_are_query(tokenizer: PreTrainedTokenizerFast) -> None:
    before, answer = parts(tokenizer, CHATML, chat("Who?", "Ann", "Sure?", "Yes", system="Be brief"))
    assert before.startswith("<|system|>\nBe brief<|end|>")
    assert before.endswith("Ann<|end|>\n<|user|>\nSure?<|end|>\n<|assistant|>\n")
    assert answer == "Yes<|end|>"


def test_the_reasoning_of_a_response_is_trained_on_and_that_of_the_query_is_not_read(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    template = CHATML.replace("{{ m.content }}", "{{ m.reasoning_content or '' }}{{ m.content }}")
    said = [Message("assistant", text, {"reasoning_content": f"({text}?)"}) for text in ("Ann", "Yes")]
    messages = (Message("user", "Who?"), said[0], Message("user", "Sure?"), said[1])
    before, answer = parts(tokenizer, template, messages)
    assert "(Ann?)" not in before
    assert answer == "(Yes?)Yes<|end|>"


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, IGNORES_SYSTEM])
def test_a_template_without_system_role_gets_it_in_the_first_user_turn(
    tokenizer: PreTrainedTokenizerFast, template: str
) -> None:
    before, answer = parts(tokenizer, template, chat("Who?", "Ann", system="Be brief"))
    assert before == "<|user|>\nBe brief\n\nWho?<|end|>\n<|assistant|>\n"
    assert answer == "Ann<|end|>"


def test_the_prompt_is_the_one_of_generation_where_a_merge_straddles_the_boundary() -> None:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: i for i, letter in enumerate([*letters, "ĠA"])}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ġ", "A")]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|end|>")
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}" + (
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    one = EncodeChat(tokenizer)(chat("Q", "Ann"))
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Q"}], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    assert one.ids[: one.start] == prompt
    assert tokenizer.decode(one.ids) == "user: Qassistant: Ann<|end|>"


@pytest.mark.parametrize(
    ("template", "messages"),
    [(THINKS_FIRST, chat("Who?", "Ann")), (CHATML, chat("Who?")), (CHATML, chat("Who?", "Ann", "Sure?"))],
)
def test_what_cannot_be_encoded_says_so(tokenizer: PreTrainedTokenizerFast, template: str, messages: Messages) -> None:
    tokenizer.chat_template = template
    with pytest.raises(InputError):
        EncodeChat(tokenizer)(messages)


def test_a_tokenizer_without_template_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.chat_template = None
    with pytest.raises(UsageError, match=r"chat_template\.jinja"):
        EncodeChat(tokenizer)


def test_nothing_is_left_out_without_being_counted(tokenizer: PreTrainedTokenizerFast) -> None:
    rows = [(chat("Who?", "Ann"), 1.0), (chat("Who?", "Ann" * 50), 1.0), (chat("Who?", "B"), 0.0), (chat("Who?"), 0.5)]
    encoded, weights, left_out = encode_all(EncodeChat(tokenizer), rows, 40)
    assert (len(encoded), weights) == (1, [1.0])
    assert sorted(left_out.values()) == [1, 1, 1]
    assert "longer than 40 tokens" in left_out
    with pytest.raises(InputError, match="no record to train on"):
        encode_all(EncodeChat(tokenizer), rows[1:], 40)
    with pytest.raises(InputError, match="record 1"):
        encode_all(EncodeChat(tokenizer), [(chat("Who?", "Ann"), 1.5)], 40)


def gradients(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, rows: list[tuple[Messages, float]]) -> dict:
    """Return the gradients of our loss on one batch."""
    encoded, weights, _ = encode_all(EncodeChat(tokenizer), rows, 200)
    batch = collate_with(tokenizer)(
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


@pytest.mark.parametrize("weights", [(1, 1, 1), (0.25, 0.25, 0.25), (1.0, 0.1, 0.6)])
def test_padding_and_weights_give_the_textbook_gradient(
    tiny: str, tokenizer: PreTrainedTokenizerFast, weights: tuple[float, ...]
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    texts = [("Who is it?", "Ann"), ("Why?", "Because it rains."), ("A much longer question, is it not?", "No")]
    rows = [(chat(*text), weight) for text, weight in zip(texts, weights, strict=True)]
    ours, textbook = gradients(model, tokenizer, rows), plain_gradients(model, tokenizer, rows)
    assert ours.keys() == textbook.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, textbook[name], rtol=1e-4, atol=1e-6)


def test_ignored_tokens_have_no_loss() -> None:
    nll = token_nll(torch.zeros(1, 3, 4), torch.tensor([[IGNORED, 2, IGNORED]]))
    torch.testing.assert_close(nll, torch.tensor([[0.0, math.log(4), 0.0]]))


ITEMS = [(chat(f"Code of {a}{b}?", f"{b}{a}"), 1.0) for a in "abcde" for b in "wxyz"]
QUICK = TrainSettings(epochs=30, learning_rate=1e-2, batch_size=10, full=True)
SHORT = TrainSettings(epochs=1, learning_rate=1e-2, batch_size=10, rank=4)


def memorised(folder: Path) -> float:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    right = 0
    for messages, _ in ITEMS:
        text = render(tokenizer, messages[:-1], prompting=True)
        prompt = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        said = model.generate(**prompt, max_new_tokens=6, do_sample=False)[0, prompt["input_ids"].shape[1] :]
        right += tokenizer.decode(said, skip_special_tokens=False) == f"{messages[-1].content}<|end|>"
    return right / len(ITEMS)


@pytest.mark.parametrize("full", [True, False])
def test_a_model_memorises_and_stops_where_it_should(tiny: str, tmp_path: Path, full: bool) -> None:
    seen: list[tuple[int, int, float]] = []
    settings = QUICK if full else dataclasses.replace(QUICK, full=False, rank=32, alpha=64, epochs=40)
    card = train(tiny, ITEMS, tmp_path / "out", settings, merge=True, progress=lambda *s: seen.append(s))
    assert memorised(Path(tiny)) == 0
    assert memorised(tmp_path / "out") >= 0.9
    assert card.losses[-1][1] < 0.2 * card.losses[0][1]
    assert seen[-1][:2] == (card.steps, card.steps) == (2 * settings.epochs,) * 2
    assert (card.given, card.trained, card.left_out) == (20, 20, {})


def weights_of(folder: Path) -> str:
    return file_digest(folder / "adapter_model.safetensors")


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tiny: str, tmp_path: Path) -> None:
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        train(tiny, ITEMS, tmp_path / name, dataclasses.replace(SHORT, seed=seed, dropout=0.1))
    assert weights_of(tmp_path / "a") == weights_of(tmp_path / "b") != weights_of(tmp_path / "c")


def test_equal_weights_are_no_weights_and_unequal_ones_are(tiny: str, tmp_path: Path) -> None:
    halves = [(messages, 0.5) for messages, _ in ITEMS]
    uneven = [(messages, 1.0 if i % 2 else 0.1) for i, (messages, _) in enumerate(ITEMS)]
    for name, rows in {"ones": ITEMS, "halves": halves, "uneven": uneven}.items():
        train(tiny, rows, tmp_path / name, SHORT)
    assert weights_of(tmp_path / "ones") == weights_of(tmp_path / "halves") != weights_of(tmp_path / "uneven")


def test_accumulated_steps_equal_one_large_batch(tiny: str, tmp_path: Path) -> None:
    rows = [(messages, 1.0 if i % 3 else 0.4) for i, (messages, _) in enumerate(ITEMS)]
    settings = dataclasses.replace(SHORT, batch_size=20, full=True, learning_rate=1e-3)
    halved = dataclasses.replace(settings, batch_size=10, accumulate=2)
    one, two = (train(tiny, rows, tmp_path / name, s) for name, s in {"one": settings, "two": halved}.items())
    assert one.steps == two.steps == 1
    assert one.losses[0][1] == pytest.approx(two.losses[0][1], rel=1e-4)


@pytest.mark.parametrize("full", [True, False])
def test_checkpointing_changes_nothing_and_bfloat16_little(tiny: str, tmp_path: Path, full: bool) -> None:
    base = dataclasses.replace(SHORT, full=full, epochs=2)
    ways = {"plain": {}, "again": {"checkpointing": True}, "half": {"dtype": "bfloat16"}}
    cards = {n: train(tiny, ITEMS, tmp_path / n, dataclasses.replace(base, **way)) for n, way in ways.items()}
    last = {name: card.losses[-1][1] for name, card in cards.items()}
    assert last["again"] == pytest.approx(last["plain"], rel=1e-6)
    assert last["half"] == pytest.approx(last["plain"], rel=0.02)
    assert (cards["plain"].dtype, cards["half"].dtype) == ("float32", "bfloat16")


def test_the_folder_is_whole_and_the_card_tells_what_was_done(tiny: str, tmp_path: Path) -> None:
    rows = [*ITEMS, (chat("Who?", "x" * 300), 1.0)]
    settings = dataclasses.replace(SHORT, targets=("q_proj", "v_proj"), max_length=100)
    card = train(tiny, rows, tmp_path / "out", settings)
    assert TrainCard.read(tmp_path / "out") == card
    assert card.left_out == {"longer than 100 tokens": 1}
    assert card.base == base_digest(tiny)
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["r"] == 4
    assert "longer than 100 tokens" in (tmp_path / "out" / "README.md").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_same_training_is_not_done_twice_and_another_is_not_overwritten(tiny: str, tmp_path: Path) -> None:
    card = train(tiny, ITEMS, tmp_path / "out", SHORT)
    assert train(tiny, ITEMS, tmp_path / "out", SHORT, progress=lambda *_: pytest.fail("trained again")) == card
    with pytest.raises(UsageError, match="another training"):
        train(tiny, ITEMS[1:], tmp_path / "out", SHORT)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="give another folder"):
        train(tiny, ITEMS, tmp_path / "own", SHORT)


def test_what_cannot_be_trained_is_refused(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no model"):
        train(str(tmp_path / "absent"), ITEMS, tmp_path / "out")
    train(tiny, ITEMS, tmp_path / "adapter", SHORT)
    with pytest.raises(UsageError, match="is an adapter"):
        train(str(tmp_path / "adapter"), ITEMS, tmp_path / "out")
    with pytest.raises(RunError, match="lower the learning rate"):
        train(tiny, ITEMS, tmp_path / "out", dataclasses.replace(QUICK, learning_rate=1e30, warmup=0.0))
    assert not (tmp_path / "out").exists()
    monkeypatch.setitem(sys.modules, "trl", None)
    for name in ("regold.train.job", "regold.train.loop"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"regold\[train\]"):
        train(tiny, ITEMS, tmp_path / "out")


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": 0.0}, {"warmup": 1.0}, {"dtype": "float8"}])
def test_settings_no_training_can_have(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        TrainSettings(**wrong)  # type: ignore[arg-type]
