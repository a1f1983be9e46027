"""The checklist of a merged record: typed faults, the nine templates they call for, and the loss that must fall."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from regold.methods.terms import key_terms, share_found, stands_in

MOST = 20
"""Faults of one kind that are counted; a model that lists more only repeats itself."""


class Kind(StrEnum):
    """What can be wrong with a merged record, the kind to mend first standing first."""

    CONTRADICTION = "contradiction"
    UNSUPPORTED = "unsupported"
    UNANSWERED = "unanswered"
    MISSING = "missing"
    OFF_TOPIC = "off_topic"
    FORMAT = "format"
    REDUNDANCY = "redundancy"
    DEPTH = "depth"


NEUTRAL = "neutral"
TEMPLATES: Mapping[str, str] = {
    NEUTRAL: "merge the two as they are",
    Kind.CONTRADICTION: "decide which statement is true and make all others agree",
    Kind.UNSUPPORTED: "remove or correct claims that nothing supports",
    Kind.UNANSWERED: "answer every part of what is asked",
    Kind.MISSING: "restore the terms that were lost",
    Kind.OFF_TOPIC: "narrow unrelated sources to one common subject",
    Kind.FORMAT: "repair form or code",
    Kind.REDUNDANCY: "say everything once",
    Kind.DEPTH: "give reasons, steps or an example",
}
"""The nine templates: the neutral one, and one for each kind of fault in the order in which they are tried."""
MAJOR = frozenset({Kind.CONTRADICTION, Kind.UNSUPPORTED, Kind.UNANSWERED})
"""Kinds that are major wherever they are found; the counted half makes some others major too."""


@dataclass(frozen=True)
class Fault:
    """One thing found wrong."""

    kind: Kind
    detail: str
    major: bool
    by: str = "model"
    """`model` or `count`."""


@dataclass(frozen=True, order=True)
class Loss:
    """How bad a version is; compared in this order, smaller being better."""

    major: int
    minor: int
    uncovered: float
    """1 minus the share of the sources' key terms that the version covers."""

    def __str__(self) -> str:
        return f"{self.major} major, {self.minor} minor, {1 - self.uncovered:.2f} covered"


class SubQuestion(BaseModel):
    """One thing that is asked for."""

    model_config = ConfigDict(strict=True)
    question: str
    answered: bool


class Checklist(BaseModel):
    """The model's half of the checklist. Every list must be there: silence is not a verdict."""

    model_config = ConfigDict(strict=True)
    required_terms: list[str]
    missing_terms: list[str]
    sub_questions: list[SubQuestion]
    contradictions: list[str]
    unsupported: list[str]
    redundant: list[str]
    format: list[str]
    off_topic: list[str]
    shallow: bool = False


_PLAIN = {
    Kind.CONTRADICTION: "contradictions",
    Kind.UNSUPPORTED: "unsupported",
    Kind.MISSING: "missing_terms",
    Kind.OFF_TOPIC: "off_topic",
    Kind.FORMAT: "format",
    Kind.REDUNDANCY: "redundant",
}


def checklist_schema(mark: bool) -> dict[str, Any]:
    """Return the JSON schema of a checklist, with the mark that it must repeat where one is asked for."""
    texts = {"type": "array", "items": {"type": "string"}}
    question = {
        "type": "object",
        "properties": {"question": {"type": "string"}, "answered": {"type": "boolean"}},
        "required": ["question", "answered"],
        "additionalProperties": False,
    }
    lists = dict.fromkeys(name for name in Checklist.model_fields if name != "shallow")
    fields = {name: {"type": "array", "items": question} if name == "sub_questions" else texts for name in lists}
    head = {"mark": {"type": "string"}} if mark else {}
    properties = {**head, **fields, "shallow": {"type": "boolean"}}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def read_checklist(found: object) -> Checklist | None:
    """Return the checklist that a JSON object is, or None where a list is missing or of another type."""
    try:
        return Checklist.model_validate(found)
    except ValidationError:
        return None


def plain_checklist(text: str) -> Checklist | None:
    """Read a checklist in plain words: `none`, or `unanswered Which river?; missing Bonn`, after the last `Faults:`.

    Each part begins with the name of a kind. A reply with a part that names none is no checklist.
    """
    said = re.split(r"(?i)\bfaults?:", text)[-1].strip().rstrip(".")
    lists: dict[str, list[Any]] = {name: [] for name in Checklist.model_fields if name != "shallow"}
    if said.casefold() == "none":
        return Checklist.model_validate(lists)
    shallow = False
    for part in filter(None, (p.strip() for p in re.split(r"[;\n]", said))):
        name, _, detail = part.partition(" ")
        kind = next((k for k in Kind if k.value == name.casefold().strip(".,:").replace("-", "_")), None)
        if kind is None:
            return None
        if kind == Kind.UNANSWERED:
            lists["sub_questions"].append({"question": detail.strip(), "answered": False})
        elif kind == Kind.DEPTH:
            shallow = True
        else:
            lists[_PLAIN[kind]].append(detail.strip())
    return Checklist.model_validate({**lists, "shallow": shallow}) if any(lists.values()) or shallow else None


def model_faults(said: Checklist, instruction: str, response: str, sources: Sequence[str]) -> list[Fault]:
    """Return the faults that a checklist names and that the texts bear out.

    A quotation must stand in the version, an unanswered question in what was asked, a missing term in the sources and
    not in the version: what a model makes up is no fault.
    """
    version, asked = f"{instruction}\n{response}", "\n".join([instruction, *sources])
    found = [
        *(Fault(Kind.CONTRADICTION, c, True) for c in said.contradictions if _quoted(c, version)),
        *(Fault(Kind.UNSUPPORTED, c, True) for c in said.unsupported if _quoted(c, version)),
        *(
            Fault(Kind.UNANSWERED, q.question, True)
            for q in said.sub_questions
            if not q.answered and (not q.question or _quoted(q.question, asked))
        ),
        *(
            Fault(Kind.MISSING, t, False)
            for t in dict.fromkeys([*said.missing_terms, *said.required_terms])
            if stands_in(t, asked) and not stands_in(t, version)
        ),
        *(Fault(Kind.OFF_TOPIC, c, False) for c in said.off_topic if _quoted(c, version)),
        *(Fault(Kind.FORMAT, c, False) for c in said.format),
        *(Fault(Kind.REDUNDANCY, c, False) for c in said.redundant if _quoted(c, version)),
        *((Fault(Kind.DEPTH, "less than the task calls for", False),) if said.shallow else ()),
    ]
    return _few(found)


def _few(faults: Iterable[Fault]) -> list[Fault]:
    kept: list[Fault] = []
    for fault in dict.fromkeys(faults):
        if sum(f.kind == fault.kind for f in kept) < MOST:
            kept.append(fault)
    return kept


def _quoted(quote: str, text: str) -> bool:
    """Return whether at least half of what a quotation says stands in a text."""
    return stands_in(quote, text) or (bool(key_terms(quote)) and share_found(key_terms(quote), text) >= 0.5)


def loss(faults: Sequence[Fault], coverage: float) -> Loss:
    """Return the loss of a version: (major faults, minor faults, 1 - coverage), compared in that order."""
    major = sum(fault.major for fault in faults)
    return Loss(major, len(faults) - major, round(1 - coverage, 4))


def next_template(faults: Sequence[Fault], tried: Collection[str] = ()) -> str | None:
    """Return the template for the first fault: major ones before minor ones, then in the order of `Kind`.

    Templates that were `tried` on the same version are passed over; None where no fault is left to try.
    """
    order = list(Kind)
    ranked = sorted(faults, key=lambda f: (not f.major, order.index(f.kind)))
    return next((str(f.kind) for f in ranked if f.kind not in tried), None)


def listed(faults: Sequence[Fault], plain: bool = False) -> str:
    """Return faults as a list for a prompt; in plain words on one line, as `plain_checklist` reads them."""
    if plain:
        return "; ".join(f"{f.kind} {f.detail}".strip() for f in faults) or "none"
    return "\n".join(f"- {f.kind.replace('_', ' ')}: {f.detail}" for f in faults) or "- none"


def as_json(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Return faults as plain data."""
    return [{**asdict(fault), "kind": str(fault.kind)} for fault in faults]
