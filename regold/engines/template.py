"""Write messages as a model's chat template does: the one way in which models are asked and trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regold.engines.wire import wire_messages
from regold.errors import InputError
from regold.record import Messages


def render(tokenizer: Any, messages: Messages, prompting: bool = False) -> str:
    """Return the messages as the template writes them, up to where the assistant speaks if `prompting`.

    System text that the template refuses or leaves out goes in front of the first user turn. Raises InputError where
    the template cannot hold the turns.
    """
    turns = wire_messages(messages)
    if not prompting:  # models are not asked with a response's reasoning, but it is trained on
        turns[-1] = {**messages[-1].extra, **turns[-1]}
    system = messages[0].content.strip() if messages[0].role == "system" else ""
    try:
        text = _apply(tokenizer, turns, prompting)
    except InputError:
        if not system:
            raise
    else:
        if system in text:
            return text
    return _apply(tokenizer, _folded(turns, system), prompting)


def _apply(tokenizer: Any, turns: Sequence[Mapping[str, Any]], prompting: bool) -> str:
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=prompting))
    except Exception as error:  # a template is the model's own code and may raise anything
        why = " ".join(str(error).split())[:200]
        raise InputError(f"the chat template refuses its turns ({why})") from None


def _folded(turns: Sequence[Mapping[str, Any]], system: str) -> list[Mapping[str, Any]]:
    if len(turns) < 2 or turns[1]["role"] != "user":
        raise InputError("the chat template refuses its turns")
    return [{**turns[1], "content": f"{system}\n\n{turns[1]['content']}"}, *turns[2:]]
