"""An offline engine that answers by rules: deterministic, counted, and able to fail in every way a model does."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from regold.engines.base import Completion, Need, Request, TokenScores
from regold.engines.probing import lacks
from regold.errors import EngineLacks, EngineRefused, EngineUnreachable, RecipeError, RequestFailed
from regold.fingerprint import digest
from regold.record import Messages

FAILURES = {"request": RequestFailed, "refused": EngineRefused, "unreachable": EngineUnreachable, "lacks": EngineLacks}
OPTION = r"(?m)^\s*\(?([A-Z])[.):]\s+\S"
OBEYED = (
    r"(?is)ignore (?:all|any|the|your)[^.\n]*(?:instruction|above|before|previous)[^.\n]*[.,:;\n]\s*"
    r"(?:just |only )?(?:answer|say|reply|output|respond)(?: with)?:?\s*\"?([^\"\n.]+)"
)
TOKEN = re.compile(r"\s*[^\s]+|\s+")
UNLIKELY = -3.0


@dataclass(frozen=True)
class Rule:
    """One rule of a script; the first whose `match` is found answers."""

    match: str = ""
    """A regular expression, searched in the last user turn or the whole prompt."""
    on: str = "last"
    """"last" or "prompt"; a prompt is the turns as `role: content`, joined by line breaks."""
    answer: str = ""
    """The answer; `\\1` stands for the first group of the match."""
    logprob: float = -0.1
    """Of each token of the answer, in `generate` and in `score`."""
    finish: str = "stop"
    times: int | None = None
    """How often the rule answers before it is passed over; None is for ever."""
    fail: str | None = None
    """"request", "refused", "unreachable" or "lacks": raise that error instead."""
    delay_s: float = 0.0


@dataclass(frozen=True)
class Script:
    """A rules file: `rules` in order, then `obey`, then a hash of the request picks among the options it lists."""

    rules: tuple[Rule, ...] = ()
    options: str = OPTION
    """A regular expression whose group 1 finds the options in a prompt."""
    form: str = "The answer is {}."
    """How a picked option is said."""
    obey: str | None = None
    """In obedient mode: a regular expression whose group 1 is said when the last user turn contains it."""
    lacks: tuple[str, ...] = ()
    """The needs that `probe` reports as missing."""
    log: str | None = None
    """A file to which each call adds a line; not part of the identity."""


def read_script(given: Mapping[str, Any]) -> Script:
    """Return a script from its JSON form; `"obey": true` takes the usual phrase. Raises RecipeError."""
    try:
        rules = tuple(Rule(**rule) for rule in given.get("rules", ()))
        obey = OBEYED if given.get("obey") is True else given.get("obey") or None
        script = Script(**{**given, "rules": rules, "obey": obey, "lacks": tuple(given.get("lacks", ()))})
        for pattern in (script.options, script.obey or "", *(r.match for r in rules)):
            re.compile(pattern)
    except (TypeError, re.error) as error:
        raise RecipeError(f"the script's rules are wrong: {error}") from None
    if wrong := [r.fail for r in rules if r.fail is not None and r.fail not in FAILURES]:
        raise RecipeError(f"a rule cannot fail with {wrong[0]!r}: use one of {', '.join(FAILURES)}")
    return script


def load_script(path: str) -> Script:
    """Read a rules file; an empty path is the script without rules. Raises RecipeError naming the file."""
    if not path:
        return Script()
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as a script ({error})") from None
    if not isinstance(given, dict):
        raise RecipeError(f"{path}: a script is a JSON object with a list of rules")
    return read_script(given)


@dataclass
class ScriptedEngine:
    """A model that answers by a script."""

    script: Script = field(default_factory=Script)
    calls: Counter[str] = field(default_factory=Counter)
    """How often `generate` and `score` were called."""
    requests: list[Request] = field(default_factory=list)
    _used: Counter[int] = field(default_factory=Counter)

    @cached_property
    def identity(self) -> str:
        """Return the digest of the script."""
        rules = self.script
        return f"scripted {digest(rules.rules, rules.options, rules.form, rules.obey, rules.lacks)[:16]}"

    async def generate(self, request: Request) -> Completion:
        """Answer by the first rule that matches. Raises what the rule says."""
        self.calls["generate"] += 1
        self.requests.append(request)
        self._write("generate", request)
        text, rule = self.answer(request.messages, request.sample if request.temperature > 0 else 0, count=True)
        if rule.delay_s:
            await asyncio.sleep(rule.delay_s)
        _fail(rule)
        tokens = TOKEN.findall(text)
        kept = tokens[: request.max_tokens]
        return Completion(
            text="".join(kept),
            finish="length" if len(kept) < len(tokens) else rule.finish,
            logprobs=(rule.logprob,) * len(kept) if request.logprobs else None,
            prompt_tokens=_length(request.messages),
            completion_tokens=len(kept),
        )

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Score by rule: the rule's log-probability for tokens it would say, an unlikely hashed one for others."""
        self.calls["score"] += 1
        self._write("score", [prompt, response])
        text, rule = self.answer(prompt, 0)
        _fail(rule)
        said = TOKEN.findall(text)
        tokens = TOKEN.findall(response)
        scores = (
            rule.logprob if said[i : i + 1] == [t] else UNLIKELY - 2 * _fraction(i, t, prompt)
            for i, t in enumerate(tokens)
        )
        return TokenScores(tuple(scores), _length(prompt))

    def answer(self, prompt: Messages, sample: int, count: bool = False) -> tuple[str, Rule]:
        """Return what the script says to a prompt, and the rule that says it."""
        last = next((m.content for m in reversed(prompt) if m.role == "user"), "")
        whole = "\n".join(f"{m.role}: {m.content}" for m in prompt)
        for i, rule in enumerate(self.script.rules):
            found = re.search(rule.match, whole if rule.on == "prompt" else last)
            if found and (rule.times is None or self._used[i] < rule.times):
                self._used[i] += count
                return found.expand(rule.answer), rule
        planted = re.search(self.script.obey, last) if self.script.obey else None
        if planted:
            return planted[1].strip(), Rule()
        options = list(dict.fromkeys(re.findall(self.script.options, last)))
        chance = _fraction(sample, "", prompt)
        said = options[int(chance * len(options))] if options else f"{int(chance * 1000)}"
        return self.script.form.format(said), Rule(logprob=-0.1 - chance)

    def _write(self, what: str, request: Any) -> None:
        if self.script.log:
            with Path(self.script.log).open("a", encoding="utf-8") as stream:
                stream.write(f"{what} {digest(request)[:16]}\n")

    async def probe(self, needs: frozenset[Need]) -> None:
        """Raise EngineLacks for a need that the script lacks."""
        for need in sorted(needs):
            if need in self.script.lacks:
                raise lacks("the scripted engine", need, "it was told to lack it")

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _fail(rule: Rule) -> None:
    if rule.fail is not None:
        raise FAILURES[rule.fail](f"the script says so ({rule.match!r})")


def _length(prompt: Messages) -> int:
    return sum(len(TOKEN.findall(m.content)) for m in prompt)


def _fraction(number: int, text: str, prompt: Messages) -> float:
    seed = "\0".join([str(number), text, *(f"{m.role}\0{m.content}" for m in prompt)])
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6]) / 2**48
