"""Programs put together from answers, and verdicts read from a judge."""

from __future__ import annotations

import pytest

from regold.evaluate.later import program_of, verdict

DOC = {"question": "import math\n\ndef half(x):\n", "entry": "half", "setup": "", "tests": ["assert half(4) == 2"]}


def test_a_whole_function_keeps_the_given_imports_and_a_continuation_its_head() -> None:
    whole = program_of(DOC, "```python\ndef half(x):\n    return math.floor(x / 2)\n```")
    assert whole is not None
    assert whole.startswith("\nimport math\ndef half")
    assert whole.count("def half") == 1
    begun = program_of(DOC, "    return x / 2")
    assert begun is not None
    for program in (whole, begun):
        exec(compile(program, "test", "exec"), {})
    assert program_of(DOC, "  ") is None


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("Verdict: CORRECT", {"correct": 1.0, "attempted": 1.0}),
        ("At first Verdict: CORRECT, but no.\n**Verdict:** INCORRECT", {"correct": 0.0, "attempted": 1.0}),
        ("verdict: not_attempted", {"correct": 0.0, "attempted": 0.0}),
        ("Not attempted.", {"correct": 0.0, "attempted": 0.0}),
        ("Verdict: PERHAPS", None),
        ("It is correct, I think.", None),
    ],
)
def test_verdicts(text: str, scores: dict[str, float] | None) -> None:
    assert verdict("fact", text) == scores
