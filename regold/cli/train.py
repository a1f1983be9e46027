"""`regold train`: fine-tune a model on what was kept, by the run's recipe, a preset or the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

import regold.cli.options as o
from regold.cli.local import model_place
from regold.cli.screen import Watch, exit_codes, print_json, say, watching


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("train")(train)


def train(
    data: Annotated[Path, typer.Argument(help="a finished run, or a data file")],
    out: Annotated[Path, typer.Option(help="the folder for the adapter (or the model) and its card")],
    model: Annotated[str, typer.Option(help="a local folder or hub name, or `lab`")],
    settings: Annotated[
        str | None,
        typer.Option(help="paper, ds2, qlora, full, or a TOML file with [train]; by default that of the run's recipe"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="2 by default")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="the highest; 2e-4 by default")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="records in one pass of one process (16)")] = None,
    accumulate: Annotated[int | None, typer.Option(min=1, help="passes in one step (1)")] = None,
    rank: Annotated[int | None, typer.Option(min=1, help="of the LoRA matrices (16)")] = None,
    alpha: Annotated[int | None, typer.Option(min=1, help="LoRA's scale is alpha / rank (32)")] = None,
    dropout: Annotated[float | None, typer.Option(help="on LoRA's input (0)")] = None,
    targets: Annotated[
        str | None, typer.Option(help="modules that LoRA adapts, such as q_proj,v_proj (all-linear)")
    ] = None,
    schedule: Annotated[str | None, typer.Option(help="of the learning rate: cosine, linear or constant")] = None,
    warmup: Annotated[float | None, typer.Option(help="share of the steps in which it climbs (0.03)")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="0 by default")] = None,
    max_grad_norm: Annotated[float | None, typer.Option(help="longer gradients are cut to it; 0 cuts none (1)")] = None,
    max_length: Annotated[
        int | None, typer.Option(min=8, help="in tokens; longer records are left out and counted (2048)")
    ] = None,
    turns: Annotated[
        str | None,
        typer.Option(help="which assistant turns carry loss: last or all; by default those that the run checked"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="of the order of records and the adapter's start (0)")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32 or bfloat16")] = None,
    full: Annotated[bool | None, typer.Option("--full/--lora", help="train every weight instead of LoRA's")] = None,
    qlora: Annotated[bool | None, typer.Option(help="hold the base model in four bits (bitsandbytes)")] = None,
    checkpointing: Annotated[bool | None, typer.Option(help="recompute activations: less memory, slower")] = None,
    packing: Annotated[bool | None, typer.Option(help="lay records end to end instead of padding them")] = None,
    attention: Annotated[str | None, typer.Option(help="such as sdpa or flash_attention_2")] = None,
    chat_template: Annotated[
        Path | None, typer.Option(help="a Jinja file that takes the place of the model's own template")
    ] = None,
    merge: Annotated[bool, typer.Option("--merge", help="save a whole model instead of an adapter")] = False,
    weighted: Annotated[bool, typer.Option(help="weigh each record by its weight, the column loss_weight")] = True,
    save_minutes: Annotated[float, typer.Option(min=0, help="between checkpoints to resume from; 0 saves none")] = 10.0,
    format: o.Format = None,
    as_json: o.AsJson = False,
) -> None:
    """Fine-tune a model on a run's kept records (or on a file), with loss on the responses only.

    The same command goes on after a kill. Several devices: accelerate launch --num_processes N -m regold train ...
    """
    given = {k: v for k, v in locals().items() if v is not None and k not in _NOT_SETTINGS}
    with exit_codes():
        from dataclasses import asdict

        from regold.output import training_rows, training_settings
        from regold.train import train as fit
        from regold.train.checkpoints import first_process

        if given.get("targets", "all-linear") != "all-linear":  # peft takes a lone text for a pattern
            given["targets"] = [part.strip() for part in given["targets"].split(",") if part.strip()]
        chosen = training_settings(data, settings, given)
        rows = [(messages, weight if weighted else 1.0) for messages, weight in training_rows(data, format)]
        with watching() as watch:
            card = fit(
                model_place(model),
                rows,
                out,
                chosen,
                merge=merge,
                chat_template=_text(chat_template),
                save_s=save_minutes * 60 or None,
                progress=_steps(watch),
            )
        if not first_process():
            return
        if as_json:
            print_json({"out": str(out), **asdict(card)})
        else:
            left = "".join(f", {count} left out {why}" for why, count in card.left_out.items())
            say(f"{card.trained} of {card.given} records{left}, {card.steps} steps, {card.wall_s:.1f} s: {out}")
            say(f"measure it with  regold evaluate FILE --model {out}")


_NOT_SETTINGS = (
    "data",
    "out",
    "model",
    "settings",
    "chat_template",
    "merge",
    "weighted",
    "save_minutes",
    "format",
    "as_json",
)


def _text(path: Path | None) -> str | None:
    from regold.errors import UsageError

    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--chat-template {path}: cannot be read ({error})") from None


def _steps(watch: Watch) -> Callable[[int, int, float], None]:
    tick: Callable[[int], None] | None = None
    seen = 0

    def progress(step: int, steps: int, loss: float) -> None:
        nonlocal tick, seen
        tick = tick or watch("train", steps)
        tick(step - seen)
        seen = step

    return progress
