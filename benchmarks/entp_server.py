"""Run entp end to end against vLLM serving lab-fuse: a pool of the lab, every fused record's story, what it cost.

python benchmarks/entp_server.py --python VLLM_PYTHON --into FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.serve_vllm import serving
from regold.cli.explain import write_page
from regold.lab.pool import pool, pool_world, write_pool
from regold.lab.pool_ground import MODEL
from regold.store.fates import open_run

SETTINGS = ("fuse.max_tokens=192", "rate.max_tokens=192")
"""A server refuses what prompt and answer together cannot hold: the model reads 512 tokens."""


def main() -> None:
    """Parse the command line, serve, run, explain, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=os.environ.get("REGOLD_VLLM_PYTHON"), required=False)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--records", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not args.python:
        sys.exit("give --python or set REGOLD_VLLM_PYTHON: the interpreter of the environment that has vLLM")
    args.into.mkdir(parents=True, exist_ok=True)
    data, root = args.into / "pool.jsonl", args.into / "run"
    write_pool(data, pool(pool_world(0), args.records, args.seed))
    with serving(MODEL, args.python, "lab-fuse") as url:
        began = time.monotonic()
        found = {**_run(data, root, url), "seconds": round(time.monotonic() - began, 1)}
        found |= {"cpu_seconds": round(_spent(), 1), "cpu_seconds_server": _running()}
    found |= _explained(root, args.into / "explain")
    print(json.dumps(found, indent=1))


def _run(data: Path, root: Path, url: str) -> dict[str, Any]:
    """Run the recipe as a user does and return its report."""
    regold = str(Path(sys.executable).with_name("regold"))
    command = [regold, "run", "entp", str(data), "--into", str(root), "--model", "lab-fuse", "--base-url", url]
    command += ["--prompts", "lab", "--encoder", "lab", "--json"]
    command += [part for setting in SETTINGS for part in ("--set", setting)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _spent() -> float:
    """Return the CPU seconds of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _running() -> int:
    """Return the CPU seconds so far of the processes that were started here and still run: the server's."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,cputimes="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    ours, seconds = {os.getpid()}, 0
    for _ in rows:
        found = [(pid, used) for pid, parent, used in rows if parent in ours and pid not in ours]
        ours |= {pid for pid, _ in found}
        seconds += sum(used for _, used in found)
    return seconds


def _explained(root: Path, out: Path) -> dict[str, Any]:
    """Write the page of every record that led a pair; count how their stories ended."""
    past = open_run(root)
    outcomes: Counter[str] = Counter()
    pages = 0
    for part in past.store.parts():
        ids = past.store.loaded(part, ["id"])["id"].to_pylist()
        for id_, outcome in zip(ids, past.store.column("fuse.outcome", part, past.steps), strict=True):
            if outcome is not None:
                outcomes[outcome] += 1
                page = write_page(root, id_, out / f"{id_}.html")
                pages += outcome in page.read_text(encoding="utf-8")
    return {"outcomes": dict(outcomes), "pages_that_tell_the_outcome": pages}


if __name__ == "__main__":
    main()
