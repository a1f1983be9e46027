"""Write the example pages of `regold explain`: one pool of the lab, one run of entp, three records that ended apart.

Beside them stands README.md with what `regold produced` and `regold explain` tell of the whole run.

python benchmarks/explain_examples.py --out docs/examples/explain
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regold.bench.tables import markdown, number
from regold.cli.explain import write_page
from regold.files import replacing
from regold.formats import Source
from regold.lab.arms import PROMPTS
from regold.lab.pool_ground import PoolField, PoolGround
from regold.recipe import load_recipe
from regold.report.pool import summarize
from regold.report.produced import made, summarize_produced
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
            if not sets:
                with replacing(args.out / "README.md") as stream:
                    stream.write(whole(open_run(root), args.records, args.seed).encode())
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
    blind = ("produced.rater=rater", "produced.asks=rate")
    recipe = load_recipe("entp", [*sets, *blind, "fuse.mend=false"], prompts=PROMPTS, seed=seed)
    await run(Job(Source(at.data), recipe, at.specs(), root), lambda step, n: lambda done: None, at.models())
    await at.close()


def whole(past: PastRun, records: int, seed: int) -> str:
    """Return a page of figures: what the audit found in what was made, and how the loop went."""
    told, found = summarize(past, covered=False), summarize_produced(list(made(past)), seed)
    fates = ", ".join(f"{n} {fate}" for fate, n in told["fates"].items())
    means = {name: number(value, 2) for name, value in found["mean"].items()}
    rounds = [
        [
            *(str(one[key]) for key in ("cycle", "round", "versions", "accepted", "unread")),
            number(one["accepted"] / one["versions"], 2),
            *losses(one["mean_loss"]),
        ]
        for one in told["fusion"]["rounds"]
    ]
    loss = ("major faults", "minor faults", "not covered")
    blocks = [
        "# One run of entp",
        "`python benchmarks/explain_examples.py --out docs/examples/explain`: the recipe `entp` without mending alone, "
        f"on a pool of {records} records (seed {seed}), by lab-fuse: {fates}. Pairs that ended apart have pages: "
        + ", ".join(f"[{kind}]({kind}.html)" for kind in KINDS)
        + "; where this run holds none of a kind, its page comes from one with random pairs or without the loop.",
        "## What was made (`regold produced RUN`)",
        f"{found['made']} records, {found['sound']} without a finding, {found['taken_out']} taken out. Means:",
        markdown(tuple(means), [tuple(means.values())]),
        markdown(("finding", "records"), [(name, str(n)) for name, n in found["found"].items()] or [("none", "0")]),
        *judged(found["second_rater"]),
        "## How the loop went (`regold explain RUN`)",
        markdown(("cycle", "round", "versions", "accepted", "unread", "share accepted", *loss), rounds),
        markdown(("why a cycle stopped", "pairs"), [(why, str(n)) for why, n in told["fusion"]["stopped"].items()]),
    ]
    return "\n\n".join(blocks) + "\n"


def losses(mean: Sequence[float] | None) -> list[str]:
    """Return the parts of a mean loss."""
    return [number(value, 2) for value in mean] if mean else ["-"] * 3


def judged(second: Mapping[str, Any] | None) -> list[str]:
    """Return what a blind second rating says: here the same model in the role of the rater, not another engine."""
    if second is None:
        return []
    low, high = second["interval"]
    return [
        f"Correctness 1-10 by a blind second rating, which the same model gives in the role of the rater: parents "
        f"{second['before']:.2f}, product {second['after']:.2f}, difference {second['difference']:+.2f} "
        f"[{low:+.2f}, {high:+.2f}] over {second['records']} records."
    ]


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
