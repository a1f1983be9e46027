"""Turn a record into token ids of which only responses carry loss, whatever the chat template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regold.engines.template import render_answer
from regold.errors import InputError, UsageError
from regold.record import Messages

IGNORED = -100
"""The label of a token that carries no loss."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sequence of token ids; those in `spans` (from, up to) are responses, each with its end-of-turn token."""

    ids: list[int]
    spans: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        """Return the place of the first token with loss."""
        return self.spans[0][0]

    @property
    def trained(self) -> int:
        """Return how many tokens carry loss."""
        return sum(end - start for start, end in self.spans)

    @property
    def labels(self) -> list[int]:
        """Return one label a token: its id inside a response, IGNORED elsewhere."""
        labels = [IGNORED] * len(self.ids)
        for start, end in self.spans:
            labels[start:end] = self.ids[start:end]
        return labels


class EncodeChat:
    """Encodes records for one tokenizer: the query as a model is prompted with it, then the response.

    The prompt's tokens are exactly those at generation time; where a merge would straddle the boundary, the response
    is tokenised on its own. The labels end with the template's end-of-turn token, or with the tokenizer's where it has
    none.
    """

    def __init__(self, tokenizer: Any) -> None:
        """Take a Hugging Face tokenizer. Raises UsageError where it has no chat template or no end token."""
        if not tokenizer.chat_template:
            raise UsageError(
                f"the tokenizer of {tokenizer.name_or_path} has no chat template (base models often have none): give "
                "one with --chat-template FILE, or put a chat_template.jinja in the model's folder"
            )
        if tokenizer.eos_token_id is None:
            raise UsageError(
                f"the tokenizer of {tokenizer.name_or_path} has no eos token: set it in the model's folder"
            )
        self._tokenizer = tokenizer
        added = getattr(tokenizer, "added_tokens_decoder", {})
        self._special = {*tokenizer.all_special_ids, *(id_ for id_, token in added.items() if token.special)}

    def __call__(self, messages: Messages) -> Encoded:
        """Encode a record with loss on its last turn; earlier assistant turns are read, not trained on.

        Raises InputError where it does not end with a response or its template cannot hold it.
        """
        if len(messages) < 2 or messages[-1].role != "assistant":
            raise InputError("it does not end with an assistant's message after a query")
        prompt, said = render_answer(self._tokenizer, messages)
        before, ids = self._tokens(prompt), self._tokens(prompt + said)
        answer = ids[len(before) :] if ids[: len(before)] == before else self._tokens(said)
        ended = self._ended(answer)
        return Encoded(before + ended, ((len(before), len(before) + len(ended)),))

    def every_turn(self, messages: Messages) -> list[Encoded]:
        """Encode a record with loss on every assistant turn that answers something.

        Each turn is encoded as it would be generated. Turns share one sequence while each begins with all of the one
        before; where a template rewrites earlier turns (dropping their reasoning, say) a new sequence begins.
        """
        places = [i for i, m in enumerate(messages) if m.role == "assistant"]
        asked = [i for i in places if any(m.role != "system" for m in messages[:i])]
        if not asked or asked[-1] != len(messages) - 1:
            raise InputError("it does not end with an assistant's message after a query")
        sequences: list[Encoded] = []
        for turn in (self(messages[: i + 1]) for i in asked):
            last = sequences[-1] if sequences else None
            if last and turn.start >= len(last.ids) and turn.ids[: len(last.ids)] == last.ids:
                sequences[-1] = Encoded(turn.ids, last.spans + turn.spans)
            else:
                sequences.append(turn)
        return sequences

    def _tokens(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _ended(self, answer: list[int]) -> list[int]:
        """Return the answer up to its end-of-turn token: blanks that a template writes after it are never generated."""
        last = max((i for i, id_ in enumerate(answer) if id_ in self._special), default=None)
        if last is not None and not self._tokenizer.decode(answer[last + 1 :]).strip():
            return answer[: last + 1]
        return [*answer, self._tokenizer.eos_token_id]
