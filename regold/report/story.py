"""One record's whole story on a page: parents, ratings, cluster, pair, each round of the fusion, before and after."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from regold.methods.checklist import TEMPLATES
from regold.store.fates import PastRun, trail

LONGEST = 4000
"""Words and spaces up to which two texts are compared word by word."""


@dataclass(frozen=True)
class Story:
    """A record's trail, its partner's, and the versions of their fusion."""

    record: Mapping[str, Any]
    partner: Mapping[str, Any] | None
    fusion: Mapping[str, Any] | None
    """The trajectory that `FusePairs` noted."""
    changes: Mapping[str, Sequence[tuple[str, str]]]
    """For `instruction` and `response`: runs of text, each `same`, `gone` or `new`."""


def story(run: PastRun, id_: str) -> Story:
    """Return the story of a record; that of a merged one is told at the record it went into.

    Raises InputError where the run has no such record.
    """
    record = trail(run, id_)
    into = next((step["into"] for step in reversed(record["steps"]) if step["into"]), None)
    if into is not None:
        record = trail(run, into)
    notes = noted(record)
    partner = notes.get("pair.partner")
    told = notes.get("fuse.story")
    changes = {
        "instruction": changed(_asked(record["before"]), _asked(record["after"])),
        "response": changed(record["before"][-1]["content"], record["after"][-1]["content"]),
    }
    return Story(record, trail(run, partner) if partner else None, json.loads(told) if told else None, changes)


def noted(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return all notes of a trail, later ones on top."""
    return {name: value for step in record["steps"] for name, value in step["notes"].items()}


def _asked(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(m["content"] for m in messages[:-1])


def changed(before: str, after: str) -> list[tuple[str, str]]:
    """Return what became of a text, word by word: runs that are `same`, `gone` or `new`."""
    if before == after:
        return [("same", before)] if before else []
    one, two = (re.findall(r"\s+|[^\s]+", text) for text in (before, after))
    if len(one) + len(two) > LONGEST:
        return [(how, text) for how, text in (("gone", before), ("new", after)) if text]
    found: list[tuple[str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(one[a:b])))
        else:
            found += [(how, text) for how, text in (("gone", "".join(one[a:b])), ("new", "".join(two[c:d]))) if text]
    return found


def page(told: Story) -> str:
    """Return the story as one self-contained HTML page; every text of the data is escaped, nothing is loaded or run."""
    shown = {"notes": noted(told.record), "theirs": noted(told.partner) if told.partner else {}}
    return _environment().get_template("story.html").render(story=told, templates=TEMPLATES, **shown)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("regold.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
