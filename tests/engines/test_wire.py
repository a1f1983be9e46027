"""What servers say, read without a server: whose tokens are whose, and which replies mean what."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from regold.engines.base import Request
from regold.engines.wire import (
    Fault,
    Kind,
    chat_body,
    own_logprobs,
    read_completion,
    read_reply,
    retry_after,
    spoken,
    wire_messages,
)
from regold.errors import RequestFailed
from regold.record import Message


def tokens(*pieces: str | list[int]) -> list[dict[str, Any]]:
    return [
        {"token": p, "bytes": list(p.encode()), "logprob": -float(i)}
        if isinstance(p, str)
        else {"token": "?", "bytes": p, "logprob": -float(i)}
        for i, p in enumerate(pieces)
    ]


@pytest.mark.parametrize(
    ("text", "listed", "kept"),
    [
        ("The end", tokens("The", " end"), (0, 1)),
        ("The end", tokens("The", " end", "<|im_end|>"), (0, 1)),
        ("s", tokens("s", "</s>"), (0,)),
        ("Yes", tokens("Yes", "\n", "St", "op"), (0,)),
        ("Yes", tokens("<think>", "Yes or no", "</think>", "Yes", "<eos>"), (3,)),
        ("é!", tokens([0xC3], [0xA9], "!", "<eos>"), (0, 1, 2)),
        (" two words", tokens("two", "words", "</s>"), (0, 1)),
        (" R", tokens("R", "<end>"), (0,)),
        (" R", tokens("R"), (0,)),
        (" a b c", tokens("a", "b", "c", "<end>"), (0, 1, 2)),
        (" a b", tokens("\u2581a", "\u2581b", "</s>"), (0, 1)),
        (" é x", tokens("", [0xC3], [0xA9], "x", "<eos>"), (1, 2, 3)),
        (" B", tokens("think", "A or B", "</think>", "B", "</s>"), (3,)),
        (" 4", tokens("4", " ", "Q4"), (0,)),
        ("\n", tokens("", "</s>"), ()),
        ("", tokens("<eos>"), ()),
        ("", [], ()),
    ],
)
def test_only_the_texts_own_tokens_count(text: str, listed: list[dict[str, Any]], kept: tuple[int, ...]) -> None:
    assert own_logprobs(text, listed) == tuple(-float(i) for i in kept)


@pytest.mark.parametrize(
    "listed",
    [
        None,
        [],
        tokens("A"),
        tokens(" A", " long"),
        [{"token": "A long answer"}],
        [{"token": "A long answer", "logprob": float("nan")}],
    ],
)
def test_missing_tokens_are_no_logprobs(listed: list[dict[str, Any]] | None) -> None:
    assert own_logprobs("A long answer", listed) is None


def test_tokens_without_bytes_are_read_by_their_text() -> None:
    listed = [{"token": "Yes", "logprob": -0.5}, {"token": "<eos>", "bytes": None, "logprob": -9.0}]
    assert own_logprobs("Yes", listed) == (-0.5,)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "the rate of generation"}, Kind.FAILED),
        (400, {"code": "model_not_found"}, Kind.MISSING),
        (401, {}, Kind.REFUSED),
        (402, {}, Kind.REFUSED),
        (403, {}, Kind.REFUSED),
        (403, {"metadata": {"flagged_input": "x"}}, Kind.FAILED),
        (404, {}, Kind.MISSING),
        (408, {}, Kind.AGAIN),
        (413, {}, Kind.FAILED),
        (429, {"message": "insufficient_quota is only a word here"}, Kind.CAPACITY),
        (429, {"code": "insufficient_quota"}, Kind.REFUSED),
        (429, {"type": "insufficient_quota"}, Kind.REFUSED),
        (500, {"message": "rate limit 429"}, Kind.AGAIN),
        (503, {}, Kind.AGAIN),
        (529, {}, Kind.CAPACITY),
        (200, {"code": 429}, Kind.CAPACITY),
        (200, {"message": "provider failed"}, Kind.AGAIN),
        (302, {}, Kind.FOREIGN),
    ],
)
def test_a_reply_is_judged_by_status_and_code_never_by_words(status: int, error: dict[str, Any], kind: Kind) -> None:
    fault = read_reply(status, {}, json.dumps({"error": error or {"message": "no"}}).encode())
    assert isinstance(fault, Fault)
    assert fault.kind is kind


def test_a_dated_503_is_capacity() -> None:
    fault = read_reply(503, {"Retry-After": "3"}, b"{}")
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.retry_after) == (Kind.CAPACITY, 3.0)


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff\xfe", b"null", b"[1]", b'"text"', b"{", b'{"error": "words"}'])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_odd_bodies_are_faults_whose_words_are_safe_to_print(status: int, raw: bytes) -> None:
    fault = read_reply(status, {}, raw)
    assert isinstance(fault, Fault)
    assert fault.what.isprintable()


def test_a_servers_message_is_shortened_and_escaped() -> None:
    fault = read_reply(400, {}, json.dumps({"error": {"message": "bad\x1b[31m\n" + "x" * 1000}}).encode())
    assert isinstance(fault, Fault)
    assert fault.what.isprintable()
    assert len(fault.what) < 400


def test_retry_after_is_read_in_all_its_forms() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    then = {"Retry-After": format_datetime(now + timedelta(seconds=90), usegmt=True)}
    assert retry_after({**then, "Date": format_datetime(now, usegmt=True)}) == 90
    assert retry_after({"Retry-After": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "1500"}) == 1.5
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


def test_a_body_holds_no_seed_and_only_the_fields_asked_for() -> None:
    turns = (Message("user", "hi", {"note": "ours", "name": "Ann"}),)
    body = chat_body("m", Request(turns, temperature=0.7, sample=3), {"max_tokens": 9})
    assert set(body) == {"model", "messages", "temperature", "top_p", "max_tokens", "n"}
    assert body["messages"] == [{"role": "user", "content": "hi", "name": "Ann"}]
    full = chat_body("m", Request(turns, stop=("x",), logprobs=True, schema={"type": "object"}), {"max_tokens": 9})
    assert set(full) - set(body) == {"stop", "logprobs", "response_format"}


def choice(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "ok"}, "finish_reason": "stop", **fields}]}


def test_replies_in_other_shapes_are_read() -> None:
    assert read_completion(choice(message={"content": None}), False).text == ""
    assert read_completion(choice(message={"content": None, "refusal": "I will not."}), False).text == "I will not."
    assert (
        read_completion(choice(message={"content": [{"type": "text", "text": "a"}, {"text": "b"}]}), False).text == "ab"
    )
    assert read_completion(choice(finish_reason="length"), False).finish == "length"
    assert read_completion(choice(), True).logprobs is None


@pytest.mark.parametrize("reply", [{}, {"choices": []}, {"choices": [{}]}, {"choices": ["x"]}, {"choices": 3}])
def test_what_is_no_completion_fails_its_record(reply: dict[str, Any]) -> None:
    with pytest.raises(RequestFailed, match="no chat completion"):
        read_completion(reply, False)


def test_a_filtered_answer_is_no_answer() -> None:
    with pytest.raises(RequestFailed, match="content filter"):
        read_completion(choice(finish_reason="content_filter"), False)


def test_what_is_spoken_is_what_is_sent_and_no_more() -> None:
    plain = (Message("system", "Be kind."), Message("user", "Who?", {"name": "Ann"}))
    dated = (Message("system", "Be kind.", {"id": "7"}), Message("user", "Who?", {"name": "Ann", "time": 1234}))
    assert spoken(dated) == spoken(plain) == plain
    assert wire_messages(spoken(dated)) == wire_messages(dated)


@pytest.mark.parametrize("raw", [b'{"text": "a\\ud800b"}', b'{"text": "a\\uDFFFb"}', b'{"text": "a\xed\xa0\x80b"}'])
def test_lone_surrogates_are_replaced(raw: bytes) -> None:
    assert read_reply(200, {}, raw) == {"text": "a\ufffdb"}


def test_whole_characters_stay() -> None:
    assert read_reply(200, {}, '{"text": ["\\ud83d\\ude00 \ud55c"]}'.encode()) == {"text": ["\U0001f600 \ud55c"]}


def test_a_refusal_brings_its_own_logprobs() -> None:
    choice = {"message": {"content": None, "refusal": "No"}, "logprobs": {"content": None, "refusal": tokens("No")}}
    assert read_completion({"choices": [choice]}, logprobs=True).logprobs == (0,)


@pytest.mark.parametrize("listed", [["B"], [{"token": 1}], [{"token": "x", "bytes": [999]}], 7])
def test_logprobs_of_another_shape_fail_their_request(listed: Any) -> None:
    choice = {"message": {"content": "B"}, "logprobs": {"content": listed}}
    with pytest.raises(RequestFailed, match="no chat completion"):
        read_completion({"choices": [choice]}, logprobs=True)
