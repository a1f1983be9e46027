"""Fine-tune a model on kept records: LoRA or every weight, loss on responses only, each record by its weight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from regold.errors import MissingExtra
from regold.record import Messages
from regold.train.card import TrainCard
from regold.train.settings import Progress, TrainSettings

__all__ = ["Progress", "TrainCard", "TrainSettings", "train"]


def train(
    model: str,
    rows: Sequence[tuple[Messages, float]],
    out: Path,
    settings: TrainSettings | None = None,
    *,
    merge: bool = False,
    chat_template: str | None = None,
    threads: int | None = 1,
    save_s: float | None = None,
    progress: Progress | None = None,
) -> TrainCard:
    """Fine-tune `model` (a folder or a hub name) on records with their weights (at least 0) and save it in `out`.

    The loss is sum(w * nll) / tokens over a step's response tokens on all processes, with the weights scaled to a mean
    of 1 over all response tokens: equal weights, whatever their size, are no weights. `out` gets an adapter, or with
    `merge` (and with `settings.full`) a model that loads by itself, and in either case the tokenizer and a card; it
    appears whole or not at all. Where it already holds this same training, its card is returned and nothing is
    trained. Every `save_s` seconds (None: never) a checkpoint is kept beside `out`, from which the same call goes on.
    On a CPU the same seed gives the same bytes, broken off or not; `threads` is torch's (None leaves it alone): two
    collapse beside a busy process. `chat_template` (its text) takes the place of the tokenizer's own.

    Raises UsageError for what cannot be trained, RunError where the loss is no number, MissingExtra without trl.
    """
    try:
        from regold.train.job import fine_tune
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "trl", "train") from None
    return fine_tune(
        model,
        rows,
        Path(out),
        settings or TrainSettings(),
        merge=merge,
        chat_template=chat_template,
        threads=threads,
        save_s=save_s,
        progress=progress,
    )
