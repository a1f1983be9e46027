"""Tables of results in Markdown: rows of methods, columns of settings, a mean with its interval in a cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

NOTHING = "-"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; bars and line breaks in cells cannot break it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def pivot(corner: str, cells: Mapping[tuple[str, str], str], *, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Return a table of cells by (row, column); a row without any cell is left out, a missing cell is a dash."""
    kept = [row for row in rows if any((row, column) in cells for column in columns)]
    return markdown([corner, *columns], ([row, *(cells.get((row, c), NOTHING) for c in columns)] for row in kept))


def number(value: float | None, digits: int = 3) -> str:
    """Return a number without its leading zero, or a dash."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def spread(estimate: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """Return an estimate with its interval: `.812 [.790, .833]`."""
    if estimate is None or low is None or high is None:
        return number(estimate, digits)
    return f"{number(estimate, digits)} [{number(low, digits)}, {number(high, digits)}]"


def percent(estimate: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a share in per cent, with its interval where there is one: `89 % [84, 93]`."""
    if estimate is None:
        return NOTHING
    interval = "" if low is None or high is None else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return f"{100 * estimate:.0f} %{interval}"


def _cell(text: str) -> str:
    return " ".join(str(text).replace("|", "\\|").split())
