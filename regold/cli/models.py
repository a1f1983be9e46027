"""`regold evaluate` and `demo`: measure a model, show the whole way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import regold.cli.options as o
from regold.cli.screen import exit_codes, print_json, say, watching

if TYPE_CHECKING:
    from regold.engines import EngineSpec
    from regold.evaluate import Evaluation
    from regold.formats import Row


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("evaluate")(evaluate)
    app.command("demo")(demo)


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
