"""Measure the check of two views on the real answers of real models; prints one line a pair of models.

The data are JSON lines with `question`, `options`, `groundtruth` (a letter), `error_type` and `predictions` (model to
text). Rows whose label experts found right are made wrong in a known share, and each pair of models plays the base and
the reasoned view. A prediction that is missing or names no option is no answer.

    python benchmarks/views.py --data mmlu_redux.jsonl.gz --noise 0.3 --rule all --json views.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

from regold.formats import Row
from regold.methods.agreement import is_clean, same_answer
from regold.methods.answers import read_answer
from regold.methods.detection import Detection, detection
from regold.methods.noise import corrupt_rows
from regold.record import Message


def load(path: Path) -> list[Row]:
    """Read the rows whose label is right, as records with the predictions in their source."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    raw = [(number, json.loads(line)) for number, line in enumerate(data.splitlines(), start=1)]
    return [_row(path, number, row) for number, row in raw if row["error_type"] == "ok"]


def _row(path: Path, number: int, row: dict[str, Any]) -> Row:
    messages = (Message("user", row["question"]), Message("assistant", row["groundtruth"]))
    return Row(f"{number:05d}", messages, tuple(row["options"]), row["predictions"], path.name, number)


def answers(rows: list[Row], model: str) -> list[str | None]:
    """Read one model's answer to each row."""
    return [read_answer(r.source.get(model) or "", r.messages[-1].content, r.options) for r in rows]


def measure(rows: list[Row], views: list[list[str | None]], rule: str) -> Detection:
    """Judge every row by the views and compare with what is known to be wrong."""
    given = [read_answer(r.messages[-1].content, r.messages[-1].content, r.options) for r in rows]
    agree = [
        [same_answer(g, view, r.options) is True for view in said]
        for r, g, said in zip(rows, given, zip(*views, strict=True), strict=True)
    ]
    return detection([r.noise is not None for r in rows], [not is_clean(a, rule) for a in agree])


def bench(rows: list[Row], rate: float, seed: int, rule: str) -> dict[str, dict[str, Any]]:
    """Measure every pair of models on the same noise."""
    noisy = corrupt_rows(rows, rate, "symmetric", seed)
    models = sorted({model for r in rows for model in r.source})
    read = {model: answers(noisy, model) for model in models}
    return {f"{a} + {b}": asdict(measure(noisy, [read[a], read[b]], rule)) for a, b in combinations(models, 2)}


def main() -> None:
    """Print the figures of every pair, their ranges, and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rule", choices=("all", "majority"), default="all")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = load(given.data)
    pairs = bench(rows, given.noise, given.seed, given.rule)
    for pair, found in pairs.items():
        print(f"{pair:75} precision {found['precision']:.3f}  recall {found['recall']:.3f}  F1 {found['f1']:.3f}")
    for figure in ("precision", "recall", "f1"):
        values = [found[figure] for found in pairs.values()]
        print(f"{figure}: {min(values):.3f} to {max(values):.3f}, median {statistics.median(values):.3f}")
    print(f"{len(pairs)} pairs, {len(rows)} records, {next(iter(pairs.values()))['wrong']} wrong, rule {given.rule}")
    if given.json:
        settings = {"noise": given.noise, "seed": given.seed, "rule": given.rule, "records": len(rows)}
        given.json.write_text(json.dumps({**settings, "pairs": pairs}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
