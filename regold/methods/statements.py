"""Finds where a text states its answer; knows nothing of what kind of answer it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD, TAIL = 1_000, 8_000
"""Characters at either end of a very long text in which a closed answer is looked for."""
CONTENT = 400
"""Characters of a statement that are read."""
MOST = 40
"""Statements that are kept, the last ones."""
_NOUN = r"answer|solution|conclusion|final\s+result|(?:correct|right|best|final)\s+(?:option|choice|response)"
_ELSEWHERE = r"réponse|respuesta|resposta|risposta|antwort|ответ|答案|答え"
_DENIED = r"\s+is(?=n['’]t\b)|\s+(?=can(?:not|['’]t)\s+be\b)"
_VERB = r"\s+(?:is|was|(?:would|should|must|will)\s+be|equals|est|es|ist|è|é)\b\s*[:：]?"
_LINK = rf"{_DENIED}|{_VERB}|\s*(?:[:：=→]|->|是|为|は)|\s+[-–—](?=\s)"
_ASIDE = r"(?:,[^,\n.:]{1,40},)?(?:\s+(?:to|for|of|in|here|i|that|on)\b[^\n.:=]{0,80}?)?"
_SAID = re.compile(rf"(?<![A-Za-z])(?:{_NOUN}|{_ELSEWHERE})[\"'*_)]{{0,4}}{_ASIDE}(?:{_LINK})", re.IGNORECASE)
_NAMED = re.compile(r"^[^\w\n]{0,9}(?:final\s+)?answer[ \t]+(?=\(?[A-Z]\)?[^\w\n]{0,9}$)", re.IGNORECASE | re.MULTILINE)
_LINE_A = re.compile(r"^A:(?=\s{0,9}\S)", re.MULTILINE)
_HASHES = re.compile(r"^####[ \t]+(?=[-+−$€£¥]?\d|[^\n]{1,200}\s{0,9}\Z)", re.MULTILINE)
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_FINAL = re.compile(
    r"^[^\w\n]{0,9}(?:my\s+|the\s+)?final\s+(?:answer|response)(?:\s+is)?[^\w\n:：]{0,9}[:：][ \t*_]{0,9}",
    re.IGNORECASE | re.MULTILINE,
)
_PLAIN = re.compile(r"^[ \t*_#>]{0,9}(?:answer|response)[ \t*_]{0,9}[:：][ \t*_]{0,9}", re.IGNORECASE | re.MULTILINE)
_MARKUP = re.compile(r"(?<![\w*])(?:\*{1,3}|_{1,3}|`+)(?=\S)|(?<=\S)(?:\*{1,3}|`+)(?![\w*])|(?<=\w)_{1,3}(?![\w{^(])")
_SPACING = re.compile(r"\\[!,;:](?=\s|\d|$)")
_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathbf|mathrm|mbox|emph)\s*\{([^{}]*)\}")
_ABBREVIATED = re.compile(r"(?:\b(?:St|Mr|Mrs|Ms|Dr|Mt|Ft|Jr|Sr|No|vs|Prof|Gen|Col|[A-Z])|\b[A-Za-z]\.[A-Za-z])\.$")


@dataclass(frozen=True, slots=True)
class Statement:
    """What follows an answer marker; `start` is the marker's place in the text, `end` the end of what follows."""

    content: str
    start: int
    end: int


def without_thinking(text: str) -> str:
    """Cut a reasoning model's hidden thoughts; one that never stopped thinking has said nothing."""
    text = text.rpartition("</think>")[2]
    return text.partition("<think>")[0].strip()


def plain(text: str) -> str:
    """Return a text without hidden thoughts, Markdown emphasis and LaTeX text wrappers.

    Of a very long text only the beginning and the end remain, where answers stand: hostile texts must not cost hours.
    """
    text = without_thinking(text)
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    return _WRAPPED.sub(r"\1", _MARKUP.sub("", _SPACING.sub("", text)))


def statements(text: str) -> list[Statement]:
    """Return the answer statements of a `plain` text in the order in which they stand."""
    found = [
        _to_line_end(text, m.start(), m.end())
        for pattern in (_SAID, _NAMED, _LINE_A, _HASHES)
        for m in pattern.finditer(text)
    ]
    found += [Statement(m[1].strip(), m.start(), m.end()) for m in _TAGGED.finditer(text)]
    found += [_in_braces(text, m.start(), m.end()) for m in _BOXED.finditer(text)]
    return sorted((s for s in found if s.content), key=lambda s: (s.start, s.end))[-MOST:]


def _to_line_end(text: str, start: int, content: int) -> Statement:
    """Read to the end of the line, or of the next where the marker stands alone on its own."""
    lead = text[content : content + 40]
    content += len(lead) - len(lead.lstrip(" \t\n\"'“:："))
    end = text.find("\n", content)
    end = len(text) if end < 0 else end
    return Statement(text[content : min(end, content + CONTENT)].strip(), start, end)


def _in_braces(text: str, start: int, content: int) -> Statement:
    depth = 1
    for place in range(content, min(content + CONTENT, len(text))):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return Statement(text[content:place].strip(), start, place + 1)
    return Statement("", start, content)


def first_sentence(text: str) -> str:
    """Return a text up to its first full stop that ends a sentence rather than an abbreviation."""
    for stop in re.finditer(r"[.!?;](?=\s+\S)", text):
        if not _ABBREVIATED.search(text[: stop.end()]):
            return text[: stop.start()]
    return text


def trimmed(text: str) -> str:
    """Return a text without surrounding quotes, brackets that pair up, markup and closing punctuation."""
    for _ in range(4):
        text = text.strip().strip("\"'“”‘’`*_ \n\t").rstrip(".,;:!。")
        text = re.sub(r"^(?:\\\(|\\\[|\$\$|\$(?=[^$]*\$$))(.*?)(?:\\\)|\\\]|\${1,2})$", r"\1", text, flags=re.DOTALL)
        text = re.sub(r"^\(([^(),]*)\)$|^\[([^\[\],]*)\]$", lambda m: m[1] or m[2] or "", text)
    return text


def final_text(text: str) -> str | None:
    """Return the response itself: what follows a `Final answer:` or stands in `<answer>` tags, else the whole text.

    A plain `Answer:` counts only where it opens a line once: several are part of what the text is about.
    """
    stated = stated_text(text)
    return stated if stated is not None else without_thinking(text) or None


def stated_text(text: str) -> str | None:
    """Return what follows the text's own marker of its response, or None where there is none."""
    text = without_thinking(text)
    tagged, closed, _ = text.rpartition("</answer>")
    if closed and "<answer>" in tagged:
        return tagged.rpartition("<answer>")[2].strip() or None
    final = list(_FINAL.finditer(text))
    marks = final or list(_PLAIN.finditer(text))
    if not marks or (len(marks) > 1 and not final):
        return None
    return text[marks[-1].end() :].strip() or None
