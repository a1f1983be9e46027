"""Which tokens carry loss, under many chat templates and over one or every turn."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from regold.errors import InputError, UsageError
from regold.record import Message, Messages
from regold.train.encode import IGNORED, EncodeChat
from regold.train.job import encode_all
from tests.train.chats import (
    BRACKETS,
    CHATML,
    IGNORES_SYSTEM,
    REFUSES_SYSTEM,
    THINKS,
    THINKS_FIRST,
    TRIMMED,
    UNENDED,
    chat,
)


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
    for weight in (-0.5, float("nan"), float("inf")):
        with pytest.raises(InputError, match="record 1"):
            encode_all(EncodeChat(tokenizer), [(chat("Who?", "Ann"), weight)], 40)


@pytest.mark.parametrize(
    ("template", "sequences"), [(CHATML, 1), (TRIMMED, 1), (BRACKETS, 1), (UNENDED, 3), (THINKS, 3)]
)
def test_turns_share_a_sequence_where_the_template_leaves_them_as_they_were(
    tokenizer: PreTrainedTokenizerFast, template: str, sequences: int
) -> None:
    tokenizer.chat_template = template
    found = EncodeChat(tokenizer).every_turn(chat("Who?", "Ann", "Sure?", "Yes", "Why?", "So"))
    assert len(found) == sequences
    said = [tokenizer.decode(s.ids[a:b]).replace("<think></think>", "").strip() for s in found for a, b in s.spans]
    assert [text.replace("<|end|>", "").strip() for text in said] == ["Ann", "Yes", "So"]
    assert all(text.endswith("<|end|>") for text in said)
    for one in found:
        assert [i for i, label in enumerate(one.labels) if label != IGNORED] == [
            i for a, b in one.spans for i in range(a, b)
        ]


def test_a_greeting_answers_nothing_and_carries_no_loss(tokenizer: PreTrainedTokenizerFast) -> None:
    greeted = (Message("assistant", "Hello"), *chat("Who?", "Ann"))
    [one] = EncodeChat(tokenizer).every_turn(greeted)
    assert [tokenizer.decode(one.ids[a:b]) for a, b in one.spans] == ["Ann<|end|>"]
