"""Where each benchmark's questions come from: a local folder, or the hub; and what to do where there is neither."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import regold.evaluate.shapes as shapes
from regold.errors import InputError
from regold.formats.text_files import json_lines
from regold.formats.values import snippet

Row: TypeAlias = Mapping[str, Any]
Doc: TypeAlias = dict[str, Any]

SUFFIXES = (".jsonl.gz", ".jsonl", ".jsonl.zst")


class MissingData(InputError):
    """Report that a benchmark's questions are not there, with the ways to get them."""


@dataclass(frozen=True)
class Part:
    """One file of questions under `--data`, without its suffix, and the same on the hub: name, configuration, split."""

    file: str
    hub: tuple[str, str | None, str]


@dataclass(frozen=True)
class Source:
    """What to read for a benchmark and how: `read` turns a row of either place into a question, or leaves it out."""

    test: Part
    read: Callable[[Row], Doc | None]
    examples: Part | None = None
    """Where worked examples come from; without it the first questions of each category are held out for them."""
    only: tuple[str, str] | None = None
    """A local file of the test split's ids, and its column; the whole file is the test where it is absent."""


_BBH = ("SaylorTwift/bbh", "*", "test")
SOURCES: Mapping[str, Source] = {
    "mmlu": Source(
        Part("eval/mmlu_test", ("cais/mmlu", "all", "test")),
        shapes.mmlu,
        Part("eval/mmlu_dev", ("cais/mmlu", "all", "dev")),
    ),
    "arc": Source(Part("label-noise/arc_test", ("allenai/ai2_arc", "ARC-Challenge", "test")), shapes.arc),
    "fpb": Source(Part("label-noise/fpb_test", ("lmassaron/FinancialPhraseBank", None, "test")), shapes.fpb),
    "pubmedqa": Source(
        Part("eval/pubmedqa", ("qiaojin/PubMedQA", "pqa_labeled", "train")),
        shapes.pubmedqa,
        only=("eval/pubmedqa_test_ids", "pmid"),
    ),
    "gsm8k": Source(
        Part("gsm8k/test", ("openai/gsm8k", "main", "test")),
        shapes.gsm8k,
        Part("gsm8k/train", ("openai/gsm8k", "main", "train")),
    ),
    "bbh": Source(Part("eval/bbh", _BBH), shapes.bbh),
    "truthfulqa": Source(
        Part("eval/truthfulqa", ("truthfulqa/truthful_qa", "generation", "validation")), shapes.truthfulqa
    ),
    "drop": Source(Part("eval/drop", ("ucinlp/drop", None, "validation")), shapes.drop),
    "tydiqa": Source(
        Part("eval/tydiqa_tiny", ("google-research-datasets/tydiqa", "secondary_task", "validation")), shapes.tydiqa
    ),
    "ifeval": Source(Part("eval/ifeval", ("google/IFEval", None, "train")), shapes.ifeval),
    "math500": Source(Part("eval/math500", ("HuggingFaceH4/MATH-500", None, "test")), shapes.math),
    "aime24": Source(Part("eval/aime24", ("Maxwell-Jia/AIME_2024", None, "train")), shapes.math),
    "aime25": Source(Part("eval/aime25", ("math-ai/aime25", None, "test")), shapes.math),
    "simpleqa": Source(Part("eval/simpleqa", ("basicv8vc/SimpleQA", None, "test")), shapes.simpleqa),
    "humaneval": Source(Part("eval/humaneval", ("openai/openai_humaneval", None, "test")), shapes.humaneval),
    "mbpp": Source(Part("eval/mbpp", ("google-research-datasets/mbpp", "full", "test")), shapes.mbpp),
}


def load(source: str, data: str | None = None, limit: int | None = None, shots: int = 0, **_: Any) -> dict[str, Any]:
    """Return `{"test": dataset}` for lm-eval, each question with an `id`, a `category` and its worked `shots`.

    With `limit`, so many questions spread evenly over the file. Raises MissingData, and InputError naming file and
    line for a row that is not a question.
    """
    from datasets import Dataset

    return {"test": Dataset.from_list(questions(SOURCES[source], data, limit, shots))}


def questions(known: Source, data: str | None, limit: int | None = None, shots: int = 0) -> list[Doc]:
    """Return a benchmark's questions in the order of its file."""
    docs = _numbered(_docs(known.test, known, data))
    if known.only and data and (kept := local_file(Path(data), known.only[0])):
        ids = {str(row[known.only[1]]) for _, row in _rows(kept)}
        docs = [doc for doc in docs if doc["id"] in ids]
    examples: dict[str, list[Doc]] = defaultdict(list)
    if shots and known.examples:
        for doc in _docs(known.examples, known, data):
            if len(examples[doc["category"]]) < shots:
                examples[doc["category"]].append(doc)
    elif shots:
        docs = _held_out(docs, shots, examples)
    if limit and limit < len(docs):
        docs = [docs[i * len(docs) // limit] for i in range(limit)]
    if not docs:
        raise MissingData(f"no questions in {known.test.file}")
    return [{**doc, "shots": list(examples.get(doc["category"], ()))} for doc in docs]


def _held_out(docs: Sequence[Doc], shots: int, examples: dict[str, list[Doc]]) -> list[Doc]:
    kept: list[Doc] = []
    for doc in docs:
        taken = examples[doc["category"]]
        (taken if len(taken) < shots else kept).append(doc)
    return kept


def _numbered(docs: Iterable[Doc]) -> list[Doc]:
    """Give every question an id that no other has."""
    seen: dict[str, int] = defaultdict(int)
    numbered = []
    for number, doc in enumerate(docs, 1):
        name = str(doc.get("id") or number)
        seen[name] += 1
        numbered.append({**doc, "id": name if seen[name] == 1 else f"{name}#{seen[name]}"})
    return numbered


def _docs(part: Part, known: Source, data: str | None) -> Iterator[Doc]:
    for where, row in _rows(_local(part, data)) if data else _hub(part):
        try:
            doc = known.read(row)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise InputError(f"{where}: not a question of this benchmark ({error!r} in {snippet(row)})") from None
        if doc is not None:
            yield doc


def _local(part: Part, data: str | None) -> Path:
    found = local_file(Path(data or ""), part.file)
    if found is None:
        name, config, split = part.hub
        there = f"{name}{f' ({config})' if config not in (None, '*') else ''}, split {split}"
        raise MissingData(
            f"no {part.file}.jsonl[.gz] under {data}: put it there as JSON lines, or leave --data out to read {there} "
            "from the Hugging Face hub"
        )
    return found


def local_file(folder: Path, file: str) -> Path | None:
    """Return where a file of questions, named as in `Part`, lies under a folder; None where it does not."""
    flat = file.removeprefix("eval/").removeprefix("label-noise/").replace("/", "_")
    places = (folder / f"{name}{suffix}" for name in (file, flat) for suffix in SUFFIXES)
    return next((place for place in places if place.is_file()), None)


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    for entry in json_lines(path):
        if entry.value is None:
            raise InputError(entry.fault, path, entry.line)
        yield f"{path}:{entry.line}", entry.value


def _hub(part: Part) -> Iterator[tuple[str, Row]]:
    name, config, split = part.hub
    for chosen in _configs(name) if config == "*" else [config]:
        for number, row in enumerate(_download(name, chosen, split)):
            yield f"{name}[{split}][{number}]", {"task": chosen, **row} if config == "*" else row


def _configs(name: str) -> list[str]:
    from datasets import get_dataset_config_names

    return [str(config) for config in _reached(name, lambda: sorted(get_dataset_config_names(name)))]


def _download(name: str, config: str | None, split: str) -> Any:
    from datasets import load_dataset

    return _reached(name, lambda: load_dataset(name, config, split=split))


def _reached(name: str, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:  # the hub's client raises many kinds, all of which mean: not there
        why = " ".join(str(error).split())[:160]
        raise MissingData(
            f"{name} cannot be read from the Hugging Face hub ({type(error).__name__}: {why}): go online, or give a "
            "folder of local files with --data"
        ) from None
