"""Text of the prompt where it does not belong: leaked templates, copied instructions, several tasks in one record."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Field, Span, Strictness

_TEMPLATE = re.compile(
    r"<\|(?:im_start|im_end|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|user|assistant|system)\|>"
    r"|\[/?inst\]|<</?sys>>|</?s>\s*\[|<(?:start|end)_of_turn>"
    r"|below is an instruction that describes a task"
    r"|write a response that appropriately completes the request"
    r"|^#{2,4} ?(?:instruction|input|response|output|human|assistant|user)s?\s*:"
    r"|as an ai language model trained by",
    re.MULTILINE,
)
_MARKS = ("<|", "inst]", "sys>>", "</s>", "<s>", "_of_turn>", "below is an", "appropriately", "##", "trained by")
_LABEL = re.compile(r"\A\s{0,9}(?:#{1,4} ?)?(?:output|response|answer|completion)\s{0,3}:\s{0,9}\n?", re.IGNORECASE)
_TASK = re.compile(r"^[ \t#*]{0,6}(?:\d{1,3}[.)][ \t]{0,3})?instruction[ \t]{0,3}(?:\d{1,3}[ \t]{0,3})?:", re.MULTILINE)
_PART = re.compile(r"^[ \t#*]{0,6}(?:\d{1,3}[.)][ \t]{0,3})?(?:output|input|response)[ \t]{0,3}:", re.MULTILINE)
_REPEATS = re.compile(
    r"\b(?:repeat|copy|echo|rewrite|reword|edit|correct|proofread|translate|fix|spell|grammar|grammatical|punctuat"
    r"|convert|format|transform|rephrase|paraphrase|sort|order|arrange|rearrange|organi[sz]e|edit|change|remove|delete"
    r"|replace|extract|identify|select|choose|pick|find|which|classify|simplify|modify|quote|recite|improve|revise"
    r"|capitali[sz]e|summari[sz]e|tokeni[sz]e|match|insert|add|complete|output|print|return|reverse|filter|is|does|do)\b"
)


def prompt_leak(e: Exchange) -> Iterator[Span]:
    """Find marks of a chat template or of the prompt's frame in a response."""
    if not any(mark in e.said for mark in _MARKS):
        return
    if any(word in e.asked + e.given for word in ("template", "<|", "inst]", "markdown", "###", "prompt")):
        return
    for match in _TEMPLATE.finditer(e.said):
        yield Span("response", match.start(), match.end())


def output_label(e: Exchange) -> Iterator[Span]:
    """Find a response that begins with the prompt's own label, such as `Output:`."""
    match = _LABEL.match(e.response)
    if match and ":" not in e.given and not any(w in e.asked for w in ("output", "answer", "response", "format", ":")):
        yield Span("response", match.start() + len(match[0]) - len(match[0].lstrip()), len(match[0].rstrip()))


def merged_tasks(e: Exchange) -> Iterator[Span]:
    """Find a further `Instruction:` with its `Input:` or `Output:` in one text: several records run together."""
    for field in ("response", "input"):
        yield from _tasks(e, field)


def _tasks(e: Exchange, field: Field) -> Iterator[Span]:
    text = e.said if field == "response" else e.given
    if "instruction" not in text or "instruction" in e.asked or "prompt" in e.asked:
        return
    last = max((match.start() for match in _PART.finditer(text)), default=0)
    for match in _TASK.finditer(text):
        if match.end() <= last:
            yield Span(field, match.start(), match.end())


def copied_instruction(e: Exchange) -> Iterator[Span]:
    """Find a response that only says again what was asked, or returns the input where something else was wanted."""
    if len(e.response) > 4 * (len(e.instruction) + len(e.input)) or len(e.response) < 12:
        return
    said, asked, given = (" ".join(text.split()) for text in (e.said, e.asked, e.given))
    if said in (asked, f"{asked} {given}") or (said == given and not _REPEATS.search(e.asked)):
        yield Span("response", 0, len(e.response.rstrip()))
    elif len(asked) > 40 and said.startswith(asked) and not given:
        yield Span("response", 0, min(len(e.instruction), len(e.response)))


CHECKS = (
    Check(
        "prompt-leak", "The prompt's template stands in the response.", Action.REPAIR, prompt_leak, Strictness.LENIENT
    ),
    Check("output-label", "The response begins with the prompt's own label.", Action.REPAIR, output_label),
    Check(
        "merged-tasks", "Several tasks ran together into one record.", Action.REPAIR, merged_tasks, Strictness.LENIENT
    ),
    Check("copied-instruction", "The response only repeats what was asked.", Action.SUSPECT, copied_instruction),
)
