"""Times five text filters and exact deduplication in Regold, Data-Juicer and datatrove, each in its own environment.

    python benchmarks/audit_speed.py DATA.jsonl --datatrove ENV/bin/python --data-juicer ENV/bin/dj-process --json OUT

DATA holds alpaca records, uncompressed. Every tool reads the same texts (instruction, input and response below each
other), applies its own form of each filter in one process, and writes what it found. The time told is the processor
time of the command and its children, start included: on a busy machine it says more than the time that passed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMON = ["words=5..4000", "repeated=..0.3"]
LIKE_DATA_JUICER = ["characters=10..20000", "alphanumeric=0.5..", "special=..0.5", *COMMON]
LIKE_DATATROVE = ["word-length=2..12", "symbols=..0.1", "lettered=0.5..", *COMMON]

DATA_JUICER = """
dataset_path: {source}
export_path: {out}/kept.jsonl
np: 1
text_keys: text
open_tracer: false
use_cache: false
process:
  - text_length_filter: {{min_len: 10, max_len: 20000}}
  - words_num_filter: {{min_num: 5, max_num: 4000}}
  - alphanumeric_filter: {{min_ratio: 0.5}}
  - special_characters_filter: {{max_ratio: 0.5}}
  - word_repetition_filter: {{rep_len: 5, max_ratio: 0.3}}
  - document_deduplicator: {{}}
"""

DATATROVE = """
import sys
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import exact_dedup as exact
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

source, out = sys.argv[1:3]
config = exact.ExactDedupConfig(content_getter=lambda document: document.text.encode())
quality = GopherQualityFilter(
    min_doc_words=5, max_doc_words=4000, min_avg_word_length=2, max_avg_word_length=12, max_symbol_word_ratio=0.1,
    max_bullet_lines_ratio=None, max_ellipsis_lines_ratio=None, max_non_alpha_words_ratio=0.5, min_stop_words=None)
repetition = GopherRepetitionFilter(None, None, None, None, top_n_grams=(), dup_n_grams=((5, 0.3),))


def step(number, *blocks):
    LocalPipelineExecutor(pipeline=list(blocks), tasks=1, workers=1, logging_dir=f"{out}/log{number}").run()


def writer(name):
    return JsonlWriter(f"{out}/{name}", output_filename="${rank}.jsonl", compression=None)


if __name__ == "__main__":
    read = JsonlReader(source, glob_pattern="*.jsonl")
    step(1, read, quality, repetition, writer("filtered"), exact.ExactDedupSignature(f"{out}/signatures", config))
    step(2, exact.ExactFindDedups(f"{out}/signatures", f"{out}/found", config))
    again = JsonlReader(f"{out}/filtered", glob_pattern="*.jsonl")
    step(3, again, exact.ExactDedupFilter(f"{out}/found", config), writer("kept"))
"""


def spent(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command; return its processor time, the time that passed and its peak memory in MB."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, env={**os.environ, **offline}, capture_output=True, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": round(used, 2), "passed_s": round(time.monotonic() - began, 1)}


def lines(file: Path) -> int:
    """Count the lines of a file."""
    return sum(1 for _ in file.open("rb")) if file.exists() else 0


def regold(data: Path, folder: Path, *words: str) -> list[str]:
    """Return the command of an audit in one process."""
    main = "from regold.cli import main; main()"
    return [sys.executable, "-c", main, "audit", str(data), "--workers", "1", "--out", str(folder), *words]


def main() -> None:
    """Time the tools that are given and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--records", type=int, default=0, help="only so many of them")
    parser.add_argument("--datatrove", type=Path, help="the python of its environment")
    parser.add_argument("--data-juicer", type=Path, help="dj-process of its environment")
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [json.loads(line) for line in asked.data.open(encoding="utf-8")][: asked.records or None]
        own, texts = folder / "alpaca.jsonl", folder / "texts" / "texts.jsonl"
        texts.parent.mkdir()
        own.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        joined = ("\n".join(t for t in (r["instruction"], r.get("input"), r["output"]) if t) for r in rows)
        texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in joined), encoding="utf-8")
        found: dict[str, object] = {"records": len(rows)}
        for peer, limits in (("data-juicer", LIKE_DATA_JUICER), ("datatrove", LIKE_DATATROVE)):
            words = [w for limit in limits for w in ("--limit", f"record.{limit}")]
            told = spent(regold(own, folder / peer, "--checks", "exact-duplicate", *words), folder)
            flagged = json.loads((folder / peer / "summary.json").read_text())["flagged"]
            found[f"regold, filters like {peer}"] = told | {"kept": len(rows) - flagged}
        near = regold(own, folder / "near", "--checks", "near-duplicate")
        found["regold, near duplicates"] = spent(near, folder)
        if asked.datatrove:
            script = folder / "datatrove_filters.py"
            script.write_text(DATATROVE)
            told = spent([str(asked.datatrove), str(script), str(texts.parent), str(folder / "dt")], folder)
            found["datatrove"] = told | {"kept": lines(folder / "dt" / "kept" / "00000.jsonl")}
        if asked.data_juicer:
            config = folder / "data_juicer.yaml"
            config.write_text(DATA_JUICER.format(source=texts, out=folder / "dj"))
            told = spent([str(asked.data_juicer), "--config", str(config)], folder)
            found["data-juicer"] = told | {"kept": lines(folder / "dj" / "kept.jsonl")}
    asked.json.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
