"""Write the example pages of `regold explain`: one pool of the lab, one run of entp, three records that ended apart.

python benchmarks/explain_examples.py --out docs/examples/explain
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from regold.cli.explain import write_page
from regold.formats import Source
from regold.lab.arms import PROMPTS
from regold.lab.pool_ground import PoolField, PoolGround
from regold.recipe import load_recipe
from regold.run import Job, run
from regold.store.fates import PastRun, open_run

SETTINGS = ((), ("pair.how=random",), ("fuse.rounds=0",))
"""The recipe is tried with these in turn, until every kind of ending was met."""
KINDS = ("accepted-at-once", "accepted-after-switches", "refused")


def main() -> None:
    """Parse the command line, run the recipe, write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    missing = set(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        for number, sets in enumerate(SETTINGS):
            root = Path(folder) / f"run-{number}"
            asyncio.run(fused(Path(folder), root, sets, args.records, args.seed))
            for kind, id_ in chosen(open_run(root)).items():
                if kind in missing:
                    missing.remove(kind)
                    place = write_page(root, id_, args.out / f"{kind}.html")
                    place.write_text(place.read_text().replace(f"{folder}/", ""))
                    print(f"{kind}: {' '.join(sets)} record {id_}, {place}")
            if not missing:
                break
    for kind in sorted(missing):
        print(f"{kind}: none was met")


async def fused(folder: Path, root: Path, sets: Sequence[str], records: int, seed: int) -> None:
    """Run entp on a pool of the lab, without mending alone, so that a refused pair stays as it was."""
    at = PoolField.opened(PoolGround(folder, seed, records))
    recipe = load_recipe("entp", [*sets, "fuse.mend=false"], prompts=PROMPTS, seed=seed)
    await run(Job(Source(at.data), recipe, at.specs(), root), lambda step, n: lambda done: None, at.models())
    await at.close()


def chosen(past: PastRun) -> dict[str, str]:
    """Return the record of the longest story for each kind of ending there is."""
    found: dict[str, tuple[int, str]] = {}
    for id_, story in stories(past):
        kind = dict(zip(("fused at once", "fused after rounds", "refused"), KINDS, strict=True)).get(story["outcome"])
        if kind:
            templates = {v["template"] for v in story["versions"]}
            found[kind] = max(found.get(kind, (-1, "")), (10 * len(templates) + len(story["versions"]), id_))
    return {kind: id_ for kind, (_, id_) in found.items()}


def stories(past: PastRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the ids of leads with their trajectories."""
    for part in past.store.parts():
        ids = past.store.loaded(part, ["id"])["id"].to_pylist()
        for id_, told in zip(ids, past.store.column("fuse.story", part, past.steps), strict=True):
            if told is not None:
                yield id_, json.loads(told)


if __name__ == "__main__":
    main()
