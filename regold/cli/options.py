"""The options that several commands share, and how they become a source, models and a recipe."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from regold.cli.local import LAB, LABS, lab_folder, model_and_adapter, shipped
from regold.errors import UsageError

if TYPE_CHECKING:
    from regold.engines.base import EngineSpec
    from regold.formats import Source
    from regold.recipe import Recipe
    from regold.runner import Models
    from regold.stage import Stage

Data = Annotated[
    Path, typer.Argument(help="jsonl, json, csv or parquet (also .gz, .zst), or a Hugging Face dataset folder")
]
RunDir = Annotated[Path, typer.Argument(help="a run directory")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
Format = Annotated[
    str | None,
    typer.Option(help="alpaca, sharegpt, messages, prompt-completion or multiple-choice; detected by default"),
]
Turns = Annotated[str, typer.Option(help="last: the last assistant turn is the response; all: every assistant turn")]
OnBadLine = Annotated[
    str, typer.Option(help="stop at the first line that cannot be used, or skip it into a rejects file")
]
ResponseColumn = Annotated[str | None, typer.Option(help="the column that holds the response to check")]
TruthColumn = Annotated[str | None, typer.Option(help="a column with the right response, kept from every stage")]
Model = Annotated[
    str | None,
    typer.Option(
        help="a model's name on the server, a local folder (a model, or an adapter on its base) or hub name, or `lab` "
        "for the small model shipped"
    ),
]
BaseUrl = Annotated[
    list[str] | None, typer.Option(help="an OpenAI-compatible server; repeat for several (or OPENAI_BASE_URL)")
]
Judge = Annotated[str | None, typer.Option(help="another model on the same server to judge free text")]
Rater = Annotated[
    list[str] | None, typer.Option(help="a model on the same server that rates; repeat for rater2, rater3, ...")
]
Scorer = Annotated[str | None, typer.Option(help="another model whose log-probabilities score the responses")]
ImportFile = Annotated[
    Path | None, typer.Option("--import", help="a score file (jsonl, json, csv, parquet) to take ratings from")
]
Columns = Annotated[
    list[str] | None, typer.Option("--column", help="column=note of the score file, such as llama=rate.value; repeat")
]
By = Annotated[str, typer.Option(help="join scores by id, or row by row")]
Key = Annotated[str, typer.Option(help="the score file's column that holds the record's id")]
Second = Annotated[
    str | None, typer.Option(help="another model for the views whose role is `second` (--set reason.role=second)")
]
EngineRevision = Annotated[str | None, typer.Option(help="what tells this server's model apart; by default its host")]
Adapter = Annotated[Path | None, typer.Option(help="a LoRA adapter folder for --model, in this process")]
EncoderName = Annotated[
    str | None,
    typer.Option(
        help="lexical, lab, a sentence-transformers model, or openai:NAME for /v1/embeddings; by default lexical, or a "
        "shipped model's own"
    ),
]
Concurrency = Annotated[int, typer.Option(min=1, help="requests in flight at most")]
RecipeName = Annotated[str, typer.Option("--recipe", help="a shipped recipe, a TOML file, or a run to repeat")]
PromptSet = Annotated[str | None, typer.Option("--prompts", help="a shipped prompt set or a folder of .txt files")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="step.field=value, such as select.share=0.4; repeat")]
Seed = Annotated[int | None, typer.Option(help="the run's seed")]
Tolerate = Annotated[
    float | None, typer.Option(help="share of records that may fail in one step (never below 5 records)")
]


@dataclass(frozen=True)
class Reading:
    """How a data file is read."""

    section: ClassVar[str] = "Reading the data"

    format: Format = None
    turns: Turns = "last"
    on_bad_line: OnBadLine = "stop"
    response_column: ResponseColumn = None
    truth_column: TruthColumn = None

    def source(self, path: Path) -> Source:
        """Return the source that the options describe. Raises UsageError for a value that is none of the choices."""
        from regold.formats import Source

        choice("--turns", self.turns, ("last", "all"))
        choice("--on-bad-line", self.on_bad_line, ("stop", "skip"))
        columns = {"response": self.response_column, "truth": self.truth_column}
        return Source(path, self.format, self.turns, self.on_bad_line, {k: v for k, v in columns.items() if v})


@dataclass(frozen=True)
class Asked:
    """Which models a command line asks for."""

    section: ClassVar[str] = "Models"

    model: Model = None
    base_url: BaseUrl = None
    judge: Judge = None
    rater: Rater = None
    scorer: Scorer = None
    second: Second = None
    engine_revision: EngineRevision = None
    adapter: Adapter = None
    encoder: EncoderName = None
    concurrency: Concurrency = 64

    def models(self, roles: Collection[str] = ("student",)) -> Models:
        """Return the engine of each role and the encoder.

        Raises UsageError where no model is named, unless `roles`, those that the recipe asks, are the encoder at most.
        """
        from regold.runner import Models

        if self.model is None and not set(roles) - {"encoder"}:
            return Models({}, self._encoder())
        student = self.student()
        judge = self._engine(self.judge) if self.judge else student
        named = [self._engine(name) for name in self.rater or ()] or [judge]
        raters = {f"rater{n}" if n > 1 else "rater": spec for n, spec in enumerate(named, start=1)}
        scorer = self._engine(self.scorer) if self.scorer else student
        second = {"second": self._engine(self.second)} if self.second else {}
        return Models({"student": student, "judge": judge, **raters, "scorer": scorer, **second}, self._encoder())

    def student(self) -> EngineSpec:
        """Return the model that is asked. Raises UsageError where none is named."""
        if self.model is None:
            raise UsageError(
                "which model? Give --model NAME with --base-url URL (any OpenAI-compatible server), --model FOLDER or "
                "a hub name (in this process), or --model lab (the small model shipped, for its own closed world)"
            )
        return self._adapted(self._engine(self.model))

    @property
    def shipped(self) -> str | None:
        """Return the shipped checkpoint that is asked, by itself or under an adapter; None for any other model."""
        return shipped(self.model) if self.model and not self.base_url else None

    def _adapted(self, student: EngineSpec) -> EngineSpec:
        """Return the student with the adapter: it is trained for this model, and for none that judges or rates."""
        if self.adapter is None:
            return student
        if student.kind != "transformers":
            raise UsageError(
                "--adapter is for a model in this process: let the server serve it under a name of its own, and give "
                "that as --model"
            )
        if student.adapter is not None:
            raise UsageError(
                f"{student.adapter} is an adapter itself: give its base as --model, or leave out --adapter"
            )
        return replace(student, adapter=str(self.adapter))

    def _engine(self, model: str) -> EngineSpec:
        from regold.engines.base import EngineSpec

        urls = tuple(self.base_url or ()) or tuple(u for u in [os.environ.get("OPENAI_BASE_URL")] if u)
        if model.startswith("scripted:"):
            return EngineSpec("scripted", model.removeprefix("scripted:"), concurrency=self.concurrency)
        if urls:
            return EngineSpec("openai", model, urls, self.engine_revision, concurrency=self.concurrency)
        place, adapter = model_and_adapter(model)
        revision = None if model in LABS else self.engine_revision
        return EngineSpec("transformers", place, revision=revision, adapter=adapter)

    def _encoder(self) -> EngineSpec:
        from regold.engines.base import EngineSpec

        name = self.encoder or self.shipped or "lexical"
        if name == "lexical":
            return EngineSpec("lexical")
        if name in LABS:
            return EngineSpec("static", str(lab_folder(name)))
        if name.startswith("openai:"):
            embedder, urls = name.removeprefix("openai:"), tuple(self.base_url or ())
            return EngineSpec("openai", embedder, urls, self.engine_revision, concurrency=self.concurrency)
        return EngineSpec("sentence-transformers", name)


def encoder(name: str | None) -> EngineSpec:
    """Return the encoder of a name, for a command that asks no other model; the lexical one without a name."""
    return Asked(encoder=name)._encoder()


@dataclass(frozen=True)
class Changes:
    """What a command line changes in a recipe."""

    section: ClassVar[str] = "Changing the recipe"

    prompts: PromptSet = None
    sets: Sets = None
    seed: Seed = None
    tolerate: Tolerate = None
    import_: ImportFile = None
    column: Columns = None
    by: By = "id"
    key: Key = "id"

    def recipe(self, name: str, asked: Asked) -> Recipe:
        """Return the changed recipe, with a step that imports the score file if one is named. Raises UsageError."""
        from regold.recipe import load_recipe

        prompts = self.prompts or (LAB if asked.shipped else None)
        changes = {"prompts": prompts, "seed": self.seed, "tolerate": self.tolerate}
        return load_recipe(name, self.sets or (), self._imported(), **changes)

    def _imported(self) -> Stage | None:
        from regold.stages.import_notes import ImportNotes

        if self.import_ is None:
            return None
        choice("--by", self.by, ("id", "row"))
        notes = notes_of(self.import_, self.column or (), self.key)
        return ImportNotes(self.import_, notes, self.by, self.key)  # type: ignore[arg-type]


def notes_of(file: Path, columns: Sequence[str], key: str) -> dict[str, str]:
    """Return the note that each column of a score file becomes: all that hold numbers where `columns` names none."""
    from regold.formats.scores import no_numbers, renamed, score_columns

    pairs = [text.partition("=")[::2] for text in columns]
    given = {column: note for column, note in pairs if note}
    found = renamed([column for column, _ in pairs] or score_columns(file, key), given)
    if not found:
        raise UsageError(f"{file}: no column holds numbers only{no_numbers(file, key)}; name one with --column")
    return found


def choice(option: str, value: str, known: Sequence[str]) -> str:
    """Return the value if it is one of the known. Raises UsageError naming them."""
    if value not in known:
        raise UsageError(f"{option} {value!r}: give one of {', '.join(known)}")
    return value


def rates(text: str) -> list[int]:
    """Return noise rates in per cent from a list such as "30,50,70". Raises UsageError for anything else."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [-1]
    if not all(0 <= rate <= 100 for rate in found):
        raise UsageError(f"--noise {text!r}: write whole per cents, such as 30,50,70")
    return found
