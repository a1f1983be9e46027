"""Writes the lab's results: results.json, results.md with its tables, and the plots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from regold.bench.lab_claims import claims_page
from regold.bench.lab_plots import draw
from regold.bench.tables import markdown, number, percent, pivot, spread
from regold.files import replacing, write_json

Row: TypeAlias = Mapping[str, Any]
Cell: TypeAlias = Callable[[Row], str]

ABOUT = {
    "methods": "Every method at every rate of symmetric noise",
    "quick": "The short version: fewer records, questions and seeds",
    "wordings": "The same questions in five wordings",
    "world": "A second world, with a model of its own",
    "kinds": "Other kinds of noise",
    "sets": "Other sets",
    "ablation": "RobustFT without one of its pieces",
    "sensitivity": "RobustFT's settings",
}


def write_pages(summary: Mapping[str, Any], times: Mapping[str, Any], out: Path) -> None:
    """Write all results into a folder; what the trials took stands apart, for it is never the same twice."""
    write_json(out / "results.json", summary)
    write_json(out / "times.json", times)
    drawn = draw(summary, out)
    with replacing(out / "results.md") as stream:
        stream.write(page(summary, drawn).encode())
    with replacing(out / "times.md") as stream:
        stream.write(times_page(times, summary).encode())


def times_page(times: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """Return the Markdown page of what trials took."""
    blocks = [
        "# What the trials of `regold bench lab` took",
        "Seconds of one core, and by the clock on the machine with all its other work; means over seeds. Answers that "
        "several methods ask for on one set are computed once: the first pays, the others read.",
        f"{times['core_hours']:.2f} core hours, {times['wall_hours_of_workers']:.2f} hours of workers by the clock; a "
        f"worker's largest memory {times['peak_mib_of_a_worker']} MiB.",
    ]
    for part in summary["parts"]:
        for where, rows in _grounds(part, times).items():
            blocks += [f"**{part['name']}, {where}: core / clock**", _table(part, rows, _wall)]
    return "\n\n".join(blocks) + "\n"


def page(summary: Mapping[str, Any], drawn: Sequence[tuple[str, str]] = ()) -> str:
    """Return the Markdown page: one section a part of the grid, then diagnostics, plots and what was left out."""
    asked = summary["asked"]
    blocks = ["# Results of `regold bench lab`", _intro(summary)]
    blocks += claims_page(summary["claims"])
    for part in summary["parts"]:
        blocks += _part(part, summary)
    blocks += [*_surprise(summary), *_diagnostics(summary)]
    if summary["skipped"]:
        head = ("set", "kind", "noise", "method", "seed", "why")
        rows = [[str(one[key]) for key in (*head[:5], "skipped")] for one in summary["skipped"]]
        blocks += ["## Left out", markdown(head, rows)]
    if drawn:
        blocks += ["## Plots", *(f"{title}:\n\n![{title}]({name}.svg)" for name, title in drawn)]
    blocks.append(f"{asked['trials']} of {asked['of']} trials are done.")
    return "\n\n".join(blocks) + "\n"


def _intro(summary: Mapping[str, Any]) -> str:
    asked = summary["asked"]
    train = ", ".join(f"{key} {value}" for key, value in asked["train"].items())
    return (
        f"Exact match on {asked['test']} held-out questions a seed, {asked['seeds']} seeds, {asked['items']} training "
        f"records; {train}. In brackets: 95 % intervals, by a bootstrap that draws seeds and then questions, the same "
        "ones for all methods compared. Recovered is (method - SFT) / (oracle-clean - SFT), from greedy answers; a "
        "dash where the interval of SFT's loss holds 0. Each figure is over the seeds that are done for its method, "
        "SFT and oracle-clean. Nothing here says anything about large models."
    )


def _part(part: Row, summary: Mapping[str, Any]) -> list[str]:
    blocks = [f"## {ABOUT.get(part['name'], part['name'])}"]
    if part["name"] == "wordings":
        return [*blocks, *_wordings(part, summary)]
    grounds = _grounds(part, summary)
    if not grounds:
        return [*blocks, "Not done: `--world FOLDER` gives the world and its model."] if part["name"] == "world" else []
    for where, rows in grounds.items():
        for title, cell in _FIGURES:
            if any(cell(r) != "-" for r in rows):
                blocks += [f"**{where}: {title}**", _table(part, rows, cell)]
    return blocks


def _interval(key: str) -> Cell:
    def cell(row: Row) -> str:
        found = row.get(key)
        return spread(found["mean"], found["low"], found["high"]) if found else "-"

    return cell


def _share(row: Row) -> str:
    found = row.get("greedy_recovered")
    return percent(found["mean"], found["low"], found["high"]) if found else "-"


def _detected(row: Row) -> str:
    d = row.get("detection")
    return " / ".join(number(d[key], 2) for key in ("precision", "recall", "f1", "auroc")) if d else "-"


def _labels(row: Row) -> str:
    r = row.get("relabel")
    return (
        f"{number(r['right_before'], 2)} -> {number(r['right_after'], 2)} ({number(r['nll_auroc'], 2)})" if r else "-"
    )


def _trained(row: Row) -> str:
    return "-" if row["trained"] is None else f"{row['trained']:.0f}, {number(row['labels_right'], 2)} right"


def _cost(row: Row) -> str:
    tokens = (row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0)
    return f"{row['calls']:.0f} / {tokens / 1000:.1f}k" if row["calls"] else "-"


def _wall(row: Row) -> str:
    return f"{row['core_s']:.1f} / {row['wall_s']:.1f}"


_FIGURES: Sequence[tuple[str, Cell]] = (
    ("accuracy, greedy", _interval("greedy")),
    ("accuracy, temperature 0.5", _interval("sampled")),
    ("recovered share", _share),
    ("above SFT, greedy", _interval("greedy_over_sft")),
    ("detection, precision / recall / F1 / AUROC", _detected),
    ("repaired labels right before -> after selection (AUROC of mean NLL for wrong)", _labels),
    ("records trained on, and their labels", _trained),
    ("calls / tokens", _cost),
)


def _rows(part: Row, summary: Mapping[str, Any]) -> list[Row]:
    home = part["worlds"] == "home"
    return [
        r
        for r in summary["rows"]
        if r["set"] in part["sets"]
        and r["kind"] in part["kinds"]
        and r["noise"] in part["noise"]
        and r["method"] in part["methods"]
        and (r["world"] == "home") == home
    ]


def _grounds(part: Row, summary: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows of each set and world; those of several sets at one rate stand side by side."""
    found: dict[str, list[Row]] = {}
    for row in _rows(part, summary):
        where = f"{part['noise'][0]} % noise" if _by_set(part) else row["set"]
        found.setdefault(where if row["world"] == "home" else f"{where}, world {row['world']}", []).append(row)
    return found


def _by_set(part: Row) -> bool:
    return len(part["sets"]) > 1 and len(part["kinds"]) == len(part["noise"]) == 1


def _column(part: Row, row: Row) -> str:
    if _by_set(part):
        return str(row["set"])
    return f"{row['noise']} %" if len(part["kinds"]) == 1 else f"{row['kind']}, {row['noise']} %"


def _table(part: Row, rows: Sequence[Row], cell: Cell) -> str:
    places = [{"noise": n, "kind": k, "set": s} for s in part["sets"] for k in part["kinds"] for n in part["noise"]]
    columns = list(dict.fromkeys(_column(part, place) for place in places))
    cells = {(r["method"], _column(part, r)): cell(r) for r in rows}
    kept = {key: text for key, text in cells.items() if text != "-"}
    return pivot("method", kept, rows=part["methods"], columns=columns)


def _wordings(part: Row, summary: Mapping[str, Any]) -> Iterable[str]:
    rows = [r for r in summary["wordings"] if r["method"] in part["methods"] and r["noise"] in part["noise"]]
    rows = [r for r in rows if r["kind"] == "symmetric"]
    frames = max((len(r["wordings"]) for r in rows), default=0)
    head = ["method", *(f"wording {n + 1}" for n in range(frames)), "spread", "right in all", "right in any"]
    order = {name: place for place, name in enumerate(part["methods"])}
    body = [
        [r["method"], *(number(v) for v in (*r["wordings"], r["spread"], r["right_in_all"], r["right_in_any"]))]
        for r in sorted(rows, key=lambda r: order[r["method"]])
    ]
    return [markdown(head, body)]


def _surprise(summary: Mapping[str, Any]) -> list[str]:
    """Return the perplexity of the training responses under the untrained model, before and after repair."""
    found = [r for r in summary["surprise"] if r["method"] == "RobustFT" and r["world"] == "home"]
    head = ("set", "noise", "responses as given", "responses trained on")
    body = [
        [r["set"], f"{r['kind']}, {r['noise']} %", *(number(r["perplexity"][when], 2) for when in ("before", "after"))]
        for r in found
    ]
    return ["## Perplexity of the responses, RobustFT", markdown(head, body)] if body else []


def _diagnostics(summary: Mapping[str, Any]) -> list[str]:
    found = [r for r in summary["questions"] if r["noise"] == 50 and r["kind"] == "symmetric" and r["world"] == "home"]
    main = {"SFT", "vanilla", "oracle-clean", "RobustFT", "SelfSelect", "NoiseAL"}
    blocks: list[str] = []
    for set_name in dict.fromkeys(r["set"] for r in found):
        rows = [r for r in found if r["set"] == set_name and r["method"] in main]
        cells = {(r["method"], r["question"]): number(r["greedy"]) for r in rows}
        columns = list(dict.fromkeys(r["question"] for r in rows))
        table = pivot("method", cells, rows=list(dict.fromkeys(r["method"] for r in rows)), columns=columns)
        blocks += [f"**{set_name}, by kind of question, 50 % noise**", table]
    return ["## By kind of question", *blocks] if blocks else []
