"""What RobustFT's paper claims of one method over another, and what the lab's trials say of it, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regold.bench.lab_diagnostics import Places, Result, bits, rounded
from regold.bench.tables import markdown, spread
from regold.methods.intervals import quantiles, resampled_means

RATES = (30, 50, 70)
SEEDS = 3
"""Below these an interval knows of questions, and hardly of seeds: no verdict."""


@dataclass(frozen=True)
class Claim:
    """That `above` beats `below`; `paper` holds the published points on MMLU at 30, 50 and 70 % noise, where given."""

    above: str
    below: str
    paper: tuple[float, ...] = ()


CLAIMS = (
    Claim("vanilla", "SFT", (5.8, 17.8, 28.0)),
    Claim("RobustFT", "SFT", (8.7, 20.5, 30.3)),
    Claim("RobustFT", "vanilla", (2.9, 2.7, 2.3)),
    Claim("RobustFT", "SelfLabel", (3.5, 3.3, 2.9)),
    Claim("RobustFT", "SelfSelect", (9.1, 14.6, 23.6)),
    Claim("RobustFT", "SelfRAG", (2.9, 2.6, 3.5)),
    Claim("RobustFT", "NoiseAL", (1.9, 2.5, 1.5)),
    Claim("NoiseAL", "vanilla", (1.0, 0.2, 0.8)),
    Claim("RobustFT", "no selection", (2.5, 2.9, 3.0)),
    Claim("RobustFT", "no checker", (2.9, 3.0, 2.7)),
    Claim("RobustFT", "no reviewer", (0.2, 0.3, 0.5)),
    Claim("RobustFT", "no context", (0.5, 0.3, 0.6)),
    Claim("RobustFT", "no reasoning", (0.8, 0.6, 0.7)),
    Claim("RobustFT", "beta 30 %"),
    Claim("RobustFT", "beta 70 %"),
    Claim("RobustFT", "k 1"),
)
"""Table 1 and the ablation of arXiv 2412.14922; the last three are read off its sensitivity plots, without figures."""


def claims(places: Places, draws: int) -> list[dict[str, Any]]:
    """Return for every claim and place with both methods the paired difference, greedy, and whether it agrees.

    `agrees` and `disagrees` mean that the 95 % interval lies above or below 0; else the verdict is `undecided`,
    or `too few seeds`.
    """
    told = []
    for (world, set_name, kind, noise), methods in places.items():
        about = {"world": world, "set": set_name, "kind": kind, "noise": noise}
        for claim in CLAIMS if kind == "symmetric" and noise in RATES else ():
            found = _difference(methods.get(claim.above, ()), methods.get(claim.below, ()), draws)
            if found:
                points = claim.paper[RATES.index(noise)] if claim.paper else None
                told.append({**about, "above": claim.above, "below": claim.below, "paper_mmlu_points": points, **found})
    return told


def _difference(above: Sequence[Result], below: Sequence[Result], draws: int) -> dict[str, Any] | None:
    by = [{run["seed"]: bits(run["right"]) for run in runs} for runs in (above, below)]
    seeds = sorted(set(by[0]) & set(by[1]))
    if not seeds:
        return None
    groups = [np.stack([by[0][seed], by[1][seed]]) for seed in seeds]
    means = resampled_means(groups, draws)
    low, high = quantiles(means[:, 0] - means[:, 1])
    mean = float(np.mean([group[0].mean() - group[1].mean() for group in groups]))
    verdict = "agrees" if low > 0 else "disagrees" if high < 0 else "undecided"
    verdict = verdict if len(seeds) >= SEEDS else "too few seeds"
    return {"seeds": len(seeds), "mean": rounded(mean), "low": rounded(low), "high": rounded(high), "verdict": verdict}


def claims_page(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the section that sets each claim beside what was measured."""
    if not found:
        return []
    head = ("claim", "set", "noise", "paper, MMLU", "here", "seeds", "verdict")
    rows = [
        [
            f"{one['above']} > {one['below']}",
            one["set"] if one["world"] == "home" else f"{one['set']}, world {one['world']}",
            f"{one['noise']} %",
            "-" if one["paper_mmlu_points"] is None else f"{one['paper_mmlu_points'] / 100:+.3f}",
            spread(one["mean"], one["low"], one["high"]),
            str(one["seeds"]),
            one["verdict"],
        ]
        for one in sorted(found, key=_order)
    ]
    text = (
        "Differences in accuracy, greedy, paired. The published ones come from another model and task: what can be "
        "compared is the direction. An interval that holds 0 decides nothing."
    )
    return ["## What RobustFT's paper claims, and what is found here", text, markdown(head, rows)]


def _order(one: Mapping[str, Any]) -> tuple[Any, ...]:
    place = next(i for i, claim in enumerate(CLAIMS) if (claim.above, claim.below) == (one["above"], one["below"]))
    return one["world"] != "home", place, one["set"], one["noise"]
