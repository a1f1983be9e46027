"""Run every benchmark of `regold evaluate` on the small model that ships, and write a table of how each went.

The small model knows none of it: what is shown is that each task's file is read, asked, answered and scored. Beside it
stands the score of the file's own right answers, said in words and put through the same way, which has to be 1.
A benchmark without a file in DIR is run on a few made-up questions, and says so.

    python benchmarks/eval_smoke.py --data DIR --out docs/results/evaluate
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regold.bench.tables import NOTHING, markdown, number
from regold.engines.base import Completion, Need, Request, TokenScores
from regold.engines.weights import folder_digest
from regold.evaluate.catalogue import BOTH_WAYS, TASKS, chosen, files_of
from regold.evaluate.harness import Harness, Settings
from regold.evaluate.sandbox import NoSandbox, check_sandbox
from regold.evaluate.sources import SOURCES, local_file
from regold.files import replacing, write_json
from regold.formats.text_files import json_lines
from regold.lab.ground import MODEL
from regold.record import Messages

WINDOW = 8192
"""Tokens; the shipped model's 512 do not hold the worked examples. What it says behind its own window is noise."""
FORMS = ("auto", "generation")
AGAIN = (*BOTH_WAYS, "truthfulqa")
"""What runs in both forms."""
SAID = {
    "gsm8k": "{worked}\nThe answer is {answer}.",
    "math-500": "So we have $\\boxed{{{answer}}}$.",
    "aime24": "So we have $\\boxed{{{answer}}}$.",
    "aime25": "So we have $\\boxed{{{answer}}}$.",
    "humaneval": "```python\n{question}{answer}\n```",
    "mbpp": "```python\n{answer}\n```",
    "truthfulqa_gen": "{answer}",
}
OTHERWISE = "The answer is {answer}."
UNSAID = ("ifeval",)
"""Tasks whose files hold no right answer; the made-up ones do, in a column of their own."""
MADE_UP = Path(__file__).parent / "made_up"
"""A folder of made-up questions, for benchmarks without a file of their own."""


class Knowing:
    """An engine that knows the right answer to every question of a task."""

    identity = "the right answers"

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.likely: dict[str, set[str]] = {}

    def learn(self, file: str, task: Any) -> None:
        """Learn every question of a task."""
        written = _written(file)
        for doc in task.eval_docs:
            prompt = task.doc_to_text(doc)
            self.said[prompt] = written.get(doc["question"]) or SAID.get(
                file.removesuffix("_letter"), OTHERWISE
            ).format(**doc)
            self.likely[prompt] = set(doc["true"]) if "true" in doc else {doc["answer"]}

    async def generate(self, request: Request) -> Completion:
        """Say the right answer."""
        return Completion(self.said[request.messages[-1].content])

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Find right answers likelier than others."""
        return TokenScores((-1.0 if response.strip() in self.likely[prompt[-1].content] else -9.0,))

    async def probe(self, needs: frozenset[Need]) -> None:
        """Meet every need."""

    async def close(self) -> None:
        """Hold nothing."""


def right_answers(data: Path, names: Sequence[str], form: str, limit: int, code: bool) -> dict[str, Any]:
    """Return the results of an engine that knows."""
    with asyncio.Runner() as runner:
        engine = Knowing()
        harness = Harness(engine, Settings(data, limit, form, run_code=code), runner)
        suite: dict[str, Any] = {"tasks": []}
        for name in names:
            for file in files_of(name, form, scores=True):
                if local_file(data, SOURCES[_source(file)].test.file):
                    engine.learn(file, harness.load(file))
            suite["tasks"] += harness.run([name]).as_json()["tasks"]
    return suite


def _written(task: str) -> dict[str, str]:
    """Return the right answers that were made up for the questions of a task, by question."""
    path = local_file(MADE_UP, f"eval/{task}") if task in UNSAID else None
    return {str(row.value["prompt"]): str(row.value["answer"]) for row in json_lines(path) if row.value} if path else {}


def known_of(data: Path, names: Sequence[str], form: str, limit: int, code: bool) -> dict[str, Any]:
    """Return the results of an engine that knows: on made-up questions where the files hold no right answers."""
    said = right_answers(data, [name for name in names if name not in UNSAID], form, limit, code)
    unsaid = right_answers(MADE_UP, [name for name in names if name in UNSAID], form, limit, code)
    return {"tasks": said["tasks"] + [{**task, "made_up": True} for task in unsaid["tasks"]]}


def places(names: Sequence[str], data: Path) -> list[tuple[Path, list[str]]]:
    """Return the folders with the tasks to read there: made-up questions where only they are at hand."""

    def at_hand(name: str, folder: Path) -> bool:
        return local_file(folder, SOURCES[_source(name)].test.file) is not None

    made_up = [name for name in names if not at_hand(name, data) and at_hand(name, MADE_UP)]
    found = [(data, [name for name in names if name not in made_up]), (MADE_UP, made_up)]
    return [(folder, some) for folder, some in found if some]


def widened(model: Path, into: Path) -> Path:
    """Copy a model and let it read prompts of up to WINDOW tokens."""
    shutil.copytree(model, into)
    for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
        settings = json.loads((into / name).read_text())
        (into / name).write_text(json.dumps({**settings, key: WINDOW}))
    return into


def evaluated(
    model: Path, names: Sequence[str], form: str, data: Path, args: argparse.Namespace, code: bool
) -> dict[str, Any]:
    """Run the command, as a user would, and return what it prints."""
    command = [sys.executable, "-m", "regold", "evaluate", str(model), "--tasks", ",".join(names), "--form", form]
    command += ["--data", str(data), "--limit", str(args.limit), "--temperature", "0.5", "--json"]
    command += ["--max-tokens", str(args.max_tokens), *(["--run-code"] if code else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=os.environ)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(found: Mapping[str, Any], known: Mapping[str, Any], data: Path) -> list[dict[str, Any]]:
    """Return a line a task and form: its file, its scores and what went wrong."""
    scores = {(task["task"], task["form"]): task for task in known["tasks"]}
    lines = []
    for task in found["tasks"]:
        sure = scores.get((task["task"], task["form"]))
        sampled = task["sampled"] or {"metrics": {}}
        metric = task["primary"]
        score = task["metrics"][metric]
        lines.append(
            {
                "task": task["task"],
                "form": task["form"],
                "made_up": data == MADE_UP,
                "file": _shape(task["task"], data),
                "shots": task["shots"],
                "n": score["n"],
                "metric": metric,
                "score": score["mean"],
                "standard_error": score["standard_error"],
                "sampled": sampled["metrics"].get(metric, {}).get("mean"),
                "unread": task["metrics"].get("unread", {}).get("mean"),
                "cut_off": task["cut_off"],
                "failed": task["failed"],
                "seconds": task["seconds"],
                "right_answers": sure and sure["metrics"][sure["primary"]],
                "right_answers_made_up": data == MADE_UP or bool(sure and sure.get("made_up")),
                "missing": task["missing"],
            }
        )
    return lines


def _source(file: str) -> str:
    return file.removesuffix("_letter").removesuffix("_mc").removesuffix("_gen").replace("-", "")


def _shape(task: str, data: Path) -> str:
    path = local_file(data, SOURCES[_source(task)].test.file)
    first = next(iter(json_lines(path))).value if path else None
    return f"{path.relative_to(data)}: {', '.join(first)}" if path and first else ""


def page(found: Mapping[str, Any]) -> str:
    """Return the table with what did not run."""
    head = ["task", "form", "shots", "n", "metric", "greedy", "T = 0.5", "unread", "cut off", "failed", "seconds"]
    table = [
        [
            f"{line['task']}, made up" if line["made_up"] else line["task"],
            line["form"],
            str(line["shots"]),
            str(line["n"]),
            line["metric"],
            f"{number(line['score'])} ± {number(line['standard_error'])}",
            number(line["sampled"]),
            number(line["unread"]),
            str(line["cut_off"]),
            str(line["failed"]),
            f"{line['seconds']:.0f}",
            _known(line["right_answers"], line["right_answers_made_up"]),
        ]
        for line in found["tasks"]
    ]
    files = {
        line["task"].partition("_")[0]: ("made up: " if line["made_up"] else "") + line["file"]
        for line in found["tasks"]
    }
    table += [[task, "not run", *[NOTHING] * (len(head) - 1)] for task in found["missing"]]
    missing = [[task, why] for task, why in found["missing"].items()]
    partly = [[f"{t['task']} ({t['form']}): {name}", why] for t in found["tasks"] for name, why in t["missing"].items()]
    return f"""# Every benchmark, once

`python benchmarks/eval_smoke.py --data DIR --out docs/results/evaluate` writes this page. It runs `regold evaluate \
--tasks {found["asked"]} --limit {found["limit"]} --temperature 0.5 --max-tokens {found["max_tokens"]} --run-code` \
on the model that ships with the package (`{found["model"][:8]}`), then once more with \
`--form generation` for what can be scored both ways.

That model has about a million weights and knows an invented world only, and its window of 512 tokens is widened so \
that all prompts fit: **its scores say nothing but that each task is read, asked, answered and scored.** *Unread* is \
the share of answers from which nothing could be extracted. The last column is the proof that a right answer counts: \
the file's own right answers, said in words, through the same prompts, extraction and scorers ({found["known"]} \
questions a task at most, their number in brackets). **Made up** are the few questions in `benchmarks/made_up`, \
used where DIR has no file of the benchmark, and for the right answers of IFEval, whose file holds none.

Sandbox for programs: {found["sandbox"]}.

{markdown([*head, "right answers"], table)}

## Not run

{markdown(["task or score", "why"], [*missing, *partly])}

## The files

{markdown(["task", "file and columns"], [[task, file] for task, file in files.items()])}
"""


def _known(found: Mapping[str, Any] | None, made_up: bool) -> str:
    return NOTHING if found is None else f"{number(found['mean'])} ({found['n']}{', made up' if made_up else ''})"


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of benchmark files")
    parser.add_argument("--out", type=Path, default=Path("docs/results/evaluate"))
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--tasks", default="all", help="as those of `regold evaluate`")
    parser.add_argument("--limit", type=int, default=8)
    parser.add_argument("--known", type=int, default=100, help="questions a task put to the engine that knows")
    parser.add_argument("--max-tokens", type=int, default=64)
    args = parser.parse_args()
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    try:
        check_sandbox()
        sandbox = "holds"
    except NoSandbox as error:
        sandbox = f"reported missing ({error})"
    code = sandbox == "holds"
    asked = chosen(args.tasks.split(","))
    lines, missing = [], {}
    with tempfile.TemporaryDirectory() as folder:
        model = widened(args.model, Path(folder) / args.model.name)
        for form, names in zip(FORMS, (TASKS, AGAIN), strict=True):
            for data, some in places([name for name in names if name in asked], args.data):
                found = evaluated(model, some, form, data, args, code)
                lines += rows(found, known_of(data, some, form, args.known, code), data)
                missing |= found["missing"]
    once = {(line["task"], line["form"]): line for line in reversed(lines)}.values()
    lines = sorted(once, key=lambda line: (TASKS.index(line["task"].partition("_")[0]), line["form"] == "generation"))
    missing = {task: why.replace(str(args.data), "DIR") for task, why in missing.items()}
    settings = {
        "model": folder_digest(args.model),
        "asked": args.tasks,
        "limit": args.limit,
        "known": args.known,
        "max_tokens": args.max_tokens,
        "sandbox": sandbox,
    }
    results = {"bench": "evaluate", **settings, "tasks": lines, "missing": missing}
    write_json(args.out / "results.json", results)
    with replacing(args.out / "README.md") as stream:
        stream.write(page(results).encode())
    print(page(results))


if __name__ == "__main__":
    main()
