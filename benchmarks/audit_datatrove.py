"""Runs datatrove's part of `audit_speed.py`, under the Python of datatrove's environment.

    ENV/bin/python benchmarks/audit_datatrove.py TEXTS OUT english|spaces|near

TEXTS is a folder with a .jsonl file of ids and texts; what is kept goes to OUT/kept. `english` splits words as
datatrove does by itself, `spaces` at white space only, as Regold does; `near` removes near duplicates instead.
The environment needs xxhash below 4, which this datatrove's hashes were written for.
"""

from __future__ import annotations

import shutil
import sys
from typing import Any

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import exact_dedup as exact
from datatrove.pipeline.dedup import minhash
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.word_tokenizers import WordTokenizer


class Spaces(WordTokenizer):
    """Splits words at white space."""

    def word_tokenize(self, text: str) -> list[str]:
        """Return the words."""
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        """Return the text: no filter here asks for sentences."""
        return [text]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Return the whole text: no filter here asks for sentences."""
        return [(0, len(text))]


def step(out: str, number: int, *blocks: Any, tasks: int = 1) -> None:
    """Run one pipeline in this process, its tasks one after the other."""
    LocalPipelineExecutor(pipeline=list(blocks), tasks=tasks, workers=1, logging_dir=f"{out}/log{number}").run()


def filters(source: str, out: str, language: Any) -> None:
    """Apply Gopher's filters, then exact deduplication, which takes three pipelines."""
    config = exact.ExactDedupConfig(content_getter=lambda document: document.text.encode())
    quality = GopherQualityFilter(
        min_doc_words=5,
        max_doc_words=4000,
        min_avg_word_length=3,
        max_avg_word_length=10,
        max_symbol_word_ratio=0.1,
        max_bullet_lines_ratio=None,
        max_ellipsis_lines_ratio=None,
        max_non_alpha_words_ratio=0.8,
        min_stop_words=None,
        language=language,
    )
    repetition = GopherRepetitionFilter(
        None, None, None, None, top_n_grams=(), dup_n_grams=((5, 0.15),), language=language
    )
    signature = exact.ExactDedupSignature(f"{out}/signatures", config)
    step(out, 1, reader(source), quality, repetition, writer(out, "filtered"), signature)
    step(out, 2, exact.ExactFindDedups(f"{out}/signatures", f"{out}/found", config))
    step(out, 3, reader(f"{out}/filtered"), exact.ExactDedupFilter(f"{out}/found", config), writer(out, "kept"))


def near(source: str, out: str) -> None:
    """Remove near duplicates: datatrove's own 14 bands of 8 values, over runs of three words."""
    config = minhash.MinhashConfig(n_grams=3)
    step(out, 1, reader(source), minhash.MinhashDedupSignature(f"{out}/signatures", config=config))
    buckets = minhash.MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)
    step(out, 2, buckets, tasks=config.num_buckets)
    step(out, 3, minhash.MinhashDedupCluster(f"{out}/buckets", f"{out}/found", config=config))
    step(out, 4, reader(source), minhash.MinhashDedupFilter(f"{out}/found"), writer(out, "kept"))


def reader(folder: str) -> JsonlReader:
    """Return what reads a folder's records."""
    return JsonlReader(folder, glob_pattern="*.jsonl")


def writer(out: str, name: str) -> JsonlWriter:
    """Return what writes records to a folder."""
    return JsonlWriter(f"{out}/{name}", output_filename="${rank}.jsonl", compression=None)


if __name__ == "__main__":
    source, out, what = sys.argv[1:4]
    shutil.rmtree(out, ignore_errors=True)  # what an earlier run finished would not be done again
    if what == "near":
        near(source, out)
    else:
        filters(source, out, Spaces() if what == "spaces" else "eng")
