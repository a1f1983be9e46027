"""The ratings bench as one object, and as a page of tables with a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
from threadpoolctl import threadpool_limits

from regold.bench.plots import Series, bars, figure
from regold.bench.rating_pool import bench_pool
from regold.bench.ratings import LENGTH, bench_ratings, load_rated
from regold.bench.tables import markdown, number
from regold.engines import EngineSpec
from regold.files import replacing, write_json
from regold.methods.ratings.choice import METHODS, NONE
from regold.methods.ratings.recovery import SIZES, WAYS, least_error, recovery_table, together_table, usual_rater

COMMAND = (
    "regold bench ratings --ratings RATINGS --data DATA --pool POOL --json results.json --out docs/results/ratings"
)
PUBLISHED = {
    "exact moments": 0.007,
    "5000 triples": 0.136,
    "15000 triples": 0.069,
    "50000 triples": 0.029,
    "500000 triples": 0.014,
    "neighbours wrong 0.1": 0.056,
    "neighbours wrong 0.2": 0.117,
    "neighbours wrong 0.3": 0.150,
    "duplicates left in 0.08": 0.141,
}
"""Mean row L1 errors to match or beat."""

REPEATED = 5
"""Seeds of the simulated raters."""
ORDER = (NONE, *METHODS, LENGTH)
TITLES = ("agreement with a rater never looked at", "the same among responses of equal length")

Found = Mapping[str, Any]


def run_ratings(
    ratings: Path,
    data: Path,
    raters: Sequence[str],
    encoder: EngineSpec,
    pool: Path | None = None,
    recovery: bool = True,
    threads: int = 2,
    seed: int = 0,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Return all that the bench measures. The pool is timed first, so that its peak of memory is its own."""
    faiss.omp_set_num_threads(threads)
    with threadpool_limits(threads):
        timed = {"pool": bench_pool(pool, seed)} if pool is not None else {}
        found = bench_ratings(load_rated(ratings, data, raters), encoder, seed, kept=kept)
        simulated = simulate(seed) if recovery else {}
    return {**found, **timed, **simulated, "threads": threads, "seed": seed}


def simulate(seed: int = 0) -> dict[str, Any]:
    """Return the recovery tables of several seeds, what no unbiased estimator can be expected to go below, and how
    simulated raters are best brought together."""
    least = {f"{n} triples": least_error(*usual_rater(), n) for n in SIZES}
    tables = [recovery_table(seed + n) for n in range(REPEATED)]
    return {"recovery": tables, "recovery_bound": least, "together": together_table(seed)}


def shown(found: Found) -> str:
    """Return the figures as plain lines."""
    lines = []
    for r in found["results"]:
        what = f"Spearman {r['spearman']:.3f}  kappa {r['kappa']:.3f}  within length {r['within_length']:.3f}"
        lines.append(f"{'*' if r['chosen'] else ' '} {r['rater']:16} {r['method']:12} vs {r['against']:16} {what}")
    v = found["verdict"]
    lines.append(
        f"chosen (*) below raw in {v['pairs_below_raw']} of {v['pairs']} pairs, mean gain {v['mean_gain']:.3f}"
    )
    return "\n".join(lines)


def write_page(found: Found, folder: Path) -> None:
    """Write results.json, results.md and agreement.svg and .png. Raises MissingExtra without matplotlib."""
    write_json(folder / "results.json", found)
    draw(found, folder / "agreement")
    parts = [_agreement(found), _choices(found), _several(found), _recovery(found), _simulated(found), _pool(found)]
    told = f"{found['records']} records, encoder {found['encoder']}, seed {found['seed']}"
    head = f"# Correcting ratings\n\n{told}: `{COMMAND}`.\n\n"
    about = (
        "Each rater is corrected from its own scores and the texts; the rater it is measured by plays no part in it. "
        "`*` is what was chosen. *Within length* is the mean Spearman inside tenths of equal response length. "
        "*Distance* is the mean distance from the other rater of the records whose class changed, before and after."
        "\n\n"
    )
    with replacing(folder / "results.md") as stream:
        stream.write((head + about + "\n\n".join(p for p in parts if p) + "\n").encode())


def draw(found: Found, place: Path) -> None:
    """Draw each pair's agreement, over all records and among records of equal length, for every corrector."""
    pairs = list(dict.fromkeys((r["rater"], r["against"]) for r in found["results"]))
    by = {(r["rater"], r["against"], r["method"]): r for r in found["results"]}
    names = [f"{rater}\nby {against}" for rater, against in pairs]
    with figure(place, size=(10.5, 6.4), rows=2) as panels:
        for axes, key, title in zip(panels, ("spearman", "within_length"), TITLES, strict=True):
            series = [Series(_name(way), names, [by.get((*pair, way), {}).get(key) for pair in pairs]) for way in ORDER]
            bars(axes, series, y="Spearman", title=title)


def _name(method: str) -> str:
    return "as given" if method == NONE else method


def _agreement(found: Found) -> str:
    rows = sorted(found["results"], key=lambda r: (r["rater"], r["against"], ORDER.index(r["method"])))
    cells = (
        [
            r["rater"],
            r["against"],
            _name(r["method"]) + (" *" if r["chosen"] else ""),
            number(r["spearman"]),
            number(r["kappa"]),
            number(r["within_length"]),
            str(r["changed"]),
            f"{r['distance_before']:.2f} to {r['distance_after']:.2f}",
        ]
        for r in rows
    )
    heads = ("rater", "measured by", "scores", "Spearman", "weighted kappa", "within length", "changed", "distance")
    v = found["verdict"]
    told = (
        f"\n\nOf {v['pairs']} pairs the chosen scores are below the given ones in {v['pairs_below_raw']} (within "
        f"length in {v['pairs_below_raw_within_length']}), and below a regression on response length alone in "
        f"{v['pairs_below_length_only']}; mean gain {number(v['mean_gain'])}, least {number(v['least_gain'])}."
    )
    plot = "![agreement by corrector](agreement.svg)\n\n"
    return "## Agreement with raters never looked at\n\n" + plot + markdown(heads, cells) + told


def _choices(found: Found) -> str:
    lines = [
        f"- **{name}**: {c['method']}. {c['reason']}. Weight of the own score beyond the text: {c['own_weight']:.2f}."
        for name, c in found["choices"].items()
    ]
    return "## What was chosen and why\n\n" + "\n".join(lines)


def _several(found: Found) -> str:
    if not found["several"]:
        return ""
    rows = (
        [
            " + ".join(s["raters"]),
            s["against"],
            " + ".join(s["methods"]),
            *(number(s[k][f]) for f in ("spearman", "within_length") for k in ("given", "corrected")),
        ]
        for s in found["several"]
    )
    heads = ("raters", "measured by", "chosen", "Spearman, given", "corrected", "within length, given", "corrected")
    return "## Two raters, each the evidence for the other\n\n" + markdown(heads, rows)


def _recovery(found: Found) -> str:
    if "recovery" not in found:
        return ""
    tables = found["recovery"]
    rows = []
    for name, known in PUBLISHED.items():
        errors = [t[name] for t in tables]
        mean = number(sum(errors) / len(errors))
        least = number(found["recovery_bound"].get(name))
        rows.append([name, mean, f"{number(min(errors))} to {number(max(errors))}", least, number(known)])
    heads = ("situation", f"mean of {len(tables)} seeds", "least to most", "least possible", "to match")
    told = (
        "\n\n*Least possible* is the error to expect of the best unbiased estimator (Cramér-Rao). A single draw, as "
        "the figures to match may be, can lie below it."
    )
    return "## Transition matrix, mean row L1 error on simulated raters\n\n" + markdown(heads, rows) + told


def _simulated(found: Found) -> str:
    if "together" not in found:
        return ""
    rows = [
        [r["raters"], str(r["records"]), *(number(r[way]) for way in WAYS)]
        + [f"{r[f'above_{way}']} of {r['draws']}" for way in WAYS[:2]]
        for r in found["together"]
    ]
    heads = ("three simulated raters", "records", "mean", "Dawid-Skene, plain", "ordinal")
    head = "## Raters brought together, Spearman's correlation with the truth\n\n"
    return head + markdown((*heads, "ordinal above the mean", "ordinal above plain"), rows)


def _pool(found: Found) -> str:
    if "pool" not in found:
        return ""
    p = found["pool"]
    wall, cpu = p["seconds"], p["cpu_seconds"]
    starts = max(r["restarts"] for r in p["raters"])
    return (
        f"## A whole pool\n\n{p['records']} records with made-up vectors of 384 numbers, {len(p['raters'])} raters, "
        f"each fitted from {starts} starts and corrected in every way, the simulation behind a choice included, "
        f"{found['threads']} threads: {cpu['all']} CPU seconds ({cpu['neighbours']} of them for neighbours), "
        f"{wall['all']} s by the clock, peak {p['peak_mb']} MB, recall of the ten nearest "
        f"{number(p['recall_at_10'])} over {p['queries']} sampled records. The clock ran on a machine that may have "
        "been busy; CPU seconds are what to compare."
    )
