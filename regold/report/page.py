"""Makes the audit's page: one file, nothing loaded from anywhere, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from regold.files import replacing
from regold.methods.checks import CHECKS, FAMILIES
from regold.report.audit import LATE, Audit

HERE = Path(__file__).parent
ACTIONS: Mapping[str, str] = {
    "drop": "cannot be used",
    "repair": "can be mended as it stands",
    "suspect": "someone should look",
}


def write_page(found: Audit, path: Path) -> None:
    """Write the page of an audit, whole or not at all."""
    with replacing(path) as stream:
        stream.write(page(found).encode(errors="replace"))


def page(found: Audit) -> str:
    """Return the page as HTML. Texts of the data are escaped, and its policy lets only its own script and style run."""
    script = (HERE / "audit.js").read_text(encoding="utf-8")
    style = (HERE / "audit.css").read_text(encoding="utf-8")
    # what stands in an element's text is hashed as it stands, so that nothing else can run
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    loader = FileSystemLoader(HERE)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = made.get_template("audit.html")
    bars = _bar(found)
    return template.render(
        audit=found, checks=_checks(found), bars=bars, actions=ACTIONS, policy=policy, script=script, style=style
    )


def _checks(found: Audit) -> list[dict[str, Any]]:
    most = max(found.counts.values(), default=1)
    family = {check.name: name for name, checks in FAMILIES.items() for check in checks}
    return [
        {
            "name": name,
            "family": family.get(name, "whole file"),
            "action": str(CHECKS[name].action) if name in CHECKS else LATE[name][0],
            "about": CHECKS[name].about if name in CHECKS else LATE[name][1],
            "count": count,
            "share": count / max(1, found.records),
            "width": max(1.0, round(100 * count / most, 1)),
            "examples": found.examples.get(name, []),
        }
        for name, count in found.counts.items()
    ]


def _bar(found: Audit) -> list[dict[str, Any]]:
    """Return the parts of the bar over all records: where each begins and how wide it is, in per mille."""
    parts, place = [], 0.0
    for action in ACTIONS:
        width = 1000 * found.actions.get(action, 0) / max(1, found.records)
        parts.append({"name": action, "x": round(place, 2), "width": round(width, 2)})
        place += width
    parts.append({"name": "clean", "x": round(place, 2), "width": round(1000 - place, 2)})
    return parts


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
