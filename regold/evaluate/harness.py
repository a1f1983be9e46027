"""Runs benchmarks through lm-eval on any engine: likelihood where the engine gives it, generation otherwise."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import lm_eval.api.task
from lm_eval.evaluator import evaluate
from lm_eval.tasks import TaskManager

import regold.evaluate.instructions as instructions
from regold.engines.base import Engine, Need
from regold.errors import EngineLacks, InputError, RecipeError
from regold.evaluate.adapter import EngineLM
from regold.evaluate.catalogue import FOLDER, PREFIX, chosen, files_of
from regold.evaluate.instructions import MissingScorer
from regold.evaluate.later import GRADES, WITHOUT, Judge, run_code, with_scores
from regold.evaluate.results import Decoding, Item, Suite, TaskResult
from regold.evaluate.said import finish_of
from regold.evaluate.sandbox import NoSandbox, check_sandbox
from regold.evaluate.scorers import READERS
from regold.evaluate.sources import MissingData
from regold.files import replacing

Watch: TypeAlias = Callable[[str, int], Callable[[int], None]]
Sample: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """How benchmarks are run."""

    data: Path | None = None
    """A folder of local files; without it questions come from the hub."""
    limit: int | None = None
    """So many questions of each task, spread evenly."""
    form: str = "auto"
    temperature: float = 0.0
    """Above 0, sampled decoding beside the greedy one, for tasks that generate."""
    samples: int = 1
    max_tokens: int | None = None
    """Of an answer; by default what the task file says."""
    run_code: bool = False
    in_flight: int = 64

    def __post_init__(self) -> None:
        if self.samples < 1 or self.temperature < 0 or (self.samples > 1 and self.temperature == 0):
            raise RecipeError(
                f"cannot decode with temperature {self.temperature} and {self.samples} samples: greedy is one sample"
            )
        if self.data is not None and not self.data.is_dir():
            raise InputError("no such folder; --data takes a folder of benchmark files", self.data)


def unwatched(name: str, total: int) -> Callable[[int], None]:
    """Watch nothing."""
    return lambda done: None


@dataclass(frozen=True)
class Harness:
    """One engine, its settings and, where given, a judge; `out` takes every question with what was said to it."""

    engine: Engine
    settings: Settings
    runner: asyncio.Runner
    """Every call of every engine here runs in its one loop: connections and batches belong to it."""
    judge: Judge | None = None
    out: Path | None = None
    watch: Watch = unwatched

    def run(self, names: Sequence[str], model: str = "") -> Suite:
        """Run tasks one after another. What cannot be run is reported with the reason; an EngineError stops all."""
        results, missing = [], {}
        with _quiet():
            scores = self._scores()
            files = [file for name in chosen(names) for file in files_of(name, self.settings.form, scores)]
            for file in files:
                try:
                    results.append(self._task(file, scores))
                except (MissingData, MissingScorer, EngineLacks) as error:
                    missing[file] = str(error)
        return Suite(model, self.engine.identity, tuple(results), missing)

    def _scores(self) -> bool:
        if self.settings.form == "generation":
            return False
        try:
            self.runner.run(self.engine.probe(frozenset({Need.SCORE})))
        except EngineLacks:
            if self.settings.form == "likelihood":
                raise
            return False
        return True

    def load(self, file: str) -> Any:
        """Load a task file with its questions. Raises MissingData where they are not there."""
        metadata = {"data": str(self.settings.data) if self.settings.data else None, "limit": self.settings.limit}
        manager = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=metadata)
        return manager.load([PREFIX + file])["tasks"][PREFIX + file]

    def _task(self, file: str, scores: bool) -> TaskResult:
        began = time.monotonic()
        if file == "truthfulqa_mc" and not scores:
            raise EngineLacks("mc1 and mc2 compare log-likelihoods of given answers, which this engine does not give")
        if file == "ifeval":
            instructions.missing()
        task = self.load(file)
        about, generates = task.config.metadata, task.config.output_type == "generate_until"
        missing: dict[str, str] = {}
        samples, greedy = self._decoded(task, about, 0.0, 1, missing)
        sampled = None
        if generates and self.settings.temperature > 0:
            _, sampled = self._decoded(task, about, self.settings.temperature, self.settings.samples, {})
        return TaskResult(
            file.removesuffix("_letter"),
            _primary(task, greedy),
            "generation" if generates else "likelihood",
            about["version"],
            about["shots"],
            str(task.config.doc_to_text),
            _asked(samples[0]) if samples else "",
            greedy,
            sampled,
            missing,
            time.monotonic() - began,
        )

    def _decoded(
        self, task: Any, about: Mapping[str, Any], heat: float, times: int, missing: dict[str, str]
    ) -> tuple[list[Sample], Decoding]:
        """Decode every question so many times; a question's scores are the means over its samples."""
        drawn = []
        samples: list[Sample] = []
        for number in range(times):
            samples, items = self._once(task, about, heat, number)
            items = self._later(about.get("later"), samples, items, missing)
            self._save(task, about, samples, items, heat, number)
            drawn.append(items)
        _unchecked(drawn[0], missing)
        return samples, Decoding(heat, times, tuple(_averaged(items) for items in zip(*drawn, strict=True)))

    def _once(self, task: Any, about: Mapping[str, Any], heat: float, number: int) -> tuple[list[Sample], list[Item]]:
        name = task.config.task
        calls = len(task.eval_docs) if task.config.output_type == "generate_until" else _continuations(task)
        told = f"{name.removeprefix(PREFIX)}{f' T={heat:g} #{number + 1}' if heat else ''}"
        lm = EngineLM(
            self.engine,
            self.runner,
            heat,
            number,
            self.settings.max_tokens,
            self.settings.in_flight,
            self.watch(told, calls),
        )
        found = evaluate(lm=lm, task_dict={"tasks": {name: task}}, bootstrap_iters=0, apply_chat_template=True)
        samples = sorted(found["samples"][name], key=lambda sample: int(sample["doc_id"]))
        metrics = [metric["metric"] for metric in task.config.metric_list]
        return samples, [
            _item(sample, metrics, lm.failed.get((name, sample["doc_id"]), ""), about) for sample in samples
        ]

    def _later(
        self, kind: str | None, samples: Sequence[Sample], items: list[Item], missing: dict[str, str]
    ) -> list[Item]:
        if kind is None:
            return items
        score, how = WITHOUT[kind]
        answered = [(sample["doc"], sample["filtered_resps"][0]) for sample in samples]
        work: Awaitable[list[Mapping[str, float]]]
        if kind in GRADES and self.judge:
            work = self.judge.grade(kind, answered)
        elif kind == "code" and self.settings.run_code:
            try:
                check_sandbox()
            except NoSandbox as error:
                missing[score] = str(error)
                return items
            work = run_code(answered)
        else:
            missing[score] = how
            return items

        async def awaited() -> list[Mapping[str, float]]:
            return await work

        scored = with_scores(items, self.runner.run(awaited()))
        unclear = sum(item.scores[score][0] != item.scores[score][0] for item in scored)
        if unclear:
            missing[f"{score} of {unclear} answers"] = "the judge gave no clear verdict; they are left out of the mean"
        return [_worst(item, score) if item.failed else item for item in scored]

    def _save(
        self, task: Any, about: Mapping[str, Any], samples: Sequence[Sample], items: Sequence[Item], heat: float, n: int
    ) -> None:
        if self.out is None:
            return
        name = task.config.task.removeprefix(PREFIX) + (f".T{heat:g}.{n + 1}" if heat else "")
        reader = READERS.get(about.get("scorer", ""))
        with replacing(self.out / "answers" / f"{name}.jsonl") as stream:
            for sample, item in zip(samples, items, strict=True):
                line = _line(sample, item, reader)
                stream.write((json.dumps(line, ensure_ascii=False) + "\n").encode(errors="replace"))


def _line(sample: Sample, item: Item, reader: Any) -> dict[str, Any]:
    doc, said = sample["doc"], sample["filtered_resps"]
    told = {"id": item.id, "category": item.category, "asked": _asked(sample), "wanted": doc["answer"]}
    if reader is None:
        told["likelihoods"] = [[sample["arguments"][i][1], log] for i, (log, _) in enumerate(said)]
    else:
        told |= {"said": str(said[0]), "read": reader(doc, said[0])}
    scores = {name: values[0] if len(values) == 1 else list(values) for name, values in item.scores.items()}
    return {**told, "scores": scores, "cut": item.cut, "failed": item.failed}


def _asked(sample: Sample) -> str:
    context = sample["arguments"][0][0]
    return "\n\n".join(f"{m.role}: {m.content}" for m in context.messages) if hasattr(context, "messages") else context


def _item(sample: Sample, metrics: Sequence[str], failed: str, about: Mapping[str, Any]) -> Item:
    doc = sample["doc"]
    scores = {name: _values(sample[name]) for name in metrics}
    said = sample["filtered_resps"][0]
    parts = tuple(doc[about["parts"]]) if about.get("parts") else ()
    cut = not failed and isinstance(said, str) and finish_of(said) == "length"
    item = Item(doc["id"], scores, doc["category"], parts, cut, failed)
    return _worst(item) if failed else item


def _values(value: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in value) if isinstance(value, list | tuple) else (float(value),)


def _worst(item: Item, *names: str) -> Item:
    """Return a question that could not be asked as wrong in every score, never as right by chance."""
    changed = {
        name: tuple(0.0 if name not in ("unread", "undecided") else v for v in values)
        for name, values in item.scores.items()
        if not names or name in names
    }
    return Item(item.id, {**item.scores, **changed}, item.category, item.parts, item.cut, item.failed)


def _averaged(items: Sequence[Item]) -> Item:
    first = items[0]
    names = first.scores
    means = {
        name: tuple(sum(v) / len(v) for v in zip(*(item.scores[name] for item in items), strict=True)) for name in names
    }
    failed = next((item.failed for item in items if item.failed), "")
    return Item(first.id, means, first.category, first.parts, any(item.cut for item in items), failed)


def _unchecked(items: Sequence[Item], missing: dict[str, str]) -> None:
    """Say which of IFEval's instructions were not checked, and how to have them checked."""
    absent = [part for item in items for part in item.parts if part in instructions.missing()]
    for name in sorted(set(absent)):
        missing[f"{name} in {absent.count(name)} places"] = instructions.missing()[name]


def _primary(task: Any, found: Decoding) -> str:
    """Return the first metric that was found: a later score stands in front of the task file's own."""
    return next(iter(found.metrics), str(task.config.metric_list[0]["metric"]))


def _continuations(task: Any) -> int:
    return sum(len(task.doc_to_choice(doc)) for doc in task.eval_docs)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep lm-eval's remarks about what is meant to be so off the screen."""
    log, bar = logging.getLogger("lm_eval"), lm_eval.api.task.tqdm
    level = log.level
    log.setLevel(logging.ERROR)
    lm_eval.api.task.tqdm = lambda items, **_: items  # its own bars have no switch
    try:
        yield
    finally:
        log.setLevel(level)
        lm_eval.api.task.tqdm = bar
