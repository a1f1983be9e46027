"""The formats of a list of turns: `messages` with role and content, sharegpt's `conversations` with from and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regold.formats.rows import BadRow, Columns
from regold.formats.shapes.shape import Parsed, Place, Turn, column, like_packed, needed, put, unpacked
from regold.formats.values import as_text, kind
from regold.record import Message, Messages

_LISTS = ("messages", "conversations", "conversation")
_SYSTEM, _CHOSEN = ("system",), ("chosen",)
_KEYS = (("role", "content"), ("from", "value"))
_ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt", "function_call"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "observation", "function", "function_response", "ipython"), "tool"),
}
_SHAREGPT = {"user": "human", "assistant": "gpt", "tool": "observation"}


@dataclass(frozen=True)
class Chat:
    """A conversation. Turns that only call tools are context, never a response; `chosen` of a preference row is one."""

    name: str
    role: str
    content: str

    @property
    def expected(self) -> str:
        """Return the columns it is recognised by."""
        return f"{'messages' if self.role == 'role' else 'conversations'}: [{{{self.role}, {self.content}}}]"

    @property
    def known(self) -> tuple[str, ...]:
        """Return every column name it understands."""
        return (*_LISTS, *_SYSTEM)

    def fits(self, row: Mapping[str, Any], columns: Columns) -> bool:
        """Tell whether the row has turns with this format's keys; where turns do not tell, the column's name does."""
        name = column(row, "messages", _LISTS, columns)
        if name is None:
            return False
        try:
            turns = unpacked(row[name], name)
        except BadRow:
            turns = None
        first = next((t for t in turns if isinstance(t, dict)), {}) if isinstance(turns, list) else {}
        if any(role in first for role, _ in _KEYS):
            return self.role in first
        return name == ("messages" if self.role == "role" else "conversations")

    def parse(self, row: Mapping[str, Any], columns: Columns) -> Parsed:
        """Return every turn of the conversation."""
        name = needed(row, "messages", _LISTS, columns)
        turns = turns_of(row[name], name)
        system = column(row, "system", _SYSTEM, columns)
        prompt = as_text(row[system], system) if system else ""
        if prompt and not (turns and turns[0].message.role == "system"):
            turns = [Turn(Message("system", prompt), (str(system),)), *turns]
        if (chosen := self._chosen(row, columns, turns)) is not None:
            turns.append(chosen)
        if not any(turn.answers for turn in turns):
            raise BadRow(f"no response: {name} has no assistant turn with text")
        return Parsed(tuple(turns))

    def _chosen(self, row: Mapping[str, Any], columns: Columns, turns: list[Turn]) -> Turn | None:
        name = column(row, "response", _CHOSEN, columns)
        if name is None or (turns and turns[-1].message.role == "assistant"):
            return None
        value = row[name]
        if isinstance(value, list) and len(value) != 1:
            raise BadRow(f"{name} is a list of {len(value)}, expected one turn that answers the conversation")
        if isinstance(value, dict | list):
            return turns_of(value if isinstance(value, list) else [value], name, one=isinstance(value, dict))[0]
        return Turn(Message("assistant", as_text(value, name)), (name,), answers=True)

    def replace(self, row: dict[str, Any], columns: Columns, turn: Turn, message: Message) -> dict[str, Any]:
        """Replace one turn's text, and its other keys where they changed too."""
        row = put(row, turn.place, message.content) if message.content != turn.message.content else row
        if message.extra == turn.message.extra:
            return row
        changed = {k: v for k, v in message.extra.items() if turn.message.extra.get(k) != v}
        return _with_keys(row, turn.place[:-1], changed, set(turn.message.extra) - set(message.extra))  # type: ignore[no-any-return]

    def rebuild(self, row: dict[str, Any], columns: Columns, messages: Messages) -> dict[str, Any]:
        """Write the conversation anew, in the words for roles that the row used."""
        name = needed(row, "messages", _LISTS, columns)
        parsed, body = self.parse(row, columns), messages
        if parsed.turns[-1].place[0] != name:
            row = put(row, parsed.turns[-1].place, body[-1].content)
            body = body[:-1]
        system = column(row, "system", _SYSTEM, columns)
        if system and row[system]:
            first = body[:1] if body and body[0].role == "system" else ()
            row, body = row | {system: first[0].content if first else ""}, body[len(first) :]
        said_by = [t.get(self.role) for t in reversed(unpacked(row[name], name) or [])]
        used = {_ROLES[word]: word for word in said_by if word not in (None, "function_call")}
        words = (_SHAREGPT if self.role == "from" else {}) | used
        return row | {name: like_packed(row[name], [said(m, self.role, self.content, words) for m in body])}

    def with_options(self, row: dict[str, Any], columns: Columns, options: Sequence[str]) -> dict[str, Any]:
        """Return the row: the format has no options."""
        return row

    def answer(self, row: Mapping[str, Any], columns: Columns, value: Any) -> str:
        """Return the value as text, that of a turn too."""
        turn = value[0] if isinstance(value, list) and len(value) == 1 else value
        text = next((turn[k] for _, k in _KEYS if k in turn), None) if isinstance(turn, dict) else turn
        return as_text(text, "the true value")


def said(message: Message, role: str, content: str, words: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return one message as a turn with the given keys, roles in the given words."""
    extra = {k: v for k, v in message.extra.items() if k != role}
    word = message.extra.get(role) or (words or {}).get(message.role, message.role)
    return {role: word, content: message.content} | extra


def turns_of(value: Any, name: str, default: str = "", *, one: bool = False) -> list[Turn]:
    """Return the turns of a list of them, `default` being the role of those without. Raises BadRow."""
    turns = unpacked(value, name)
    if not isinstance(turns, list) or not turns:
        raise BadRow(f"{name} is {kind(value) if turns else 'empty'}, expected a list of turns")
    return [_turn(turn, (name,) if one else (name, i), default) for i, turn in enumerate(turns)]


def _turn(turn: Any, place: Place, default: str) -> Turn:
    where = "".join(f"[{p}]" if isinstance(p, int) else p for p in place)
    if not isinstance(turn, dict):
        raise BadRow(f"{where} is {kind(turn)}, expected an object")
    keys = next(((r, c) for r, c in _KEYS if turn.get(r) is not None), None)
    if keys is None and not default:
        raise BadRow(f"{where} has neither a role nor a from, only {', '.join(turn) or 'nothing'}")
    role_key, content_key = keys or next(((r, c) for r, c in _KEYS if c in turn), _KEYS[0])
    said_by = turn.get(role_key) or default
    if not isinstance(said_by, str) or said_by not in _ROLES:
        raise BadRow(f"{where} has the unknown {role_key} {said_by!r}; known are {', '.join(_ROLES)}")
    if content_key not in turn and not turn.get("tool_calls"):
        raise BadRow(f"{where} has no {content_key}")
    extra = {k: v for k, v in turn.items() if k not in (role_key, content_key) and v is not None}
    if said_by == "function_call":
        extra[role_key] = said_by
    text = _text(turn.get(content_key), f"{where}.{content_key}")
    answers = _ROLES[said_by] == "assistant" and said_by != "function_call" and bool(text or not turn.get("tool_calls"))
    return Turn(Message(_ROLES[said_by], text, extra), (*place, content_key), answers)


def _text(value: Any, where: str) -> str:
    """Return a content, also of text parts. Raises BadRow for images and the like."""
    if not isinstance(value, list):
        return as_text(value, where)
    for part in value:
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            found = part.get("type", "part without text") if isinstance(part, dict) else kind(part)
            raise BadRow(f"{where} holds {found}; only text can be judged")
    return "".join(part["text"] for part in value)


def _with_keys(node: Any, place: Place, changed: Mapping[str, Any], gone: set[str]) -> Any:
    if isinstance(node, str):
        return like_packed(node, _with_keys(unpacked(node, "turns"), place, changed, gone))
    if not place:
        return {k: v for k, v in node.items() if k not in gone} | dict(changed)
    copy = dict(node) if isinstance(node, Mapping) else list(node)
    copy[place[0]] = _with_keys(copy[place[0]], place[1:], changed, gone)  # type: ignore[index]
    return copy
