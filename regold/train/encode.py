"""Turn a record into token ids of which only the response's carry loss, whatever the chat template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regold.engines.template import render
from regold.errors import InputError, UsageError
from regold.record import Messages

IGNORED = -100
"""The label of a token that carries no loss."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A record's token ids; those from `start` on are the response with its end-of-turn token."""

    ids: list[int]
    start: int

    @property
    def labels(self) -> list[int]:
        """Return one label a token: its id from `start` on, IGNORED before."""
        return [IGNORED] * self.start + self.ids[self.start :]


class EncodeChat:
    """Encodes records for one tokenizer: the query as a model is prompted with it, then the response.

    In a conversation of several turns the earlier assistant turns are query: they are read, not trained on. The
    prompt's tokens are exactly those at generation time; where a merge would straddle the boundary, the response is
    tokenised on its own. The labels end with the template's end-of-turn token, or with the tokenizer's where it has
    none.
    """

    def __init__(self, tokenizer: Any) -> None:
        """Take a Hugging Face tokenizer. Raises UsageError where it has no chat template or no end token."""
        if not tokenizer.chat_template or tokenizer.eos_token_id is None:
            missing = (
                "chat template: put a chat_template.jinja"
                if tokenizer.eos_token_id is not None
                else "eos token: set it"
            )
            raise UsageError(f"the tokenizer of {tokenizer.name_or_path} has no {missing} in the model's folder")
        self._tokenizer = tokenizer
        added = getattr(tokenizer, "added_tokens_decoder", {})
        self._special = {*tokenizer.all_special_ids, *(id_ for id_, token in added.items() if token.special)}

    def __call__(self, messages: Messages) -> Encoded:
        """Encode one record. Raises InputError where it does not end with a response or its template cannot hold it."""
        if len(messages) < 2 or messages[-1].role != "assistant":
            raise InputError("it does not end with an assistant's message after a query")
        prompt, whole = render(self._tokenizer, messages[:-1], prompting=True), render(self._tokenizer, messages)
        if not prompt or not whole.startswith(prompt):
            raise InputError("the chat template writes the prompt differently once it is answered")
        before, ids = self._tokens(prompt), self._tokens(whole)
        answer = ids[len(before) :] if ids[: len(before)] == before else self._tokens(whole[len(prompt) :])
        return Encoded(before + self._ended(answer), len(before))

    def _tokens(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _ended(self, answer: list[int]) -> list[int]:
        """Return the answer up to its end-of-turn token: blanks that a template writes after it are never generated."""
        last = max((i for i, id_ in enumerate(answer) if id_ in self._special), default=None)
        if last is not None and not self._tokenizer.decode(answer[last + 1 :]).strip():
            return answer[: last + 1]
        return [*answer, self._tokenizer.eos_token_id]
