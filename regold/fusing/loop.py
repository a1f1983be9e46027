"""The loop: model operators write versions of a record, a checklist weighs them, and the best one is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from regold.asking import ask_form
from regold.methods.checklist import (
    NEUTRAL,
    TEMPLATES,
    Checklist,
    Fault,
    Kind,
    Loss,
    as_json,
    checklist_schema,
    listed,
    loss,
    model_faults,
    next_template,
    plain_checklist,
    read_checklist,
)
from regold.methods.drafts import Draft, Source, count
from regold.methods.replies import json_reply, json_texts, plain_texts, text_schema
from regold.methods.terms import key_terms, share_found, stands_in
from regold.stage import Context

AIMS = tuple(f"aim_{template}" for template in TEMPLATES)
FUSE_PROMPTS = ("direct", "merge", "diagnose", "check_answer", "update", *AIMS)
"""All prompts that a fusion uses."""
MEND_PROMPTS = ("direct", "check_answer", "update", *AIMS)
"""All prompts that mending one record uses."""
NO_ANSWER = "(no answer)"


@dataclass(frozen=True)
class Limits:
    """What bounds one loop."""

    rounds: int = 2
    """Attempts to lower the loss in each cycle, after its first version."""
    max_tokens: int = 2048
    growth: float = 3.0
    """A response may have so many times the words of its sources' together."""


@dataclass(frozen=True)
class Version:
    """One version of a record on its way through the loop."""

    cycle: str
    """`merge`, `answer` or `mend`."""
    round: int
    template: str
    draft: Draft | None
    """None where the reply could not be read."""
    faults: tuple[Fault, ...] = ()
    loss: Loss | None = None
    """None where no checklist could be read: such a version is never accepted."""
    accepted: bool = False
    coverage: float = 0.0
    answered: float = 0.0
    overlap: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "cycle": self.cycle,
            "round": self.round,
            "template": self.template,
            "instruction": self.draft and self.draft.instruction,
            "response": self.draft and self.draft.response,
            "faults": as_json(self.faults),
            "loss": self.loss and [self.loss.major, self.loss.minor, self.loss.uncovered],
            "accepted": self.accepted,
            "coverage": self.coverage,
            "answered": self.answered,
            "overlap": list(self.overlap),
        }


@dataclass
class Loop:
    """The versions made so far of what comes out of some sources, and the best of them."""

    ctx: Context
    sources: tuple[Source, ...]
    limits: Limits
    versions: list[Version] = field(default_factory=list)
    best: Version | None = None
    stopped: dict[str, str] = field(default_factory=dict)
    """Why each cycle ended."""

    @property
    def sound(self) -> bool:
        """Return whether the best version has no major fault left."""
        return self.best is not None and self.best.loss is not None and self.best.loss.major == 0

    async def merge(self) -> None:
        """Run cycle 1: merge, diagnose, switch the template, merge again (content)."""
        template: str | None = NEUTRAL
        tried: set[str] = set()
        for number in range(self.limits.rounds + 1):
            if template is None:
                break
            version = await self._inspected("merge", number, template, await self._merged(template))
            template = self._weighed(version, tried)
            if self.best is None or not self.best.faults:
                break
        self.stopped["merge"] = self._why(template)

    async def answer(self, cycle: str = "answer", start: Draft | None = None) -> None:
        """Run cycle 2 from the best version, or from `start`: check the answer, update it, check it again."""
        carried = self.best.faults if self.best else ()
        draft = start or (self.best.draft if self.best else None)
        first = await self._inspected(cycle, 0, "check", draft, carried, changed=False)
        self._forget()
        tried: set[str] = set()
        template = self._weighed(first, tried)
        for number in range(1, self.limits.rounds + 1):
            if self.best is None or template is None:
                break
            draft = await self._updated(template)
            template = self._weighed(await self._inspected(cycle, number, template, draft, carried), tried)
        self.stopped[cycle] = self._why(template)

    async def refine(self, start: Draft) -> None:
        """Write version after version from the faults found in the one before; each is taken, be it worse or not."""
        draft: Draft | None = start
        template: str | None = "check"
        for number in range(self.limits.rounds + 1):
            version = await self._inspected("refine", number, template or NEUTRAL, draft)
            self.versions.append(replace(version, accepted=version.draft is not None))
            if version.draft is None:
                break
            self.best = version
            template = next_template(version.faults)
            if template is None or number == self.limits.rounds:
                break
            draft = await self._updated(template)
        self.stopped["refine"] = self._why(template)

    def _forget(self) -> None:
        """Let the next version start a cycle of its own: its checklist asks other things than the one before."""
        self.best = None

    def _why(self, template: str | None) -> str:
        if self.best is None:
            return "nothing that can be read"
        if not self.best.faults:
            return "no fault left"
        return "rounds used up" if template is not None else "no template left to try"

    def _weighed(self, version: Version, tried: set[str]) -> str | None:
        """Keep a version if its loss is below the best one's; return the template to try next."""
        better = version.loss is not None and (
            self.best is None or self.best.loss is None or version.loss < self.best.loss
        )
        version = replace(version, accepted=better)
        self.versions.append(version)
        if better:
            self.best = version
            tried.clear()
        else:
            tried.add(version.template)
        return next_template(self.best.faults, tried) if self.best else None

    async def _inspected(
        self,
        cycle: str,
        number: int,
        template: str,
        draft: Draft | None,
        carried: Sequence[Fault] = (),
        changed: bool = True,
    ) -> Version:
        """Fill in both halves of the checklist for a draft; faults `carried` from cycle 1 count while they stand."""
        if draft is None:
            return Version(cycle, number, template, None)
        prompts = [self.ctx.prompts.text(name) for name in FUSE_PROMPTS if name in self.ctx.prompts.texts]
        counted = count(draft, self.sources, prompts, self.limits.growth)
        base = Version(
            cycle,
            number,
            template,
            draft,
            counted.faults,
            None,
            False,
            counted.coverage,
            counted.answered,
            counted.overlap,
        )
        if not (draft.instruction.strip() and draft.response.strip()):
            return replace(base, loss=loss(counted.faults, counted.coverage))
        said = await self._checklist("diagnose" if cycle == "merge" else "check_answer", draft)
        if said is None:
            return base
        texts = [text for s in self.sources for text in (s.instruction, s.answer)]
        kept = [f for f in carried if f.by == "model" and (not changed or _still(f, draft))]
        faults = dict.fromkeys([*counted.faults, *model_faults(said, draft.instruction, draft.response, texts), *kept])
        return replace(base, faults=tuple(faults), loss=loss(list(faults), counted.coverage))

    # ---- operators

    async def _merged(self, template: str) -> Draft | None:
        draft, faults = self._shown()
        values = {**self._told(), "instruction": draft.instruction, "response": draft.response, "faults": faults}
        found = await self._texts("merge", ("instruction", "response"), template, values)
        return Draft(*found) if found else None

    async def _updated(self, template: str) -> Draft | None:
        draft, faults = self._shown()
        values = {"instruction": draft.instruction, "response": draft.response, "faults": faults}
        found = await self._texts("update", ("response",), template, values)
        return Draft(draft.instruction, found[0]) if found else None

    async def _checklist(self, prompt: str, draft: Draft) -> Checklist | None:
        values = {**(self._told() if prompt == "diagnose" else {}), **vars(draft)}

        def read(text: str, mark: str | None, as_json: bool) -> Checklist | None:
            return read_checklist(json_reply(text, mark)) if as_json else plain_checklist(text)

        return await ask_form(self.ctx, "judge", prompt, values, checklist_schema, read, self.limits.max_tokens)

    async def _texts(
        self, prompt: str, keys: Sequence[str], template: str, values: Mapping[str, str]
    ) -> tuple[str, ...] | None:
        def read(text: str, mark: str | None, as_json: bool) -> tuple[str, ...] | None:
            return json_texts(json_reply(text, mark), keys) if as_json else plain_texts(text, keys)

        def schema(mark: bool) -> dict[str, Any]:
            return text_schema([*(("mark",) if mark else ()), *keys])

        aim = {"aim": self.ctx.prompts.text(f"aim_{template}")}
        return await ask_form(self.ctx, "student", prompt, {**values, **aim}, schema, read, self.limits.max_tokens)

    def _told(self) -> dict[str, str]:
        told: dict[str, str] = {}
        for name, source in zip(("first", "second"), self.sources, strict=False):
            told |= {name: source.instruction, f"{name}_response": source.response}
            told[f"{name}_answer"] = source.answer or NO_ANSWER
        return told

    def _shown(self) -> tuple[Draft, str]:
        if self.best is None or self.best.draft is None:
            return Draft("", "(none yet)"), "- none"
        return self.best.draft, listed(self.best.faults, plain="JSON" not in self.ctx.prompts.text("update"))


def _still(fault: Fault, draft: Draft) -> bool:
    """Return whether a fault of an earlier version is still to be seen in a later one."""
    if fault.kind == Kind.MISSING:
        return not stands_in(fault.detail, draft.text)
    if fault.kind in (Kind.UNANSWERED, Kind.FORMAT, Kind.DEPTH):
        return False
    terms = key_terms(fault.detail)
    return stands_in(fault.detail, draft.text) or (bool(terms) and share_found(terms, draft.text) >= 0.8)
