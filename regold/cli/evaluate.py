"""`regold evaluate` and `compare`: measure a model on a held-out file or on benchmarks, and two models pairwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

import regold.cli.options as o
from regold.cli.measured import tell_file, tell_suite
from regold.cli.screen import Watch, exit_codes, print_json, say, watching
from regold.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from regold.declared import EvaluateSettings
    from regold.engines import EngineSpec
    from regold.evaluate import Evaluation, Question
    from regold.evaluate.results import Suite

    Near: TypeAlias = tuple[Path, int, EngineSpec, str]
    """The file that neighbours come from, how many stand before a question, their encoder and the prompt set."""

What = Annotated[str | None, typer.Argument(metavar="FILE|MODEL", help="a held-out file, or with --tasks the model")]
Tasks = Annotated[
    str | None,
    typer.Option(help="benchmarks instead of a file: mmlu,arc,gsm8k,bbh,truthfulqa,... or all; see docs/evaluate.md"),
]
DataDir = Annotated[Path | None, typer.Option("--data", help="a folder of benchmark files; without it, from the hub")]
Limit = Annotated[int | None, typer.Option(min=1, help="so many questions of each benchmark, spread evenly")]
Form = Annotated[str, typer.Option(help="auto, likelihood or generation: how multiple choice is scored")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="of an answer; by default what the benchmark's file says")]
RunCode = Annotated[bool, typer.Option("--run-code", help="run the programs a model writes, in a sandbox (Linux)")]
OutDir = Annotated[Path | None, typer.Option(help="benchmarks: a folder for results, answers and the journal of calls")]
Temperature = Annotated[float, typer.Option(min=0, help="above 0, sampled answers beside the greedy ones")]
Recipe = Annotated[
    str | None, typer.Option(help="ask a held-out file as this recipe's [evaluate] says, such as self-rag; see --shown")
]
Shown = Annotated[
    Path | None, typer.Option(help="the data file whose nearest records a recipe such as self-rag shows before each")
]
Samples = Annotated[int, typer.Option(min=1, help="answers a question; more than one needs a temperature")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("evaluate")(evaluate)
    app.command("compare")(compare)


def evaluate(
    what: What = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    engine_revision: o.EngineRevision = None,
    adapter: o.Adapter = None,
    concurrency: o.Concurrency = 64,
    prompts: o.PromptSet = None,
    temperature: Temperature = 0.0,
    samples: Samples = 1,
    format: o.Format = None,
    response_column: o.ResponseColumn = None,
    recipe: Recipe = None,
    shown: Shown = None,
    sets: o.Sets = None,
    encoder: o.EncoderName = None,
    tasks: Tasks = None,
    data: DataDir = None,
    limit: Limit = None,
    form: Form = "auto",
    max_tokens: MaxTokens = None,
    run_code: RunCode = False,
    judge: o.Judge = None,
    out: OutDir = None,
    as_json: o.AsJson = False,
) -> None:
    """Measure a model: exact match on a held-out file, or with --tasks public benchmarks through lm-eval."""
    with exit_codes():
        if tasks is None:
            import asyncio

            how = _asked_how(recipe, sets, temperature, samples)
            one = how.model or model
            asked = o.Asked(one, base_url, None, None, None, None, engine_revision, adapter, encoder, concurrency)
            spec, path = asked.student(), _held_out(what, data, limit, out, judge, run_code, max_tokens)
            near = _near(how, shown, asked, prompts)
            found = asyncio.run(
                _file(path, spec, prompts, how, near, o.Reading(format, response_column=response_column))
            )
            tell_file(found, one, _own_template(spec), as_json)
            return
        if prompts or format or response_column or recipe or shown or sets or encoder:
            raise UsageError(
                "--prompts, --format, --response-column, --recipe, --shown, --set and --encoder are for held-out "
                "files, not for --tasks"
            )
        if what and model:
            raise UsageError(f"two models, {what} and {model}: with --tasks give one, as argument or as --model")
        asked = o.Asked(
            what or model, base_url, judge, engine_revision=engine_revision, adapter=adapter, concurrency=concurrency
        )
        with watching() as watch:
            suite = _benchmarks(asked, tasks, data, limit, form, temperature, samples, max_tokens, run_code, out, watch)
        print_json(suite.as_json()) if as_json else tell_suite(suite, _own_template(asked.student()), out)
        if not suite.tasks:
            raise typer.Exit(2)


def compare(
    a: Annotated[Path, typer.Argument(help="results of `regold evaluate --tasks ... --out`: the folder or its file")],
    b: Annotated[Path, typer.Argument(help="another model's results on the same questions")],
    seed: Annotated[int, typer.Option(help="of the bootstrap")] = 0,
    as_json: o.AsJson = False,
) -> None:
    """Compare two models question by question: difference with a 95 % interval, and McNemar's test."""
    with exit_codes():
        from regold.evaluate.compare import compare as paired
        from regold.evaluate.compare import unshared
        from regold.evaluate.results import read_results

        one, other = read_results(a), read_results(b)
        found = paired(one, other, seed)
        alone = {"only_a": unshared(one, other), "only_b": unshared(other, one)}
        if as_json:
            print_json({"a": one["model"], "b": other["model"], "tasks": [c.as_json() for c in found], **alone})
            return
        say(f"a: {one['model']}\nb: {other['model']}")
        for c in found:
            d = c.difference
            test = "" if c.p is None else f", only a {c.only_a}, only b {c.only_b}, McNemar p {c.p:.3g}"
            interval = f"a - b {d.estimate:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
            say(f"{c.task:20} {c.metric:14} a {c.a:.3f}  b {c.b:.3f}  {interval}  n = {c.n}{test}")
            if c.asked_differently:
                say(f"{'':20} careful, asked differently: {', '.join(c.asked_differently)}")
            if c.apart:
                say(f"{'':20} {c.apart} questions left out: only one of the two was asked")
        for name, tasks in alone.items():
            if tasks:
                say(f"not compared, {name.replace('_', ' in ')}: {', '.join(tasks)}")


def _held_out(what: str | None, *others: object) -> Path:
    if what is None:
        raise UsageError("what is to be evaluated? Give a held-out file, or --tasks with a model")
    if any(others):
        raise UsageError("--data, --limit, --out, --judge, --run-code and --max-tokens go with --tasks")
    return Path(what)


def _asked_how(recipe: str | None, sets: list[str] | None, temperature: float, samples: int) -> EvaluateSettings:
    """Return how the questions are asked: by the recipe, or else by the options."""
    from regold.declared import EvaluateSettings
    from regold.recipe import load_recipe

    if recipe is None:
        if sets:
            raise UsageError("--set changes a recipe: give --recipe too")
        return EvaluateSettings(temperature, samples)
    if temperature or samples != 1:
        raise UsageError(
            "--recipe says how answers are sampled: change it with --set evaluate.temperature=0.5 or evaluate.samples=4"
        )
    return load_recipe(recipe, sets or ()).evaluate


def _near(how: EvaluateSettings, shown: Path | None, asked: o.Asked, prompts: str | None) -> Near | None:
    """Return what is shown before each question: so many nearest records of a file, by an encoder, in a prompt."""
    if shown is None and how.neighbours:
        raise UsageError(f"the recipe shows {how.neighbours} records before each question: say with --shown from where")
    if shown is None:
        return None
    if not how.neighbours:
        raise UsageError("--shown goes with a recipe that shows neighbours, such as --recipe self-rag")
    return (
        shown,
        how.neighbours,
        o.encoder(asked.encoder or asked.shipped),
        prompts or ("lab" if asked.shipped else "default"),
    )


async def _file(
    path: Path, spec: EngineSpec, prompts: str | None, how: EvaluateSettings, near: Near | None, reading: o.Reading
) -> Evaluation:
    from regold.engines import open_engine
    from regold.evaluate import Question, evaluate
    from regold.prompts import load_prompts

    questions = [Question.of(row) for row in reading.source(path).rows()]
    chosen = load_prompts(prompts) if prompts and near is None else None
    if near is not None:
        questions = await _after_neighbours(questions, *near)
    engine = open_engine(spec)
    try:
        return await evaluate(engine, questions, chosen, how.temperature, how.samples)
    finally:
        await engine.close()


async def _after_neighbours(
    questions: list[Question], shown: Path, count: int, encoder: EngineSpec, prompts: str
) -> list[Question]:
    from regold.engines import open_encoder
    from regold.evaluate.neighbours import Neighbours
    from regold.formats import read_rows
    from regold.prompts import load_prompts

    opened = open_encoder(encoder)
    try:
        near = await Neighbours.of(opened, list(read_rows(shown)))
        return await near.before(questions, count, load_prompts(prompts))
    finally:
        await opened.close()


def _own_template(spec: EngineSpec) -> bool:
    """Tell whether an adapter is asked with a chat template of its own, not with its base's."""
    from regold.engines.template import adapter_template

    return adapter_template(spec.model, spec.adapter) is not None


def _benchmarks(
    asked: o.Asked,
    tasks: str,
    data: Path | None,
    limit: int | None,
    form: str,
    temperature: float,
    samples: int,
    max_tokens: int | None,
    run_code: bool,
    out: Path | None,
    watch: Watch,
) -> Suite:
    from regold.evaluate.catalogue import FORMS, chosen

    names = chosen(tasks.split(","))
    o.choice("--form", form, FORMS)
    model = asked.student()
    judge = o.Asked(asked.judge, asked.base_url, concurrency=asked.concurrency).student() if asked.judge else None
    try:
        from regold.evaluate.harness import Settings
        from regold.evaluate.suite import run_suite
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "lm_eval", "eval") from None
    settings = Settings(data, limit, form, temperature, samples, max_tokens, run_code, asked.concurrency)
    called = f"{asked.model} with {asked.adapter}" if asked.adapter else str(asked.model)
    return run_suite(model, called, names, settings, out, judge, watch)
