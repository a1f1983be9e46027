"""What goes over the wire to an OpenAI-compatible server, and what its replies mean; pure functions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

from regold.engines.base import Completion, Request
from regold.errors import RequestFailed
from regold.record import Message, Messages

UNPAID = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"})
API_FIELDS = ("name", "tool_calls", "tool_call_id")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_UNSEEN = re.compile(rb"\s|\xe2\x96\x81|\xc4\xa0|\xef\xbf\xbd")
"""Blanks, the two signs that vocabularies write for a space, and the mark of half a character."""
_LONE = re.compile(r"[\ud800-\udfff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict)


class Kind(Enum):
    """What a reply that is no answer asks us to do."""

    CAPACITY = auto()
    """Send it again later, and send less."""
    AGAIN = auto()
    """Send it again: the server or the way to it failed."""
    FOREIGN = auto()
    """Stop unless it passes: whatever answers is no model server."""
    REFUSED = auto()
    """Stop: the key, the account."""
    MISSING = auto()
    """Stop: this model or this path is not served."""
    FAILED = auto()
    """Give up this request alone."""
    SLOW = auto()
    """Give up this request, and count it against the server."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A reply that is no answer, judged by its status and structured code, never by words in its message."""

    kind: Kind
    what: str
    retry_after: float | None = None
    code: str | None = None
    """The server's own structured code, such as `unsupported_parameter`."""
    param: str | None = None


def chat_body(model: str, request: Request, limit: Mapping[str, int]) -> dict[str, Any]:
    """Return the body of a chat completion; `limit` is the field that bounds its length, whatever the server calls it.

    A seed is never sent: with temperature above 0 it can end a vLLM server on CPU.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": wire_messages(request.messages),
        "temperature": request.temperature,
        "top_p": request.top_p,
        **limit,
        "n": 1,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if request.logprobs:
        body["logprobs"] = True
    if request.schema is not None:
        form = {"name": "answer", "strict": True, "schema": request.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def spoken(messages: Messages) -> Messages:
    """Return the messages as every engine reads them: of `extra` only the fields the API knows, no ids and times."""
    return tuple(replace(m, extra=_known(m)) if m.extra else m for m in messages)


def wire_messages(messages: Messages) -> list[dict[str, Any]]:
    """Return messages as the API takes them; of `extra` only the fields the API knows."""
    return [{"role": m.role, "content": m.content, **_known(m)} for m in messages]


def _known(message: Message) -> dict[str, Any]:
    return {k: message.extra[k] for k in API_FIELDS if k in message.extra} if message.extra else {}


def encode(body: Mapping[str, Any]) -> bytes:
    """Return a body's bytes."""
    return _ENCODER.encode(body).encode()


def read_completion(reply: Mapping[str, Any], logprobs: bool) -> Completion:
    """Return a chat completion; its `logprobs` stay None where they were asked for and did not come.

    Raises RequestFailed where the reply is no completion or a content filter cut it.
    """
    try:
        choice = reply["choices"][0]
        text = _content(choice["message"])
        finish = choice.get("finish_reason")
        usage = reply.get("usage") or {}
        done = Completion(
            text=text,
            finish="length" if finish == "length" else "stop",
            logprobs=own_logprobs(text, _tokens(choice)) if logprobs else None,
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise RequestFailed(f"the server's reply is no chat completion: {opening(encode(reply))}") from None
    if finish == "content_filter":
        raise RequestFailed("the server's content filter cut the answer")
    return done


def _tokens(choice: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    listed = choice.get("logprobs") or {}
    tokens: Sequence[Mapping[str, Any]] | None = listed.get("content")
    return tokens if tokens is not None else listed.get("refusal")


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return str(content if content is not None else message.get("refusal") or "")


def own_logprobs(text: str, tokens: Sequence[Mapping[str, Any]] | None) -> tuple[float, ...] | None:
    """Return the log-probabilities of the tokens that the text is made of, or None where they do not cover it.

    Servers also list the end-of-turn token, those of a stop string and those of reasoning set apart; none belongs to
    the text, and leaving them out makes `generate` and `score` agree.
    """
    if not text:
        return None if tokens is None else ()
    if not tokens:
        return None
    values = _in_step(text, tokens)
    if values is not None:
        return values
    pieces, wanted = [_piece(t) for t in tokens], text.encode()
    if b"".join(pieces).startswith(wanted):
        kept = _overlapping(pieces, 0, len(wanted))
    else:
        kept = _among([_squeezed(p) for p in pieces], _squeezed(wanted))
    return _finite(tokens[i].get("logprob") for i in kept) if kept or text.strip() else ()


def _among(pieces: Sequence[bytes], wanted: bytes) -> list[int]:
    # Tokens decoded one by one lose the space before a word where the tokenizer's decoder strips a leading one.
    whole = b"".join(pieces)
    start = 0 if whole.startswith(wanted) else whole.rfind(wanted)
    return _overlapping(pieces, start, start + len(wanted)) if start >= 0 else _without_end(pieces, wanted)


def _squeezed(piece: bytes) -> bytes:
    return _UNSEEN.sub(b"", piece)


def _in_step(text: str, tokens: Sequence[Mapping[str, Any]]) -> tuple[float, ...] | None:
    # Nearly all answers: the tokens' texts simply follow each other, and none needs its bytes.
    at, found = 0, []
    for token in tokens:
        piece = token.get("token") or "\0"
        if not text.startswith(piece, at):
            return None
        at += len(piece)
        found.append(token.get("logprob"))
        if at == len(text):
            return _finite(found)
    return None


def _finite(given: Iterable[Any]) -> tuple[float, ...] | None:
    try:
        values = tuple(map(float, given))
    except (TypeError, ValueError):
        return None
    return values if values and all(map(math.isfinite, values)) else None


def _piece(token: Mapping[str, Any]) -> bytes:
    raw = token.get("bytes")
    return bytes(raw) if raw is not None else str(token.get("token", "")).encode()


def _overlapping(pieces: Sequence[bytes], start: int, end: int) -> list[int]:
    kept, at = [], 0
    for i, piece in enumerate(pieces):
        if at < end and at + len(piece) > start:
            kept.append(i)
        at += len(piece)
    return kept


def _without_end(pieces: Sequence[bytes], wanted: bytes) -> list[int]:
    # Pieces of some tokenizers never join exactly; far fewer bytes than the text has means that tokens are missing.
    count = len(pieces) - (pieces[-1].strip() not in wanted[-len(pieces[-1]) - 4 :])
    complete = sum(map(len, pieces[:count])) >= 0.7 * len(wanted)
    return list(range(count)) if complete else []


def read_reply(status: int, headers: Mapping[str, str], raw: bytes) -> dict[str, Any] | Fault:
    """Return a reply's JSON object, or the fault it stands for."""
    try:
        reply = _whole(json.loads(raw)) if _HALF.search(raw) else json.loads(raw)
    except (ValueError, RecursionError):
        reply = None
    if status == 200 and isinstance(reply, dict) and not reply.get("error"):
        return reply
    if status == 200 and not isinstance(reply, dict):
        kind = Kind.FOREIGN if raw.lstrip()[:1] in (b"<", b"") else Kind.AGAIN
        return Fault(kind, f"answered with something else than JSON: {opening(raw)}")
    error = reply.get("error", reply) if isinstance(reply, dict) else None
    error = error if isinstance(error, dict) else {"message": error}
    code = error.get("code")
    if status == 200:
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
    message = error.get("message") or error.get("detail")
    moved = f"moved to {clip(headers['Location'])}" if status in range(300, 400) and "Location" in headers else ""
    what = f"HTTP {status}: {moved or (clip(str(message)) if message else opening(raw))}"
    codes = {c for c in (code, error.get("type")) if isinstance(c, str)}
    metadata = error.get("metadata")
    flagged = isinstance(metadata, dict) and "flagged_input" in metadata
    kind = _kind(status, codes, flagged, retry_after(headers) is not None)
    return Fault(kind, what, retry_after(headers), str(code) if code else None, _text(error.get("param")))


def _whole(value: Any) -> Any:
    """Return a JSON value with U+FFFD for every lone surrogate, which no file can hold."""
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return {_whole(k): _whole(v) for k, v in value.items()} if isinstance(value, dict) else value


def _kind(status: int, codes: set[str], flagged: bool, dated: bool) -> Kind:
    if codes & UNPAID or status in (401, 402) or (status == 403 and not flagged):
        return Kind.REFUSED
    if status in (429, 529) or (status == 503 and dated):
        return Kind.CAPACITY
    if status == 404 or "model_not_found" in codes:
        return Kind.MISSING
    if status >= 500 or status in (408, 409, 425):
        return Kind.AGAIN
    return Kind.FOREIGN if status < 400 else Kind.FAILED


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server asks us to wait, from any of the forms in use, or None."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        given = headers.get("Retry-After")
        if given is None:
            return None
        if given.strip().replace(".", "", 1).isdigit():
            return float(given)
        then = parsedate_to_datetime(given)
        now = parsedate_to_datetime(headers["Date"]).timestamp() if "Date" in headers else None
        return None if now is None else max(0.0, then.timestamp() - now)
    except (ValueError, TypeError):
        return None


def opening(raw: bytes) -> str:
    """Return a body's first bytes, escaped, for an error message."""
    return repr(raw[:80])[1:] + ("..." if len(raw) > 80 else "")


def clip(message: str) -> str:
    """Return a server's message on one line, shortened, with control characters escaped."""
    line = " ".join(message.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line[:300]) + ("..." if len(line) > 300 else "")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
