"""Write the example pages of `regold explain`: one pool of the lab, one run of entp, three records that ended apart.

python benchmarks/explain_examples.py --out docs/examples/explain
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regold.cli.explain import write_page
from regold.lab.arms import PROMPTS
from regold.lab.pool_ground import PoolField, PoolGround
from regold.recipe import load_recipe
from regold.run import Job, Source, run
from regold.store.fates import PastRun, open_run


def main() -> None:
    """Parse the command line, run the recipe, write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "run"
        asyncio.run(fused(Path(folder), root, args.records, args.seed))
        past = open_run(root)
        for name, id_ in chosen(past).items():
            place = write_page(root, id_, args.out / f"{name}.html")
            print(f"{name}: record {id_}, {place}")


async def fused(folder: Path, root: Path, records: int, seed: int) -> None:
    """Run entp on a pool of the lab, without mending alone, so that a refused pair stays as it was."""
    at = PoolField.opened(PoolGround(folder, seed, records))
    recipe = load_recipe("entp", ["fuse.mend=false"], prompts=PROMPTS, seed=seed)
    await run(Job(Source(at.data), recipe, at.specs(), root), lambda step, n: lambda done: None, at.models())
    await at.close()


def chosen(past: PastRun) -> dict[str, str]:
    """Return a record accepted at once, one after template switches, and one refused; the longest story of each."""
    found: dict[str, tuple[int, str]] = {}
    for id_, story in stories(past):
        templates = {v["template"] for v in story["versions"] if v["cycle"] == "merge"}
        kind = {"fused at once": "accepted-at-once", "refused": "refused"}.get(story["outcome"])
        if story["outcome"] == "fused after rounds" and (len(templates) > 1 or "accepted-after-switches" not in found):
            kind = "accepted-after-switches"
        if kind:
            size = len(templates) * 100 + len(story["versions"])
            found[kind] = max(found.get(kind, (-1, "")), (size, id_))
    return {kind: id_ for kind, (_, id_) in sorted(found.items())}


def stories(past: PastRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the ids of leads with their trajectories."""
    for part in past.store.parts():
        ids = past.store.loaded(part, ["id"])["id"].to_pylist()
        for id_, told in zip(ids, past.store.column("fuse.story", part, past.steps), strict=True):
            if told is not None:
                yield id_, json.loads(told)


if __name__ == "__main__":
    main()
