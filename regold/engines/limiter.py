"""How many requests may be in flight: one window a host, widened by each answer and halved when the host is full."""

from __future__ import annotations

from dataclasses import dataclass, field

LONGEST_PAUSE_S = 30.0


@dataclass
class Window:
    """Additive increase, multiplicative decrease. Times are seconds of one monotonic clock, given by the caller."""

    ceiling: int
    width: float = field(default=0.0)
    """How many may be in flight; starts at the ceiling."""
    in_flight: int = 0
    resume_at: float = 0.0
    """Nothing is sent before this time."""
    shrunk_at: float = -1.0
    refused: int = 0
    """Times the host said it was full since its last answer."""

    def __post_init__(self) -> None:
        self.width = self.width or float(self.ceiling)

    def room(self, now: float) -> int:
        """Return how many more may be sent now."""
        return 0 if now < self.resume_at else int(self.width) - self.in_flight

    def widen(self) -> None:
        """Note an answer: one more in flight for each full window answered."""
        self.refused = 0
        self.width = min(float(self.ceiling), self.width + 1.0 / self.width)

    def shrink(self, now: float, sent_at: float, retry_after: float | None) -> bool:
        """Note that the host is full and say whether the window was halved: at most once for requests sent together."""
        fresh = sent_at >= self.shrunk_at
        if fresh:
            self.refused += 1
            self.width = max(1.0, self.width / 2)
            self.shrunk_at = now
        pause = retry_after if retry_after is not None else min(LONGEST_PAUSE_S, 0.25 * 2**self.refused)
        self.resume_at = max(self.resume_at, now + pause)
        return fresh
