"""How stages ask a model: data behind a fence, shots before the question, verdicts with one repair turn."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from regold.engines.base import Completion, Request
from regold.methods.agreement import same_answer
from regold.methods.answers import read_answer
from regold.methods.verdicts import json_verdict, named_alone, plain_verdict, verdict_schema
from regold.record import Message, Messages, Record
from regold.stage import Context
from regold.together import together

Read = TypeVar("Read")
NO_CLAIMS: Mapping[str, str] = MappingProxyType({})


BEGINNING = 200
"""Characters shown of a reply that was cut off, when it is asked for again."""


def asked_again(request: Request, reply: Completion, wanted: str) -> Request:
    """Return a request with its repair turn: the reply, then what is wanted.

    Of a reply that was cut off only the beginning is shown: whole, it would fill the window of a small model.
    """
    said = f"{reply.text[:BEGINNING]} ..." if reply.finish == "length" else reply.text
    return replace(request, messages=(*request.messages, Message("assistant", said), Message("user", wanted)))


def fence(ctx: Context, *texts: str) -> str:
    """Return a mark that stands in none of the texts: a prompt's `<data {{fence}}>` that no text can close.

    It is drawn from the texts themselves, so that equal requests stay equal and the journal answers them.
    """
    chance = ctx.chance("fence", *texts)
    while True:
        mark = f"{chance.getrandbits(40):010x}"
        if not any(mark in text for text in texts):
            return mark


def render(ctx: Context, prompt: str, **values: str) -> str:
    """Fill a prompt with untrusted values and a fence around them that none of them can close."""
    return ctx.prompts.render(prompt, fence=fence(ctx, *values.values()), **values)


def asked(ctx: Context, prompt: str, record: Record) -> Messages:
    """Return the record's query with its last user turn wrapped in a prompt; all other turns stay as given."""
    text = Message("user", render(ctx, prompt, query=record.question))
    places = [i for i, m in enumerate(record.query) if m.role == "user"]
    if not places:
        return (*record.query, text)
    last = places[-1]
    wrapped = replace(record.query[last], content=text.content)
    return (*record.query[:last], wrapped, *record.query[last + 1 :])


def in_context(ctx: Context, prompt: str, record: Record, shots: Sequence[Record]) -> Messages:
    """Return the query after the shots as earlier turns, the first shot furthest away (RobustFT, eq. 5).

    A shot is its last user turn and its response. System turns of the record's own stay in front.
    """
    own = asked(ctx, prompt, record)
    systems = next((i for i, m in enumerate(own) if m.role != "system"), len(own))
    earlier = [
        m
        for s in shots
        for m in (Message("user", render(ctx, prompt, query=s.question)), Message("assistant", s.response))
    ]
    return (*own[:systems], *earlier, *own[systems:])


def conversation(messages: Messages) -> str:
    """Return a query as one text, to be shown as data: a single user turn as it is, several turns with their roles."""
    if [m.role for m in messages] == ["user"]:
        return messages[0].content
    return "\n\n".join(f"[{m.role}]\n{m.content}" for m in messages)


async def vote_nll(ctx: Context, role: str, request: Request, record: Record, answer: str, votes: int) -> float:
    """Return -log of an answer's share among `votes` sampled answers, half a vote added to its own and one to all."""
    said = await together([ctx.ask(role, replace(request, sample=n)) for n in range(votes)])
    read = [read_answer(c.text, record.response, record.options, c.finish) for c in said]
    hits = sum(same_answer(answer, said, record.options) is True for said in read)
    return -math.log((hits + 0.5) / (votes + 1))


async def ask_verdict(
    ctx: Context,
    role: str,
    prompt: str,
    legal: Sequence[str],
    max_tokens: int = 512,
    claims: Mapping[str, str] = NO_CLAIMS,
    /,
    **values: str,
) -> str | None:
    """Ask for one of the legal verdicts about untrusted values; None is an abstention.

    A prompt that asks for JSON is held to a schema with the keys it names ("why", "mark") and read as JSON; any other
    is read as plain words. A reply that was cut off or holds no legal verdict is asked again once. `claims` are the
    answers that verdicts stand for: a plain reply whose reasoning names one of them alone has decided for that one.
    """
    mark = fence(ctx, *values.values())
    wanted = _Form.of(ctx.prompts.text(prompt), legal, mark, claims)
    message = Message("user", ctx.prompts.render(prompt, fence=mark, **values))
    request = Request((message,), max_tokens=max_tokens, schema=wanted.schema)
    reply = await ctx.ask(role, request)
    found = wanted.read(reply)
    if found is not None:
        return found
    repair = f"That holds no verdict. Give your verdict only, as one of these:\n{wanted.examples}"
    return wanted.read(await ctx.ask(role, asked_again(request, reply, repair)))


async def ask_form(
    ctx: Context,
    role: str,
    prompt: str,
    values: Mapping[str, str],
    schema: Callable[[bool], dict[str, Any]],
    read: Callable[[str, str | None, bool], Read | None],
    max_tokens: int,
) -> Read | None:
    """Ask for a reply of a fixed form about untrusted values, with one repair turn; None is an abstention.

    A prompt that asks for JSON is held to the schema, and to the mark where it names one; any other is read as plain
    words. A reply that was cut off is never read.
    """
    mark, text = fence(ctx, *values.values()), ctx.prompts.text(prompt)
    as_json, marked = "JSON" in text, '"mark"' in text
    message = Message("user", ctx.prompts.render(prompt, fence=mark, **values))
    request = Request((message,), max_tokens=max_tokens, schema=schema(marked) if as_json else None)
    said = await ctx.ask(role, request)
    found = None if said.finish == "length" else read(said.text, mark if marked else None, as_json)
    if found is not None:
        return found
    form = "the JSON object asked for, whole and with every key" if as_json else "the form asked for"
    said = await ctx.ask(role, asked_again(request, said, f"That is not {form}. Reply with it and nothing else."))
    return None if said.finish == "length" else read(said.text, mark if marked else None, as_json)


@dataclass(frozen=True)
class _Form:
    """The form in which a prompt wants its verdict."""

    legal: Sequence[str]
    as_json: bool
    before: tuple[str, ...]
    mark: str | None
    claims: Mapping[str, str]

    @classmethod
    def of(cls, prompt: str, legal: Sequence[str], mark: str, claims: Mapping[str, str]) -> _Form:
        before = tuple(key for key in ("why", "mark") if f'"{key}"' in prompt)
        return cls(legal, "JSON" in prompt, before, mark if "mark" in before else None, claims)

    @property
    def schema(self) -> Mapping[str, Any] | None:
        return verdict_schema(self.legal, self.before) if self.as_json else None

    @property
    def examples(self) -> str:
        if not self.as_json:
            return "\n".join(f"The answer is {verdict}." for verdict in self.legal)
        texts = {key: self.mark if key == "mark" else "..." for key in self.before}
        return "\n".join(json.dumps({**texts, "verdict": verdict}) for verdict in self.legal)

    def read(self, reply: Completion) -> str | None:
        if reply.finish == "length":
            return None
        if not self.as_json:
            verdict = plain_verdict(reply.text, self.legal)
            return verdict and (named_alone(reply.text, self.claims) or verdict)
        return json_verdict(reply.text, self.legal, self.mark)
