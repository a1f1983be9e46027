"""Times five text filters with exact deduplication, and near duplicates, in Regold, Data-Juicer and datatrove.

    python benchmarks/audit_speed.py DATA.jsonl --data-juicer ENV --datatrove ENV --json OUT [--page OUT.md]

DATA holds alpaca records, uncompressed; every 50th stands in what is read once more under another id. ENV is a virtual
environment with that tool. Every tool reads the same texts (instruction, input and response, one below the other) in
one process and writes what it keeps or finds. Told is the processor time of the whole command with its children, start
included: on a busy machine it says more than the time that passed. Ends with 1 where a tool and Regold's filters of
the same definition flag too different records: then it was not the same work.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TWICE = 50
"""Every so many records one stands there again."""
AGREED = 0.85
"""The share of the records flagged by either that both must flag."""
COMMON = ["words=5..4000"]
LIKE = {
    "data-juicer": [*COMMON, "characters=10..20000", "alphanumeric=0.5..", "special=..0.5", "repeated=..0.3"],
    "datatrove": [*COMMON, "word-length=3..10", "symbols=..0.1", "lettered=0.8..", "repeated-characters=..0.15"],
}

DATA_JUICER = """
dataset_path: {source}
export_path: {out}/kept.jsonl
np: 1
text_keys: text
open_tracer: false
use_cache: false
process:
"""
FILTERS = """
  - words_num_filter: {min_num: 5, max_num: 4000}
  - text_length_filter: {min_len: 10, max_len: 20000}
  - alphanumeric_filter: {min_ratio: 0.5}
  - special_characters_filter: {max_ratio: 0.5}
  - word_repetition_filter: {rep_len: 5, max_ratio: 0.3}
  - document_deduplicator: {}
"""
NEAR = """
  - document_minhash_deduplicator: {window_size: 3, num_permutations: 64, jaccard_threshold: 0.8}
"""
DATATROVE = {"spaces": "filters, words at spaces", "english": "filters, its English words", "near": "near duplicates"}
PAIRS = (
    ("filters like data-juicer", "data-juicer, filters", True),
    ("filters like datatrove", "datatrove, filters, words at spaces", True),
    ("filters like datatrove", "datatrove, filters, its English words", False),
    ("near duplicates", "data-juicer, near duplicates", False),
    ("near duplicates", "datatrove, near duplicates", False),
)
"""A run of Regold, the peer's run beside it, and whether both must flag the same records."""


def prepare(data: Path, records: int, folder: Path) -> list[str]:
    """Write the records and their texts, some twice; return all ids."""
    rows = [json.loads(line) for line in data.open(encoding="utf-8")][: records or None]
    rows = [{**row, "id": str(number)} for number, row in enumerate([*rows, *rows[::TWICE]])]
    texts = ("\n".join(t for t in (r["instruction"], r.get("input"), r["output"]) if t) for r in rows)
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    (folder / "alpaca.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lines = (json.dumps({"text": text, "id": row["id"]}) + "\n" for text, row in zip(texts, rows, strict=True))
    (folder / "texts" / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
    return [row["id"] for row in rows]


def spent(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command; return its processor time, the time that passed and its peak memory in MB."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **offline}, stdout=log, stderr=log, cwd=folder)
        _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)}\n{(folder / 'log').read_text()[-4000:]}")
    cpu = used.ru_utime + used.ru_stime
    return {"cpu_s": round(cpu, 1), "passed_s": round(time.monotonic() - began, 1), "peak_mb": used.ru_maxrss // 1024}


def commands(asked: argparse.Namespace, folder: Path) -> dict[str, tuple[list[str], Path]]:
    """Return every run: its command, and where it tells what it found or kept."""
    main = [sys.executable, "-c", "from regold.cli import main; main()", "audit", str(folder / "alpaca.jsonl")]
    runs: dict[str, tuple[list[str], Path]] = {}
    wanted = {f"filters like {peer}": ("exact-duplicate", limits) for peer, limits in LIKE.items()}
    for name, (check, limits) in (wanted | {"near duplicates": ("near-duplicate", [])}).items():
        out = folder / name.replace(" ", "-")
        words = ["--workers", "1", "--checks", check, "--out", str(out)]
        runs[name] = [*main, *words, *(w for x in limits for w in ("--limit", f"record.{x}"))], out / "findings.jsonl"
    if asked.data_juicer:
        for name, what in (("filters", FILTERS), ("near duplicates", NEAR)):
            out = folder / f"dj-{name[:4]}"
            out.mkdir(exist_ok=True)
            config = DATA_JUICER.format(source=folder / "texts" / "texts.jsonl", out=out) + what.strip("\n") + "\n"
            (out / "config.yaml").write_text(config)
            command = [str(asked.data_juicer / "bin" / "dj-process"), "--config", str(out / "config.yaml")]
            runs[f"data-juicer, {name}"] = command, out / "kept.jsonl"
    if asked.datatrove:
        script = [
            str(asked.datatrove / "bin" / "python"),
            str(Path(__file__).with_name("audit_datatrove.py").resolve()),
        ]
        named = {
            "english": "filters, its English words",
            "spaces": "filters, words at spaces",
            "near": "near duplicates",
        }
        for what, name in named.items():
            out = folder / f"dt-{what}"
            command = [*script, str(folder / "texts"), str(out), what]
            runs[f"datatrove, {name}"] = command, out / "kept" / "00000.jsonl"
    return {name: run for name, run in runs.items() if asked.what in name}


def flagged(file: Path, ids: list[str]) -> set[str]:
    """Return the ids that a file of findings names, or that a file of what was kept does not."""
    there = {str(json.loads(line)["id"]) for line in file.open(encoding="utf-8")}
    return there if file.name == "findings.jsonl" else set(ids) - there


def version(environment: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.check_output([str(environment / "bin" / "python"), "-c", code], text=True).strip()


def kept_as(name: str) -> str:
    """Return the name of the file that keeps what a run spent."""
    return f"{name.replace(' ', '-')}.json"


def told(name: str, command: list[str], folder: Path) -> dict[str, float]:
    """Return what a command spent, from the folder where it ran before."""
    kept = folder / kept_as(name)
    if not kept.exists():
        found = spent(command, folder)
        kept.write_text(json.dumps(found))
        print(folder.name, name, found, flush=True)
    figures: dict[str, float] = json.loads(kept.read_text())
    return figures


def measured(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run all on all records, and on few for the start; return the figures."""
    ids = prepare(asked.data, asked.records, folder / "all")
    prepare(asked.data, 10, folder / "few")
    runs: dict[str, Any] = {}
    found: dict[str, set[str]] = {}
    for name, (command, out) in commands(asked, folder / "all").items():
        if asked.finished and not (folder / "all" / kept_as(name)).exists():
            continue
        runs[name] = told(name, command, folder / "all")
        found[name] = flagged(out, ids)
        runs[name]["flagged"] = len(found[name])
    for name, (command, _) in commands(asked, folder / "few").items():
        if not asked.finished or (folder / "few" / kept_as(name)).exists():
            runs[name]["start_cpu_s"] = told(name, command, folder / "few")["cpu_s"]
    beside = []
    for own, peer, same in PAIRS:
        if peer in runs and own in runs:
            both, either = len(found[own] & found[peer]), len(found[own] | found[peer])
            ratio = round(runs[peer]["cpu_s"] / runs[own]["cpu_s"], 1)
            pair = {"regold": own, "peer": peer, "times": ratio, "both": both, "either": either}
            beside.append(pair | {"agree": round(both / either, 3), "must_agree": same})
    versions = {"data-juicer": (asked.data_juicer, "py-data-juicer"), "datatrove": (asked.datatrove, "datatrove")}
    of_peers = {name: version(place, package) for name, (place, package) in versions.items() if place}
    return {"records": len(ids), "versions": of_peers, "runs": runs, "beside": beside}


def page(figures: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    rows = [(n, r["cpu_s"], r.get("start_cpu_s", "-"), r["peak_mb"], r["flagged"]) for n, r in figures["runs"].items()]
    pairs = [(p["regold"], p["peer"], p["times"], p["both"], p["either"], p["agree"]) for p in figures["beside"]]
    return "\n".join(
        [
            "# Speed of the text filters beside other tools",
            "",
            f"`benchmarks/audit_speed.py` writes this page. {figures['records']} records, {versions}; one process "
            "each, one run. Processor time of the whole command in seconds, start included, and of the start alone "
            "(ten records); peak memory in MB. Runs without a tool's name are Regold's.",
            "",
            *table(("run", "CPU s", "start", "MB", "flagged"), rows),
            "",
            "Beside each other: how many times the processor time of Regold's run the other takes, and whom both flag.",
            "",
            *table(("Regold", "other", "times", "both", "either", "agree"), pairs),
            "",
        ]
    )


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    """Return the lines of a table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines]


def main() -> int:
    """Time the tools that are given, write the figures, and tell whether the work was the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--records", type=int, default=0, help="only so many of them")
    parser.add_argument("--data-juicer", type=Path, help="its virtual environment")
    parser.add_argument("--datatrove", type=Path, help="its virtual environment")
    parser.add_argument("--what", choices=("filters", "near"), default="", help="only the runs of one kind")
    parser.add_argument("--into", type=Path, help="where finished runs are kept: the same command goes on")
    parser.add_argument("--finished", action="store_true", help="start nothing: tell of the runs that --into holds")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--page", type=Path, help="also write the figures as Markdown")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = measured(asked, (asked.into or Path(name)).resolve())
    asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    if asked.page:
        asked.page.write_text(page(figures))
    unlike = [p for p in figures["beside"] if p["must_agree"] and p["agree"] < AGREED]
    for pair in unlike:
        print(f"not the same work: {pair}", file=sys.stderr)
    return 1 if unlike else 0


if __name__ == "__main__":
    sys.exit(main())
