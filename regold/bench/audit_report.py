"""Writes the results of `regold bench audit` as a page with tables and the precision-recall plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regold.bench.plots import COLOURS, figure
from regold.bench.tables import markdown, number, spread
from regold.files import replacing

HEAD = ("", "precision", "recall", "flagged", "of them wrong")


def write_audit(found: Mapping[str, Any], out: Path) -> None:
    """Write README.md and precision_recall.svg and .png into a folder. Raises MissingExtra without matplotlib."""
    plot(found, out / "precision_recall")
    with replacing(out / "README.md") as stream:
        stream.write(audit_page(found).encode())


def plot(found: Mapping[str, Any], out: Path) -> None:
    """Draw precision against recall for labels of each confidence: the five folds whole, the shipped weights dashed."""
    folded = found["five_fold"]
    with figure(out) as axes:
        for n, name in enumerate(folded):
            colour = COLOURS[n % len(COLOURS)]
            for part, line in ((folded, "-"), (found["shipped"], "--")):
                points = part[name]["curve"]
                label = f"{name} ({folded[name]['wrong']} wrong)" if part is folded else None
                axes.step(
                    [p["recall"] for p in points],
                    [p["precision"] for p in points],
                    where="post", color=colour, linestyle=line, linewidth=1.4, label=label,
                )  # fmt: skip
            if folded[name]["flagged"]:
                axes.plot(folded[name]["recall"], folded[name]["precision"], "o", color=colour)
        axes.axhline(0.9, color="#999999", linewidth=0.8, linestyle=":")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(title="labels of confidence", loc="lower right", fontsize=8)


def audit_page(found: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    levels = [_row(name, at) for name, at in found["strictness"].items()]
    folded = [_row(f"five folds, {name}", at) for name, at in found["five_fold"].items()]
    shipped = [_row(f"shipped weights, {name}", at) for name, at in found["shipped"].items() if name != "threshold"]
    fired = sorted((c for c in found["checks"] if c["flagged"]), key=lambda c: -c["flagged"])
    silent = [f"`{c['check']}`" for c in found["checks"] if not c["flagged"]]
    normal = found["strictness"]["normal"]
    without = [w for w in found["leave_one_out"] if w["flagged"] != normal["flagged"]]
    return "\n".join(
        [
            "# The text checks against labels from manual curation",
            "",
            f"`regold bench audit --data FILE --labels FILE --json bench.json --out FOLDER` writes this page. "
            f"{found['records']} labelled records, {found['wrong']} wrong; {found['note']}. "
            "Intervals are Wilson's, 95 %.",
            "",
            "![precision against recall](precision_recall.svg)",
            "",
            "Whole lines: five folds, weights and threshold learnt on the other four; dashed: the shipped weights, "
            "which were learnt on these records; dots: the folds' own thresholds. For one confidence the wrong records "
            "of the others are left out. The folds do not cover the rules themselves, which were written with these "
            "records in sight.",
            "",
            "## The score",
            "",
            markdown(HEAD, [*folded, *shipped]),
            "",
            "## Strictness: any check of the level flags",
            "",
            markdown(HEAD, levels),
            "",
            "## Each check alone",
            "",
            markdown(HEAD, [_row(f"`{c['check']}` ({c['level']})", c) for c in fired]),
            "",
            f"Found nothing here: {', '.join(silent)}.",
            "",
            "## Leaving one check out, normal strictness",
            "",
            markdown(HEAD, [_row("none left out", normal), *(_row(f"without `{w['without']}`", w) for w in without)]),
            "",
            "All other checks change nothing when left out.",
            "",
        ]
    )


def _row(name: str, at: Mapping[str, Any]) -> Sequence[str]:
    low, high = at["precision_interval"]
    precision = spread(at["precision"], low, high) if at["flagged"] else number(None)
    return name, precision, number(at["recall"]), str(at["flagged"]), str(at["hits"])
