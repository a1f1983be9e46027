"""The views bench as a page with every pair, three plots, and a summary small enough to keep beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from regold.bench.plots import COLOURS, figure
from regold.bench.tables import NOTHING, number
from regold.bench.tables import markdown as table
from regold.bench.views import FIGURES, NATURAL, RULES
from regold.files import replacing, write_json

Found = Mapping[str, Any]
"""What `run_views` returned."""
COLORS = dict(zip(RULES, COLOURS, strict=False))
SHOWN = {"precision": "precision", "recall": "recall", "f1": "F1", "after": "right labels after repair"}
COMMAND = "regold bench views --data FILE --json views.json --out docs/results/views"


def write_views(found: Found, folder: Path) -> list[Path]:
    """Write the page, its figures and the plots (SVG, PNG) into a folder. Raises MissingExtra without matplotlib."""
    summary = {name: value for name, value in found.items() if name not in ("results", "seconds")}
    write_json(folder / "summary.json", {**summary, "reliability": reliability(found)})
    with replacing(folder / "figures.json") as stream:
        stream.write(compact(found).encode())
    plots = _plots(found, folder)
    page = folder / "README.md"
    with replacing(page) as stream:
        stream.write(markdown(found).encode())
    return [page, folder / "summary.json", folder / "figures.json", *plots]


def compact(found: Found) -> str:
    """Return the figures of every pair and triple as JSON, a line each: small enough to keep beside the page."""
    names = list(found["models"])
    lines = [
        [r["noise"], r["rule"], [names.index(m) for m in r["views"]], *(r["figures"].get(n) for n in FIGURES)]
        for r in found["results"]
    ]
    head = json.dumps({"models": names, "columns": ["noise", "rule", "views", *FIGURES]})
    rows = ",\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
    return f'{head[:-1]}, "rows": [\n{rows}\n]}}\n'


def reliability(found: Found) -> list[dict[str, Any]]:
    """Return how often a label is wrong when so many views disagree, pooled over combinations and seeds."""
    pooled: dict[tuple[Any, int], np.ndarray] = {}
    for result in found["results"]:
        if result["rule"] == RULES[0]:
            key = result["noise"], len(result["views"])
            counts = np.array([result["counts"]["right"], result["counts"]["wrong"]])
            pooled[key] = pooled.get(key, np.zeros_like(counts)) + counts
    return [
        {
            "noise": noise,
            "size": size,
            "disagreeing": level,
            "share_of_records": round(float(column.sum() / counts.sum()), 4),
            "wrong": round(float(column[1] / column.sum()), 4) if column.sum() else None,
        }
        for (noise, size), counts in pooled.items()
        for level, column in enumerate(counts.T)
    ]


def markdown(found: Found) -> str:
    """Return the page: the summary, how reliable disagreement is, every model, and every pair at each noise."""
    noises = list(dict.fromkeys(r["noise"] for r in found["results"]))
    pairs = "\n\n".join(f"## Every pair, {_noise(n)}\n\n{_pairs(found, n)}" for n in noises)
    return f"""# Views of real models as a check of labels

`{COMMAND}` writes this page. Data: `{found["data"]}`, {found["records"]} questions with the recorded answers of \
{len(found["models"])} models. Injected noise strikes rows whose label experts found right ({found["seeds"]} seeds a \
rate); natural errors are rows whose label experts found wrong or without a right option, as they stand. Every pair \
of models plays the base and the reasoned view, every triple those two and one more. Intervals are bootstrap \
intervals ({found["level"]:.0%}) over records and seeds.

- `all` suspects a label where one view disagrees, `majority` where more than half of the views do.
- AUROC and AUPRC rank records by how many views disagree.
- *after* is the share of right labels once what two views agree on has replaced a suspect label and all else stays; \
*settled only* leaves out the suspects for which no two views agree (*settled* is the share that stays). Where the \
right options are not known, *after* is a bound: it counts every new label in place of a wrong one as right.

![F1 against noise](f1.svg)

## Over all pairs and triples: median (lowest to highest)

{_summary(found)}

## How often a label is wrong, by the number of views that disagree

{_reliability(found)}

![Reliability](reliability.svg)

## Share of labels suspected, by what experts said (median over combinations)

{_by_type(found)}

## The models

{table(["model", "answered", "accuracy on right labels"], _models(found))}

![AUROC by pair](auroc.svg)

{pairs}
"""


def _summary(found: Found) -> str:
    names = ["precision", "recall", "f1", "auroc", "auprc", "after", "after_settled", "settled", "brier"]
    heads = ["noise", "views", "rule", *names[:3], "AUROC", "AUPRC", "before", *names[5:7], names[7]]
    order = list(dict.fromkeys(r["noise"] for r in found["results"]))
    rows = []
    for s in sorted(found["summary"], key=lambda s: (order.index(s["noise"]), s["size"])):
        cells = [_spread(s.get(n)) for n in names[:8]]
        if "after_most" in s:
            cells[5] = f"≤ {_spread(s['after_most'])}"
        rows.append([_noise(s["noise"]), str(s["size"]), s["rule"], *cells[:5], number(s["before"]), *cells[5:]])
    heads[heads.index("after_settled")] = "settled only"
    return table(heads, rows)


def _pairs(found: Found, noise: int | str) -> str:
    heads = ["first view", "second view"]
    heads += [f"{rule}: {name}" for rule in RULES for name in ("P", "R", "F1 (interval)")]
    some = [r for r in found["results"] if r["noise"] == noise and len(r["views"]) == 2]
    rows = []
    for one in (r for r in some if r["rule"] == RULES[0]):
        both = [r for r in some if r["views"] == one["views"] and r["rule"] in RULES]
        cells = [c for r in both for c in _cells(r)]
        told = one["figures"]
        after = number(told["after"]) if told["after"] is not None else f"≤ {number(told['after_most'])}"
        rows.append([*map(short, one["views"]), *cells, *(number(told[n]) for n in ("auroc", "auprc")), after])
    return table([*heads, "AUROC", "AUPRC", "after"], rows)


def _cells(result: Mapping[str, Any]) -> list[str]:
    figures, (low, high) = result["figures"], result["interval"]["f1"]
    f1 = f"{number(figures['f1'])} ({number(low)}-{number(high)})"
    return [number(figures["precision"]), number(figures["recall"]), f1]


def _reliability(found: Found) -> str:
    rows = [
        [_noise(r["noise"]), str(r["size"]), str(r["disagreeing"]), number(r["share_of_records"]), number(r["wrong"])]
        for r in reliability(found)
    ]
    return table(["noise", "views", "disagreeing", "share of records", "wrong"], rows)


def _by_type(found: Found) -> str:
    rows = [
        [r["error_type"], str(r["records"]), str(r["size"]), number(r["all"]), number(r["majority"])]
        for r in found["flagged_by_error_type"]
    ]
    return table(["error type", "records", "views", "all", "majority"], rows)


def _models(found: Found) -> list[list[str]]:
    return [[name, str(m["answered"]), number(m["accuracy"])] for name, m in found["models"].items()]


def _noise(noise: int | str) -> str:
    return "natural errors" if noise == NATURAL else f"{noise} % noise"


def _spread(value: Mapping[str, float] | None) -> str:
    return NOTHING if value is None else f"{number(value['median'])} ({number(value['min'])}-{number(value['max'])})"


def short(model: str) -> str:
    """Return a model's name without its maker."""
    return model.partition("_")[2] or model


def _plots(found: Found, folder: Path) -> list[Path]:
    sizes = sorted({s["size"] for s in found["summary"]})
    side = 3.3 + 0.45 * len(found["models"])
    with figure(folder / "f1", size=(12, 2.7 * len(sizes)), columns=len(SHOWN), rows=len(sizes)) as axes:
        _draw_f1(found, sizes, axes)
    with figure(folder / "reliability", size=(4.2 * len(sizes), 3.6), columns=len(sizes)) as axes:
        _draw_reliability(found, sizes, axes if isinstance(axes, list) else [axes])
    with figure(folder / "auroc", size=(side + 2.4, side)) as axes:
        _draw_auroc(found, axes)
    return [folder / f"{name}.{kind}" for name in ("f1", "reliability", "auroc") for kind in ("svg", "png")]


def _draw_f1(found: Found, sizes: Sequence[int], axes: Sequence[Any]) -> None:
    """Draw the median over combinations against noise, with the band from lowest to highest."""
    places = [(size, name, title) for size in sizes for name, title in SHOWN.items()]
    for axis, (size, name, title) in zip(axes, places, strict=True):
        for rule in RULES:
            some = [s for s in found["summary"] if (s["size"], s["rule"]) == (size, rule) and name in s]
            some = sorted((s for s in some if s["noise"] != NATURAL), key=lambda s: int(s["noise"]))
            x, color = [s["noise"] for s in some], COLORS[rule]
            low, mid, high = ([s[name][at] for s in some] for at in ("min", "median", "max"))
            axis.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
            axis.plot(x, mid, "o-", color=color, label=rule, markersize=3)
        if name == "after":
            axis.plot(x, [s["before"] for s in some], ":", color="#666666", label="before")
            axis.legend(frameon=False, loc="lower left")
        axis.set(ylim=(0, 1.02), title=f"{title}, {_sets(size)}", xticks=x, xlabel="injected noise, %")


def _draw_reliability(found: Found, sizes: Sequence[int], axes: Sequence[Any]) -> None:
    """Draw how often labels are wrong against the share of views that disagree, a line a noise rate."""
    rows = reliability(found)
    noises = list(dict.fromkeys(r["noise"] for r in rows))
    for axis, size in zip(axes, sizes, strict=True):
        for noise, color in zip(noises, COLOURS, strict=False):
            some = [r for r in rows if (r["noise"], r["size"]) == (noise, size) and r["wrong"] is not None]
            x, y = [r["disagreeing"] / size for r in some], [r["wrong"] for r in some]
            axis.plot(x, y, "o-", color=color, label=_noise(noise), markersize=4)
        axis.plot([0, 1], [0, 1], ":", color="#666666")
        axis.set(xlabel="share of views that disagree", title=_sets(size), ylim=(-0.02, 1.02))
    axes[0].set_ylabel("share of labels that are wrong")
    axes[0].legend(frameon=False, fontsize=8)


def _draw_auroc(found: Found, axis: Any) -> None:
    """Draw the AUROC of every pair as a square, at the injected rate nearest to 30 %."""
    rates = sorted({r["noise"] for r in found["results"] if r["noise"] != NATURAL}, key=lambda n: abs(n - 30))
    noise = rates[0] if rates else NATURAL
    models = sorted(found["models"], key=lambda m: -found["models"][m]["accuracy"])
    grid = np.full((len(models), len(models)), np.nan)
    for r in found["results"]:
        if r["noise"] == noise and len(r["views"]) == 2 and r["rule"] == RULES[0]:
            i, j = (models.index(m) for m in r["views"])
            grid[i, j] = grid[j, i] = np.nan if r["figures"]["auroc"] is None else r["figures"]["auroc"]
    image = axis.imshow(grid, cmap="viridis")
    known = grid[~np.isnan(grid)]
    for (i, j), value in np.ndenumerate(grid):
        if not np.isnan(value):
            light = (value - known.min()) / max(np.ptp(known), 1e-9) < 0.6
            text = {"ha": "center", "va": "center", "fontsize": 6.5, "color": "white" if light else "black"}
            axis.text(j, i, number(float(value)), **text)
    names = [name if len(name := short(m)) <= 24 else f"{name[:22]}…" for m in models]
    axis.set_xticks(range(len(models)), names, rotation=60, ha="right", fontsize=7)
    axis.set_yticks(range(len(models)), names, fontsize=7)
    axis.grid(False)
    axis.set_title(f"AUROC of disagreement by pair, {_noise(noise)}\n(models by falling accuracy)")
    axis.figure.colorbar(image, fraction=0.046)


def _sets(size: int) -> str:
    return {2: "pairs", 3: "triples"}.get(size, f"{size} views")
