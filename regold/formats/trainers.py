"""Conversations in the words of trainers: OpenAI and TRL's messages, LLaMA-Factory's sharegpt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from regold.record import Message, Messages

_LLAMAFACTORY = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system"}
_KEPT = ("tool_calls", "tool_call_id", "name", "reasoning_content")
_CALLING = ("tool_calls", "tool_call_id")
_ASKING, _ANSWERING = ("human", "observation"), ("gpt", "function_call")


def openai_row(messages: Messages, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return `messages` (and `tools`) as chat templates and fine-tuning services read them."""
    row: dict[str, Any] = {"messages": _openai_turns(messages)}
    tools = _json(source.get("tools"))
    if isinstance(tools, list) and tools:
        row["tools"] = [t if "function" in t else {"type": "function", "function": t} for t in tools]
    return row


def training_messages(messages: Messages, source: Mapping[str, Any]) -> Messages:
    """Return a conversation with its calls as chat templates read them, and its tools in the first message's extra."""
    row = openai_row(messages, source)
    turns = [
        replace(m, content=t["content"] or "", extra={**m.extra, **{k: t[k] for k in _CALLING if k in t}})
        if any(k in t and k not in m.extra for k in _CALLING)
        else m
        for m, t in zip(messages, row["messages"], strict=True)
    ]
    if "tools" in row:
        turns[0] = replace(turns[0], extra={**turns[0].extra, "tools": row["tools"]})
    return tuple(turns)


def trl_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return such a row as `prompt` and `completion`, on whose completion alone TRL puts loss."""
    turns = row["messages"]
    rest = {key: value for key, value in row.items() if key != "messages"}
    return {"prompt": turns[:-1], "completion": turns[-1:], **rest}


def without_reasoning(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return such a row without the reasoning of its turns, a key that OpenAI refuses."""
    turns = [{key: value for key, value in turn.items() if key != "reasoning_content"} for turn in row["messages"]]
    return {**row, "messages": turns}


def earlier_turns(row: Mapping[str, Any], **mark: Any) -> dict[str, Any]:
    """Return such a row with a mark on every assistant turn before the last."""
    turns = row["messages"]
    marked = [turn | mark if turn["role"] == "assistant" else turn for turn in turns[:-1]]
    return {**row, "messages": [*marked, *turns[-1:]]}


def _openai_turns(messages: Messages) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    waiting: list[str] = []
    for place, message in enumerate(messages):
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        turn |= {k: v for k, v in message.extra.items() if k in _KEPT}
        if calls := _calls(message):
            # nine letters and digits: the form Mistral's template wants
            ids = [f"call{place:03}{i:02}" for i in range(len(calls))]
            turn |= {"content": None, "tool_calls": [_openai_call(c, i) for c, i in zip(calls, ids, strict=True)]}
            waiting = ids
        elif message.role == "tool" and "tool_call_id" not in turn and waiting:
            turn["tool_call_id"] = waiting.pop(0)
        turns.append(turn)
    return turns


def _calls(message: Message) -> list[dict[str, Any]]:
    """Return the calls of a turn that is one in sharegpt's words, where its text can be read."""
    if "function_call" not in (message.extra.get("from"), message.extra.get("role")):
        return []
    value = _json(message.content)
    calls = value if isinstance(value, list) else [value]
    return calls if all(isinstance(c, dict) and "name" in c for c in calls) else []


def _openai_call(call: Mapping[str, Any], id: str) -> dict[str, Any]:
    arguments = call.get("arguments", {})
    packed = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": id, "type": "function", "function": {"name": call["name"], "arguments": packed}}


def llamafactory_row(messages: Messages, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return `conversations`, `system` and `tools` under LLaMA-Factory's default tags."""
    system = messages[0].content if messages[0].role == "system" else ""
    turns = [_llamafactory_turn(m) for m in messages[1 if system else 0 :]]
    tools = source.get("tools") or ""
    return {
        "conversations": turns,
        "system": system,
        "tools": tools if isinstance(tools, str) else json.dumps(tools, ensure_ascii=False),
    }


def _llamafactory_turn(message: Message) -> dict[str, str]:
    if "function_call" in (message.extra.get("from"), message.extra.get("role")):
        return {"from": "function_call", "value": message.content}
    called = [c["function"] for c in message.extra.get("tool_calls") or () if isinstance(c, dict) and "function" in c]
    if called and not message.content:
        calls = [{"name": c.get("name"), "arguments": _json(c.get("arguments"))} for c in called]
        return {"from": "function_call", "value": json.dumps(calls, ensure_ascii=False)}
    return {"from": _LLAMAFACTORY[message.role], "value": message.content}


def llamafactory_takes(row: Mapping[str, Any]) -> bool:
    """Tell whether LLaMA-Factory keeps a row: asking and answering turns must alternate and end in an answer."""
    turns = [turn["from"] for turn in row["conversations"]]
    sides = (_ASKING, _ANSWERING)
    return len(turns) % 2 == 0 and all(turn in sides[place % 2] for place, turn in enumerate(turns))


def llamafactory_entry(file_name: str, *, tools: bool) -> dict[str, Any]:
    """Return the entry of `dataset_info.json` for a file of such rows."""
    columns = {"messages": "conversations", "system": "system"} | ({"tools": "tools"} if tools else {})
    tags = {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
        "observation_tag": "observation",
        "function_tag": "function_call",
        "system_tag": "system",
    }
    return {"file_name": file_name, "formatting": "sharegpt", "columns": columns, "tags": tags}


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
