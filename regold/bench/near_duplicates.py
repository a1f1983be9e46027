"""Measures how well near duplicates are found: generated texts with edited copies, exact Jaccard as truth, a peer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from datasketch import MinHash, MinHashLSH

from regold.bench.audit import wilson
from regold.bench.tables import markdown, number, spread
from regold.files import replacing
from regold.methods.similar import SHINGLE, near_duplicates, sketch, spaced

THRESHOLD = 0.8
EDITS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.4)
"""Shares of the words that are replaced, left out or followed by another in a copy; its records go round."""
PERMUTATIONS = (64, 128, 256)
"""Of the peer; Regold's own are fixed."""
_MOULD = (
    "Name river number {0} on the way to Paris. River number {0} rises in the hills, flows to the sea and is {1} long."
)
_LETTERS = "bcdfgklmnprst"

Found = Mapping[int, Sequence[int]]
"""By row: the earlier rows that it is said to repeat."""


def planted(originals: int, seed: int = 0) -> tuple[list[str], list[int]]:
    """Return texts and for each the row it is an edited copy of, or -1; a tenth more texts come from one mould.

    Texts have 8 to 400 words, one in twenty up to 3,000, of a vocabulary whose frequencies fall as in a language.
    """
    random = Random(seed)
    vocabulary = [f"{_syllable(random)}{_syllable(random)}{n}" for n in range(4000)]
    weights = [1 / (n + 3) for n in range(len(vocabulary))]
    sizes = [int(8 * 50 ** random.random()) if n % 20 else random.randrange(500, 3000) for n in range(originals)]
    firsts = [random.choices(vocabulary, weights, k=size) for size in sizes]
    copies = [_edited(words, EDITS[n % len(EDITS)], vocabulary, random) for n, words in enumerate(firsts)]
    moulds = [_MOULD.format(random.randrange(10_000), random.choice(vocabulary)) for _ in range(originals // 10)]
    texts = [*(" ".join(words) for words in [*firsts, *copies]), *moulds]
    return texts, [*[-1] * originals, *range(originals), *[-1] * len(moulds)]


def _syllable(random: Random) -> str:
    return random.choice(_LETTERS) + random.choice("aeiou")


def _edited(words: Sequence[str], share: float, vocabulary: Sequence[str], random: Random) -> list[str]:
    edited: list[str] = []
    for word in words:
        if random.random() >= share:
            edited.append(word)
        elif (kind := random.randrange(3)) < 2:  # another word, with or without the old one before it
            edited += [word, random.choice(vocabulary)] if kind else [random.choice(vocabulary)]
    return edited


def runs(text: str) -> frozenset[str]:
    """Return the distinct runs of three words; of a shorter text all its words."""
    words = spaced(text).split()
    return frozenset(" ".join(words[n : n + SHINGLE]) for n in range(max(1, len(words) - SHINGLE + 1)))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard similarity."""
    return len(one & other) / len(one | other)


def exactly(texts: Sequence[frozenset[str]], threshold: float) -> Found:
    """Return what a comparison of every text with every earlier one finds; a repeated text is no original."""
    holders: dict[str, list[int]] = defaultdict(list)
    found: dict[int, list[int]] = {}
    for row, text in enumerate(texts):
        shared = Counter(other for run in text for other in holders[run])
        alike = [other for other, n in shared.items() if n >= threshold * (len(text) + len(texts[other]) - n)]
        if alike:
            found[row] = sorted(alike)
            continue
        for run in text:
            holders[run].append(row)
    return found


def by_peer(texts: Sequence[frozenset[str]], threshold: float, permutations: int) -> Found:
    """Return what datasketch's MinHashLSH finds, asked before each text is put in."""
    index = MinHashLSH(threshold=threshold, num_perm=permutations)
    found: dict[int, list[int]] = {}
    for row, text in enumerate(texts):
        drawn = MinHash(num_perm=permutations)
        drawn.update_batch([run.encode() for run in text])
        if alike := index.query(drawn):
            found[row] = sorted(alike)
        else:
            index.insert(row, drawn)
    return found


def bench_near_duplicates(
    originals: int = 2000, seed: int = 0, threshold: float = THRESHOLD, peers: Sequence[int] = PERMUTATIONS
) -> dict[str, Any]:
    """Return precision and recall of each tool, and what share it finds of the copies of each likeness."""
    texts, source = planted(originals, seed)
    cut = [runs(text) for text in texts]
    truth = exactly(cut, threshold)
    tools: dict[str, Callable[[], Found]] = {
        "regold": lambda: {row: [first] for row, first in near_duplicates(sketch(texts), threshold).items()},
        **{f"datasketch, {n} permutations": partial(by_peer, cut, threshold, n) for n in peers},
    }
    found = {name: find() for name, find in tools.items()}
    pairs = [(row, likeness(cut[row], cut[first])) for row, first in enumerate(source) if first >= 0]
    return {
        "texts": len(texts),
        "copies": len(pairs),
        "threshold": threshold,
        "seed": seed,
        "true": len(truth),
        "tools": [{"tool": name, **_rated(at, truth, cut, threshold)} for name, at in found.items()],
        "by_likeness": [_between(low / 20, (low + 1) / 20, pairs, found) for low in range(8, 20)],
    }


def _rated(found: Found, truth: Found, cut: Sequence[frozenset[str]], threshold: float) -> dict[str, Any]:
    right = sum(any(likeness(cut[row], cut[other]) >= threshold for other in found[row]) for row in found)
    there = len(truth.keys() & found.keys())
    return {
        "found": len(found),
        "right": right,
        "precision": right / len(found) if found else None,
        "precision_interval": wilson(right, len(found)) if found else (None, None),
        "recall": there / len(truth) if truth else None,
        "recall_interval": wilson(there, len(truth)) if truth else (None, None),
    }


def _between(low: float, high: float, pairs: Sequence[tuple[int, float]], found: Mapping[str, Found]) -> dict[str, Any]:
    rows = [row for row, alike in pairs if low <= alike < high or alike == high == 1]
    share = {name: sum(row in at for row in rows) / len(rows) if rows else None for name, at in found.items()}
    return {"from": low, "to": high, "copies": len(rows), "found": share}


def near_duplicates_page(found: Mapping[str, Any]) -> str:
    """Return the figures as a page in Markdown."""
    names = [at["tool"] for at in found["tools"]]
    rated = [
        (
            at["tool"],
            spread(at["precision"], *at["precision_interval"]),
            spread(at["recall"], *at["recall_interval"]),
            str(at["found"]),
            str(at["right"]),
        )
        for at in found["tools"]
    ]
    bins = [
        (
            f"{number(at['from'], 2)} to {number(at['to'], 2)}",
            str(at["copies"]),
            *(number(at["found"][n]) for n in names),
        )
        for at in found["by_likeness"]
    ]
    return "\n".join(
        [
            "# Near duplicates: planted copies, exact Jaccard as truth",
            "",
            f"`regold bench near-duplicates` writes this page: {found['texts']} generated texts, {found['copies']} of "
            f"them copies with 0 to 40 % of the words edited, some from one mould. Alike are texts whose runs of "
            f"{SHINGLE} words have a Jaccard similarity of {found['threshold']} with an earlier one that is itself no "
            f"copy: {found['true']}. datasketch is its MinHashLSH at that threshold, which answers without comparing.",
            "",
            markdown(("", "precision", "recall", "found", "right"), rated),
            "",
            "The share found of the copies that are so alike to their original:",
            "",
            markdown(("Jaccard", "copies", *names), bins),
            "",
        ]
    )


def write_near_duplicates(found: Mapping[str, Any], out: Path) -> None:
    """Write near_duplicates.md into a folder."""
    with replacing(out / "near_duplicates.md") as stream:
        stream.write(near_duplicates_page(found).encode())
