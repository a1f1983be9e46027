"""`regold train`, `evaluate` and `demo`: fine-tune on what was kept, measure it, show the whole way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import Watch, exit_codes, print_json, say, watching

if TYPE_CHECKING:
    from regold.engines import EngineSpec
    from regold.evaluate import Evaluation
    from regold.formats import Row

Epochs = Annotated[int, typer.Option(min=1)]
Batch = Annotated[int, typer.Option("--batch-size", min=1, help="records in one step")]
Rank = Annotated[int, typer.Option(min=1, help="of the LoRA matrices")]
Alpha = Annotated[int, typer.Option(min=1, help="LoRA's scale is alpha / rank")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("train")(train)
    app.command("evaluate")(evaluate)
    app.command("demo")(demo)


def train(
    data: Annotated[Path, typer.Argument(help="a finished run, or a data file")],
    out: Annotated[Path, typer.Option(help="the folder for the adapter (or the model) and its card")],
    model: Annotated[str, typer.Option(help="a local folder or hub name, or `lab`")],
    epochs: Epochs = 2,
    learning_rate: Annotated[float, typer.Option(help="the highest learning rate")] = 2e-4,
    batch_size: Batch = 16,
    rank: Rank = 16,
    alpha: Alpha = 32,
    max_length: Annotated[int, typer.Option(min=8, help="in tokens; longer records are left out and counted")] = 2048,
    seed: Annotated[int, typer.Option(help="of the order of records and the adapter's start")] = 0,
    full: Annotated[bool, typer.Option("--full", help="train every weight instead of LoRA's")] = False,
    merge: Annotated[bool, typer.Option("--merge", help="save a whole model instead of an adapter")] = False,
    weighted: Annotated[bool, typer.Option(help="weigh each record of a run by its weight")] = True,
    format: o.Format = None,
    as_json: o.AsJson = False,
) -> None:
    """Fine-tune a model on a run's kept records (or on a file), with loss on the response only."""
    with exit_codes():
        from dataclasses import asdict

        from regold.output import training_rows
        from regold.train import TrainSettings
        from regold.train import train as fit

        settings = TrainSettings(
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            rank=rank,
            alpha=alpha,
            max_length=max_length,
            seed=seed,
            full=full,
        )
        rows = [(messages, weight if weighted else 1.0) for messages, weight in training_rows(data, format)]
        with watching() as watch:
            card = fit(_folder(model), rows, out, settings, merge=merge, progress=_steps(watch))
        if as_json:
            print_json({"out": str(out), **asdict(card)})
        else:
            say(f"{card.trained} of {card.given} records, {card.steps} steps, {card.wall_s:.1f} s: {out}")


def evaluate(
    data: o.Data,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    engine_revision: o.EngineRevision = None,
    adapter: o.Adapter = None,
    concurrency: o.Concurrency = 64,
    prompts: o.PromptSet = None,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy decoding")] = 0.0,
    samples: Annotated[int, typer.Option(min=1, help="answers a question; more than one needs a temperature")] = 1,
    format: o.Format = None,
    response_column: o.ResponseColumn = None,
    as_json: o.AsJson = False,
) -> None:
    """Measure exact match of a model's direct answers against the responses of a held-out file."""
    with exit_codes():
        from regold.formats import Row

        spec = o.Asked(model, base_url or (), None, engine_revision, adapter, None, concurrency).student()
        source = o.source(data, format, "last", "stop", response_column)
        rows = [row for row in source.read() if isinstance(row, Row)]
        found = asyncio.run(_evaluate(rows, spec, prompts, temperature, samples))
        lines = [found, *([found.sampled] if found.sampled else [])]
        if as_json:
            print_json({"model": model, **_measured(lines[0]), "sampled": [_measured(e) for e in lines[1:]]})
            return
        for line in lines:
            how = "greedy" if line.temperature == 0 else f"temperature {line.temperature:g}, {line.samples} samples"
            error = f"(standard error {line.standard_error:.3f})"
            say(f"accuracy {line.accuracy:.3f} {error}, n = {line.n}, {how}")


def demo(
    into: Annotated[Path, typer.Option(help="where the demo keeps its runs")] = Path("runs/demo"),
    noise: Annotated[str, typer.Option(help="noise rates in per cent")] = "30,50,70",
    seeds: Annotated[int, typer.Option(min=1, help="seeds a noise rate")] = 3,
    items: Annotated[int, typer.Option(min=20, help="training records a run")] = 400,
    as_json: o.AsJson = False,
) -> None:
    """Inject noise, detect, repair, fine-tune and evaluate on the small real model that ships with Regold."""
    with exit_codes():
        from regold.cli.options import rates
        from regold.lab.demo import run_demo

        with watching() as watch:
            found = run_demo(into, rates(noise), seeds, items, watch)
        print_json(found.as_json()) if as_json else say(found.text())


async def _evaluate(
    rows: Sequence[Row], spec: EngineSpec, prompts: str | None, temperature: float, samples: int
) -> Evaluation:
    from regold.engines import open_engine
    from regold.evaluate import Question, evaluate
    from regold.prompts import load_prompts

    engine = open_engine(spec)
    try:
        chosen = load_prompts(prompts) if prompts else None
        return await evaluate(engine, [Question.of(row) for row in rows], chosen, temperature, samples)
    finally:
        await engine.close()


def _measured(found: Evaluation) -> dict[str, object]:
    names = ("accuracy", "standard_error", "n", "unread", "temperature", "samples")
    return {name: getattr(found, name) for name in names}


def _folder(model: str) -> str:
    return str(o.lab_folder()) if model == o.LAB else model


def _steps(watch: Watch) -> Callable[[int, int, float], None]:
    tick: Callable[[int], None] | None = None
    seen = 0

    def progress(step: int, steps: int, loss: float) -> None:
        nonlocal tick, seen
        tick = tick or watch("train", steps)
        tick(step - seen)
        seen = step

    return progress
