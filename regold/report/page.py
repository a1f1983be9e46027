"""Makes the audit's page: one file, nothing loaded from anywhere, every text escaped."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from regold.files import replacing
from regold.methods.checks import FAMILIES
from regold.report.book import Audit
from regold.report.whole import LATE

HERE = Path(__file__).parent
ACTIONS: Mapping[str, str] = {
    "drop": "cannot be used",
    "repair": "can be mended as it stands",
    "suspect": "someone should look",
}


SEEN = {
    **{n: chr(0x2400 + n) for n in range(32) if n not in (9, 10, 13)},
    127: "␡",
    **{n: f"⟨U+{n:04X}⟩" for n in (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)},
}
"""What stands for signs that would not show, or would turn the text around them."""
AT_ONCE = 3
"""Examples of a check that show at once; the others unfold."""


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
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=seen, trim_blocks=True, lstrip_blocks=True
    )
    template = made.get_template("audit.html")
    own = {"path": shlex.quote(found.data), "policy": policy, "script": script, "style": style, "actions": ACTIONS}
    return template.render(audit=found, data=Path(found.data).name, checks=_checks(found), bars=_bar(found), **own)


def seen(value: Any) -> Any:
    """Return a text with its control signs and marks of direction made visible; all else as it is."""
    return value.translate(SEEN) if isinstance(value, str) and not isinstance(value, Markup) else value


def _checks(found: Audit) -> list[dict[str, Any]]:
    most = max(found.counts.values(), default=1)
    family = {check.name: name for name, checks in FAMILIES.items() for check in checks}
    return [
        {
            "name": name,
            "family": family.get(name, "whole file" if name in LATE else "limit"),
            "action": found.about[name][0],
            "about": found.about[name][1],
            "count": count,
            "share": count / max(1, found.records),
            "width": max(1.0, round(100 * count / most, 1)),
            "first": found.examples.get(name, [])[:AT_ONCE],
            "more": found.examples.get(name, [])[AT_ONCE:],
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
