"""Write messages as a model's chat template does: the one way in which models are asked and trained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regold.engines.wire import wire_messages
from regold.errors import InputError
from regold.record import Messages


def render(tokenizer: Any, messages: Messages, prompting: bool = False) -> str:
    """Return the messages as the template writes them, up to where the assistant speaks if `prompting`.

    System text that the template refuses or leaves out goes in front of the first user turn. Tools are those that the
    first message's `extra` names. Raises InputError where the template cannot hold the turns.
    """
    turns = wire_messages(messages)
    if not prompting:  # models are not asked with a response's reasoning, but it is trained on
        turns[-1] = {**messages[-1].extra, **turns[-1]}
    turns = [_unpacked(turn) for turn in turns]
    system = messages[0].content.strip() if messages[0].role == "system" else ""
    tools = messages[0].extra.get("tools")
    try:
        text = _apply(tokenizer, turns, tools, prompting)
    except InputError:
        if not system:
            raise
    else:
        if system in text:
            return text
    return _apply(tokenizer, _folded(turns, system), tools, prompting)


def render_answer(tokenizer: Any, messages: Messages) -> tuple[str, str]:
    """Return the prompt that the last turn answers, as a model is asked, and what the template writes for that turn.

    Some templates (Mistral's) write the system text before the last query only while it waits for an answer: there the
    answer is read from the conversation without it. Raises InputError where no answer can be told from its prompt.
    """
    prompt, whole = render(tokenizer, messages[:-1], prompting=True), render(tokenizer, messages)
    if prompt and whole.startswith(prompt):
        return prompt, whole[len(prompt) :]
    if messages[0].role == "system" and len(messages) > 2:
        asked, answered = render(tokenizer, messages[1:-1], prompting=True), render(tokenizer, messages[1:])
        if asked and answered.startswith(asked):
            return prompt, answered[len(asked) :]
    raise InputError("the chat template writes the prompt differently once it is answered")


def adapter_template(model: str, adapter: str | None) -> Any:
    """Return the chat template that an adapter's folder holds where its model's folder holds another, else None.

    It is what the adapter was trained with. An adapter from the hub has none here. Several by name come as a mapping.
    """
    own = _saved(Path(adapter)) if adapter else None
    return None if own == _saved(Path(model)) else own


def _saved(folder: Path) -> Any:
    """Return the template in a model's folder: a file of its own, or an entry of the tokenizer's configuration."""
    if (file := folder / "chat_template.jinja").is_file():
        return file.read_text(encoding="utf-8")
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        own = config.get("chat_template")
        return {each["name"]: each["template"] for each in own} if isinstance(own, list) else own
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return None


def _apply(tokenizer: Any, turns: Sequence[Mapping[str, Any]], tools: Any, prompting: bool) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(turns, tools=tools or None, tokenize=False, add_generation_prompt=prompting)
        )
    except Exception as error:  # a template is the model's own code and may raise anything
        why = " ".join(str(error).split())[:200]
        raise InputError(f"the chat template refuses its turns ({why})") from None


def _unpacked(turn: dict[str, Any]) -> dict[str, Any]:
    """Return a turn with its calls' arguments as values: templates write them as JSON, while servers send texts."""
    calls = turn.get("tool_calls")
    if not isinstance(calls, list | tuple) or not all(isinstance(call, Mapping) for call in calls):
        return turn
    return {**turn, "tool_calls": [_call(call) for call in calls]}


def _call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), str):
        return call
    try:
        return {**call, "function": {**function, "arguments": json.loads(function["arguments"])}}
    except ValueError:
        return call


def _folded(turns: Sequence[Mapping[str, Any]], system: str) -> list[Mapping[str, Any]]:
    if len(turns) < 2 or turns[1]["role"] != "user":
        raise InputError("the chat template refuses its turns")
    return [{**turns[1], "content": f"{system}\n\n{turns[1]['content']}"}, *turns[2:]]
