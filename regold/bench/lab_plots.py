"""The lab's plots: accuracy against noise, sensitivity, confidence, kinds of question, wordings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from regold.bench.plots import Series, bars, figure, histograms, lines, reliability

Row: TypeAlias = Mapping[str, Any]
MAIN = ("vanilla", "SFT", "oracle-clean", "SelfSelect", "NoiseAL", "RobustFT")
SWEEPS = {"beta": ("share kept, %", 50), "k": ("neighbours k", 3), "rounds": ("rounds of reflection", 1)}
"""Settings swept, with RobustFT's own value."""


def draw(summary: Mapping[str, Any], out: Path) -> list[tuple[str, str]]:
    """Draw every plot that the results allow; returns file stems and titles."""
    drawn: list[tuple[str, str]] = []
    rows = [r for r in summary["rows"] if r["kind"] == "symmetric"]
    for part in summary["parts"]:
        drawn += _against_noise(part, rows, out)
    drawn += _sensitivity(rows, out)
    drawn += _sureness(summary["confidence"], out)
    drawn += _surprise(summary["surprise"], out)
    drawn += _questions(summary["questions"], out)
    drawn += _wordings(summary["wordings"], out)
    return drawn


def _against_noise(part: Mapping[str, Any], rows: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    """Draw a part that goes over several rates, once for each of its sets and worlds."""
    drawn = []
    mine = [
        r for r in rows if r["method"] in part["methods"] and r["set"] in part["sets"] and r["noise"] in part["noise"]
    ]
    mine = [r for r in mine if (r["world"] == "home") == (part["worlds"] == "home")]
    for world, set_name in dict.fromkeys((r["world"], r["set"]) for r in mine):
        some = [r for r in mine if (r["world"], r["set"]) == (world, set_name)]
        if len({r["noise"] for r in some}) > 1:
            where = set_name if world == "home" else f"{set_name}-{world}"
            what = "noise" if "vanilla" in part["methods"] else part["name"]
            title = "Accuracy against noise" if what == "noise" else f"RobustFT, {what}"
            drawn.append((f"{what}-{_slug(where)}", f"{title}, {where}"))
            if what != "noise":
                # SFT falls too low for the others to be told apart; the bands are mostly the seeds, which all share.
                some = [r for r in some if r["method"] != "SFT"]
            _two_lines(some, out / drawn[-1][0], drawn[-1][1], bands=what == "noise")
    return drawn


def _two_lines(rows: Sequence[Row], out: Path, title: str, *, bands: bool) -> None:
    with figure(out, size=(9.6, 3.9), columns=2) as axes:
        for place, (key, how) in enumerate((("greedy", "greedy"), ("sampled", "temperature 0.5"))):
            names = list(dict.fromkeys(r["method"] for r in rows))
            others = [name for name in names if name not in MAIN]
            looks = [MAIN.index(name) if name in MAIN else len(MAIN) + others.index(name) for name in names]
            series = [_series(name, rows, key, look, bands) for name, look in zip(names, looks, strict=True)]
            shown = title if place == 0 else ""
            lines(axes[place], series, x="noise, %", y=f"accuracy, {how}", title=shown, legend=place == 1)
            axes[place].set_xticks(sorted({r["noise"] for r in rows}))


def _series(name: str, rows: Sequence[Row], key: str, look: int, bands: bool) -> Series:
    mine = sorted((r for r in rows if r["method"] == name), key=lambda r: r["noise"])
    mean, low, high = ([r[key][part] for r in mine] for part in ("mean", "low", "high"))
    return Series(name, [r["noise"] for r in mine], mean, low if bands else (), high if bands else (), look)


def _sensitivity(rows: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    home = {r["method"]: r for r in rows if (r["world"], r["set"], r["noise"]) == ("home", "atlas-open-x", 50)}
    found = {name: _sweep(name, own, home) for name, (_, own) in SWEEPS.items()}
    found = {name: one for name, one in found.items() if len(one.x) > 1}
    if not found:
        return []
    title = "RobustFT's settings, atlas-open-x, 50 % noise"
    with figure(out / "sensitivity", size=(3.1 * len(found), 3.0), columns=len(found)) as axes:
        for place, (name, one) in enumerate(found.items()):
            ax = axes[place] if len(found) > 1 else axes
            lines(ax, [one], x=SWEEPS[name][0], y="accuracy, greedy", title=title if not place else "", legend=False)
            ax.set_ylim(*_limits(list(found.values())))
    return [("sensitivity", title)]


def _sweep(name: str, own: int, rows: Mapping[str, Row]) -> Series:
    at = {int(m[1]): row for method, row in rows.items() if (m := re.fullmatch(rf"{name} (\d+)(?: %)?", method))}
    if at and "RobustFT" in rows:
        at[own] = rows["RobustFT"]
    values = [at[x]["greedy"] for x in sorted(at)]
    mean, low, high = ([v[part] for v in values] for part in ("mean", "low", "high"))
    return Series("RobustFT", sorted(at), mean, low, high)


def _limits(found: Sequence[Series]) -> tuple[float, float]:
    values = [v for one in found for v in (*one.low, *one.high) if v is not None]
    return min(values) - 0.02, max(values) + 0.02


def _sureness(found: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    here = ("home", "atlas-open-x", "symmetric", "RobustFT")
    mine = [r for r in found if (r["world"], r["set"], r["kind"], r["method"]) == here]
    if not mine:
        return []
    how = "Reliability of exp(-mean NLL) of repairs, atlas-open-x"
    with figure(out / "reliability", size=(5.4, 3.9)) as axes:
        bins = [(r["noise"], r["reliability"]) for r in mine]
        series = [
            Series(f"{noise} % noise", [one["confidence"] for one in some], [one["right"] for one in some])
            for noise, some in bins
        ]
        reliability(axes, series, x="exp(-mean NLL)", title=how)
    row = next((r for r in mine if r["noise"] == 50), mine[-1])
    what = f"Mean NLL of repairs before and after selection, atlas-open-x, {row['noise']} % noise"
    _before_and_after(row, out / "confidence", what)
    return [("reliability", how), ("confidence", what)]


def _surprise(found: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    here = ("home", "atlas-open-x", "symmetric", "RobustFT", 50)
    row = next((r for r in found if (r["world"], r["set"], r["kind"], r["method"], r["noise"]) == here), None)
    if row is None:
        return []
    what = "Mean NLL of the training responses before and after RobustFT, atlas-open-x, 50 % noise"
    _before_and_after(row, out / "surprise", what)
    return [("surprise", what)]


def _before_and_after(row: Row, out: Path, title: str) -> None:
    with figure(out, size=(8.4, 3.2), columns=2) as axes:
        for place, when in enumerate(("before", "after")):
            counts = {name: bins for name, bins in row["counts"].items() if name.endswith(when)}
            shown = title if not place else ""
            histograms(axes[place], counts, row["edges"], x="mean NLL, nats a token", title=shown, log=True)


def _questions(found: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    drawn = []
    here = [
        r for r in found if (r["world"], r["kind"], r["noise"]) == ("home", "symmetric", 50) and r["method"] in MAIN
    ]
    for set_name in dict.fromkeys(r["set"] for r in here):
        rows = [r for r in here if r["set"] == set_name]
        title = f"Accuracy by kind of question, {set_name}, 50 % noise"
        kinds = list(dict.fromkeys(r["question"] for r in rows))
        at = {(r["method"], r["question"]): r["greedy"] for r in rows}
        series = [
            Series(m, kinds, [at.get((m, q)) for q in kinds], look=look)
            for look, m in enumerate(MAIN)
            if any(key[0] == m for key in at)
        ]
        with figure(out / f"questions-{_slug(set_name)}", size=(7.2, 3.4)) as axes:
            bars(axes, series, y="accuracy, greedy", title=title)
        drawn.append((f"questions-{_slug(set_name)}", title))
    return drawn


def _wordings(found: Sequence[Row], out: Path) -> list[tuple[str, str]]:
    rows = [r for r in found if (r["world"], r["kind"], r["noise"]) == ("home", "symmetric", 50)]
    rows = sorted((r for r in rows if r["method"] in MAIN), key=lambda r: MAIN.index(r["method"]))
    rows = [r for r in rows if r["set"] == rows[0]["set"]]
    if not rows:
        return []
    title = f"The same questions in five wordings, {rows[0]['set']}, 50 % noise"
    names = [f"wording {n + 1}" for n in range(len(rows[0]["wordings"]))]
    series = [
        Series(r["method"], [*names, "right in all"], [*r["wordings"], r["right_in_all"]], look=MAIN.index(r["method"]))
        for r in rows
    ]
    with figure(out / "wordings", size=(8.2, 3.4)) as axes:
        bars(axes, series, y="accuracy, greedy", title=title)
    return [("wordings", title)]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
