"""What lies behind the lab's means: kinds of question, wordings, confidence and surprise, for tables and plots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

Result: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, str, str, int]
"""World, set, kind of noise and its rate in per cent."""
Places: TypeAlias = Mapping[Place, Mapping[str, Sequence[Result]]]
BINS = 10
NLL_EDGES = [round(10 ** (-3 + n / 6), 5) for n in range(26)]
"""Mean NLL in nats per token, six bins a factor of ten; the first takes all below, the last all above."""


def by_question(places: Places) -> list[dict[str, Any]]:
    """Return each method's greedy accuracy by kind of question."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            hits: dict[str, list[int]] = defaultdict(list)
            for run in runs:
                for question, bit in zip(run["question_kinds"], run["right"], strict=False):
                    hits[question].append(int(bit))
            if len(hits) < 2:
                continue
            for question, bits in sorted(hits.items()):
                about = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name}
                rows.append({**about, "question": question, "n": len(bits), "greedy": rounded(sum(bits) / len(bits))})
    return rows


def by_wording(places: Places) -> list[dict[str, Any]]:
    """Return accuracy in each wording, their spread, and the share of questions right in all and in any of them."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            asked = [np.stack([bits(frame) for frame in run["frames"]]) for run in runs if run.get("frames")]
            if not asked:
                continue
            each = np.mean([a.mean(axis=1) for a in asked], axis=0)
            told = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name}
            told |= {"wordings": [rounded(v) for v in each], "spread": rounded(each.max() - each.min())}
            told["right_in_all"] = rounded(np.mean([a.all(axis=0).mean() for a in asked]))
            told["right_in_any"] = rounded(np.mean([a.any(axis=0).mean() for a in asked]))
            rows.append(told)
    return rows


def confidence(places: Places) -> list[dict[str, Any]]:
    """Return for every repair how confidence meets correctness: reliability bins, and NLL counts of right and wrong."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            seen = [one for run in runs for one in run.get("confidence") or ()]
            if not seen:
                continue
            told = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name, "repairs": len(seen)}
            rows.append({**told, "reliability": _reliability(seen), "edges": NLL_EDGES, "counts": _counts(seen)})
    return rows


def _reliability(seen: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    sure = np.exp([-s[0] for s in seen])
    right = np.array([s[1] for s in seen], dtype=float)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [(b, place == b) for b in range(BINS) if (place == b).any()]
    told = [(rounded(sure[at].mean()), rounded(right[at].mean()), int(at.sum())) for _, at in bins]
    return [dict(zip(("confidence", "right", "n"), one, strict=True)) for one in told]


def _counts(seen: Sequence[Sequence[float]]) -> dict[str, list[int]]:
    groups = {
        "right, before": [s[0] for s in seen if s[1]],
        "wrong, before": [s[0] for s in seen if not s[1]],
        "right, after": [s[0] for s in seen if s[1] and s[2]],
        "wrong, after": [s[0] for s in seen if not s[1] and s[2]],
    }
    return {name: _nll_counts(values) for name, values in groups.items()}


def _nll_counts(values: Iterable[float]) -> list[int]:
    edges = np.array([0.0, *NLL_EDGES[1:-1], np.inf])
    counts: list[int] = np.histogram(list(values), edges)[0].tolist()
    return counts


def surprise(places: Places) -> list[dict[str, Any]]:
    """Return how the untrained model takes the training responses before and after repair: NLL counts, perplexity."""
    rows = []
    for (world, set_name, kind, noise), methods in places.items():
        for name, runs in methods.items():
            told: dict[str, Any] = {"world": world, "set": set_name, "kind": kind, "noise": noise, "method": name}
            told |= {"edges": NLL_EDGES, "counts": {}, "perplexity": {}}
            for when in ("before", "after"):
                seen = [one for run in runs for one in run.get(when) or ()]
                told["counts"] |= {f"right, {when}": _nll_counts(s[0] for s in seen if s[1])}
                told["counts"] |= {f"wrong, {when}": _nll_counts(s[0] for s in seen if not s[1])}
                told["perplexity"][when] = rounded(np.exp(np.mean([s[0] for s in seen]))) if seen else None
            if told["perplexity"]["before"] is not None:
                rows.append(told)
    return rows


def bits(text: str) -> np.ndarray:
    """Return a string of 0 and 1 as an array."""
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.float64) - ord("0")


def rounded(value: float) -> float | None:
    """Return a figure to four digits; None for what is no number."""
    return None if np.isnan(value) else round(float(value), 4)
