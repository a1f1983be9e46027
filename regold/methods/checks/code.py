"""Code and data that do not parse. Nothing is ever run."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span, Strictness, whole

_FENCE = re.compile(r"^[ \t]{0,8}(```+|~~~+)([^\n`]{0,40})$", re.MULTILINE)
_PYTHON = re.compile(
    r"^(?:def \w+\(.{0,200}\)(?: ?-> ?[\w\[\], .]{1,60})?:|from [\w.]+ import |import [\w.]+(?: as \w+)?$"
    r"|class \w+(?:\([\w., ]{0,60}\))?:)",
    re.MULTILINE,
)
_OTHER = re.compile(
    r"[{};]\s*$|\b(?:function|const|let|var|public|private|void|#include|println|console\.log|endif|puts|elsif|fn|func)\b",
    re.MULTILINE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
LONGEST = 20_000
"""Characters of code that are parsed; a longer text is not judged."""


def unclosed_fence(e: Exchange) -> Iterator[Span]:
    """Find a code fence that is opened and never closed."""
    if "```" not in e.response and "~~~" not in e.response:
        return
    open_: re.Match[str] | None = None
    for match in _FENCE.finditer(e.response):
        if open_ is None:
            open_ = match
        elif match[1][0] == open_[1][0] and len(match[1]) >= len(open_[1]) and not match[2].strip():
            open_ = None
    if open_ is not None:
        yield Span("response", open_.start(1), open_.end())


def broken_python(e: Exchange) -> Iterator[Span]:
    """Find Python that `ast.parse` refuses: fenced as such, or a whole response that begins like it."""
    for start, end in _python(e):
        code = e.response[start:end]
        if len(code) <= LONGEST and not _parses(code):
            yield Span("response", start, end)


def _python(e: Exchange) -> Iterator[tuple[int, int]]:
    if "```" in e.response:
        for start, end, language in fenced(e.response):
            if language in ("python", "py", "python3"):
                yield start, end
        return
    span = whole("response", e.response)
    body = e.response[span.start : span.end]
    if "python 2" in e.asked or "syntax" in e.asked or "pseudo" in e.asked or "error" in e.asked or "debug" in e.asked:
        return
    if "# output" not in e.said and _PYTHON.match(body) and not _OTHER.search(body) and not _talks(body):
        yield span.start, span.end


def _talks(body: str) -> bool:
    """Tell whether lines of prose stand among the code."""
    lines = [line for line in body.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    prose = [
        line
        for line in lines
        if re.match(r"[A-Z][a-z]+[ ,][a-z]+ [a-z ]+|\d+\. |Output|Example|Input|>>>|[-*] |\$", line)
    ]
    return bool(prose) or len(lines) < 2


def _parses(code: str) -> bool:
    lines = (
        code.replace("\t", "    ")
        .replace("\u00a0", " ")
        .replace("’", "'")
        .replace("‘", "'")
        .replace("“", '"')
        .replace("”", '"')
    )
    if lines.count("(") + lines.count("[") + lines.count("{") > 2_000:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(lines)
        except (SyntaxError, ValueError):
            return "print " in lines or "..." in lines or "<" in lines[:1]
        except (RecursionError, MemoryError):
            return True
    return True


def broken_json(e: Exchange) -> Iterator[Span]:
    """Find JSON that does not parse: fenced as such, or the whole response where JSON was asked for."""
    blocks = [(s, t) for s, t, language in fenced(e.response) if language == "json"] if "```" in e.response else []
    if not blocks and "json" in e.asked and e.response.strip()[:1] in ("{", "["):
        span = whole("response", e.response)
        blocks = [(span.start, span.end)]
    for start, end in blocks:
        text = e.response[start:end].strip()
        if text and len(text) <= LONGEST and "..." not in text and "//" not in text and not _reads_json(text):
            yield Span("response", start, end)


def _reads_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def unclosed_bracket(e: Exchange) -> Iterator[Span]:
    """Find a round or square bracket or a brace that is opened in a response and never closed."""
    if (
        e.response.count("(") == e.response.count(")")
        and e.response.count("[") == e.response.count("]")
        and e.response.count("{") == e.response.count("}")
    ):
        return
    stack: list[tuple[str, int]] = []
    for place, sign in enumerate(e.response):
        if sign in "([{":
            stack.append((sign, place))
        elif sign in _PAIRS and stack and stack[-1][0] == _PAIRS[sign]:
            stack.pop()
    if stack and not re.search(r"[:;=8]['-]?[({\[]", e.response):
        yield Span("response", stack[-1][1], stack[-1][1] + 1)


def fenced(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and language (lower case) of each closed fenced block's contents."""
    open_: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if open_ is None:
            open_ = match
        elif match[1][0] == open_[1][0] and len(match[1]) >= len(open_[1]) and not match[2].strip():
            yield open_.end() + 1, match.start(), open_[2].strip().lower()
            open_ = None


CHECKS = (
    Check("unclosed-fence", "A code fence is never closed.", Action.REPAIR, unclosed_fence, Strictness.LENIENT),
    Check("broken-python", "The Python code does not parse.", Action.SUSPECT, broken_python),
    Check("broken-json", "The JSON does not parse.", Action.SUSPECT, broken_json),
    Check("unclosed-bracket", "A bracket is never closed.", Action.SUSPECT, unclosed_bracket, Strictness.STRICT),
)
