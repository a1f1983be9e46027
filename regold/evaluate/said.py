"""What a model said to a task: its text, and whether it came to an end."""

from __future__ import annotations


class Said(str):
    """An answer's text as lm-eval hands it to a scorer, with how it ended."""

    finish: str

    def __new__(cls, text: str, finish: str = "stop") -> Said:
        """Take a completion's text and finish."""
        made = super().__new__(cls, text)
        made.finish = finish
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Keep the finish in copies."""
        return str(self), self.finish


def finish_of(text: str) -> str:
    """Return how an answer ended; a plain text, as other models of lm-eval give it, counts as ended."""
    return text.finish if isinstance(text, Said) else "stop"
