"""Applies edits: fits a step once, maps it over parts, writes the trail and commits. Nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from regold.engines import open_encoder, open_engine
from regold.engines.base import Encoder, Engine, EngineSpec
from regold.engines.journal import Journal
from regold.engines.journaled import JournaledEncoder, JournaledEngine
from regold.errors import RecipeError, RunError, TooManyFailures, UsageError
from regold.fingerprint import digest, file_digest
from regold.prompts import Prompts
from regold.record import Edit, Record, Status
from regold.stage import Context, Engines, Stage
from regold.store import StepPlace, Store, Table
from regold.together import together

QUEUED_BATCHES = 8
"""A model in this process sorts its queue by length: so many batches may wait."""
ALWAYS_TOLERATED = 5
"""So many failed records never stop a run, however small the data set."""


@dataclass(frozen=True)
class Step:
    """A stage at its place in a run."""

    stage: Stage
    place: StepPlace


@dataclass(frozen=True)
class Plan:
    """What a run will do: resolved, fingerprinted, the same on every worker."""

    store: Store
    steps: tuple[Step, ...]
    prompts: Prompts
    seed: int

    def before(self, step: int) -> list[StepPlace]:
        """Return the places of the steps before one."""
        return [s.place for s in self.steps[:step]]


@dataclass(frozen=True)
class Models:
    """How to open the engines by role and the encoder, on whichever worker needs them."""

    roles: Mapping[str, EngineSpec]
    encoder: EngineSpec | None = None


@dataclass(frozen=True)
class OpenModels:
    """Engines and encoder, open."""

    roles: Mapping[str, Engine]
    encoder: Encoder | None
    paid_encoder: bool = False
    in_flight: Mapping[str, int] = field(default_factory=dict)
    """Calls of each role that may be out at once."""

    def identity(self, role: str) -> str:
        """Return the identity of a role's engine. Raises RecipeError where none has the role."""
        found = self.encoder if role == "encoder" else self.roles.get(role)
        if found is None:
            option = "model" if role == "student" else role
            raise RecipeError(f"the recipe asks a {role}, but no model has that role: give one with --{option}")
        return found.identity


@asynccontextmanager
async def open_models(models: Models) -> AsyncIterator[OpenModels]:
    """Open the engines and the encoder; equal specs share one engine. Closes them on leaving."""
    async with AsyncExitStack() as stack:
        opened: dict[EngineSpec, Engine] = {}
        for spec in models.roles.values():
            if spec not in opened:
                opened[spec] = open_engine(spec)
                stack.push_async_callback(opened[spec].close)
        encoder = open_encoder(models.encoder) if models.encoder else None
        if encoder is not None:
            stack.push_async_callback(encoder.close)
        paid = models.encoder is not None and models.encoder.kind == "openai"
        specs = {**models.roles, **({"encoder": models.encoder} if models.encoder else {})}
        in_flight = {role: max(spec.concurrency, QUEUED_BATCHES * spec.batch) for role, spec in specs.items()}
        in_flight |= {role: spec.concurrency for role, spec in specs.items() if spec.kind == "openai"}
        yield OpenModels({role: opened[spec] for role, spec in models.roles.items()}, encoder, paid, in_flight)


def plan(store: Store, stages: Sequence[Stage], prompts: Prompts, seed: int, models: OpenModels) -> Plan:
    """Fingerprint each step by what decides its answers: fields, version, models, prompts, seed and all above it."""
    above, steps = digest(store.load, seed), []
    for number, stage in enumerate(stages, start=1):
        identities = {role: models.identity(role) for role in stage.needs}
        above = digest(above, _identity(stage), identities, prompts.digest(stage.prompts))
        steps.append(Step(stage, StepPlace(number, stage.name, above, dict(stage.writes))))
    return Plan(store, tuple(steps), prompts, seed)


def _identity(stage: Stage) -> list[Any]:
    settings = {f.name: getattr(stage, f.name) for f in fields(stage)}  # type: ignore[arg-type]
    contents = {path: file_digest(path) for path in stage.files.values()}
    settings |= {name: contents[path] for name, path in stage.files.items()}
    for name, value in settings.items():
        if isinstance(value, tuple):
            settings[name] = tuple(contents.get(one, one) for one in value)
    return [type(stage).__name__, stage.version, settings]


class Worker:
    """Fits and maps the steps of one plan with models of its own; whoever schedules it only says where and when."""

    def __init__(self, plan: Plan, models: OpenModels, *, shared: bool = False) -> None:
        """Take the plan and open models; `shared` where other processes write the same journals."""
        self.plan, self.models = plan, models
        roles = [*models.roles, *(["encoder"] if models.paid_encoder else [])]
        self.journals = {role: Journal(plan.store.calls(role), shared, models.in_flight[role]) for role in roles}
        for journal in self.journals.values():
            journal.refresh()
        self._table: tuple[int, Table] | None = None

    async def fit(self, number: int) -> None:
        """Fit a step and store its artifact, unless that is done."""
        step = self.plan.steps[number]
        if not step.stage.fits or self.plan.store.has_artifact(step.place):
            return
        async with self._engines(step.stage, "fit") as engines:
            artifact = await step.stage.fit(self.table(number), self._context(number, engines, None))
        self.plan.store.write_artifact(step.place, artifact)

    async def map(self, number: int, part: int, tick: Callable[[int], None]) -> None:
        """Map a step over one part and commit its edits, unless that is done."""
        step, store = self.plan.steps[number], self.plan.store
        records = store.records(part, self.plan.before(number), step.stage.reads)
        mine = [(row, r) for row, r in enumerate(records) if r.status in step.stage.on]
        tick(len(records) - len(mine))
        async with self._engines(step.stage, f"{part:05d}") as engines:
            context = self._context(number, engines, store.artifact(step.place))

            async def one(row: int, record: Record) -> tuple[int, str, Edit]:
                edit = await propose(step.stage, record, context)
                tick(1)
                return row, record.id, edit

            edits = await together([one(row, record) for row, record in mine])
        store.write_edits(step.place, part, edits)

    def _context(self, number: int, engines: Engines, artifact: Any) -> Context:
        return Context(artifact, engines, self.plan.prompts, self.plan.seed, self.table(number).lookup)

    def table(self, number: int) -> Table:
        """Return the data set as the steps before one left it; read once a step, column by column."""
        if self._table is None or self._table[0] != number:
            self._table = number, self.plan.store.table(self.plan.before(number))
        return self._table[1]

    @asynccontextmanager
    async def _engines(self, stage: Stage, part: str) -> AsyncIterator[Engines]:
        """Yield the engines that a stage needs, each behind a journal file of this part's own."""
        with_journal: dict[str, Engine] = {}
        encoder: Encoder | None = self.models.encoder
        writers = []
        try:
            for role in stage.needs:
                if role in self.journals:
                    self.journals[role].refresh_now_and_then()
                    writers.append(self.journals[role].writer(part))
                if role in self.models.roles:
                    with_journal[role] = JournaledEngine(self.models.roles[role], writers[-1])
                elif encoder is not None and self.models.paid_encoder:
                    encoder = JournaledEncoder(encoder, writers[-1])
            yield Engines(with_journal, encoder)
        finally:
            await asyncio.gather(*(writer.close() for writer in writers))


async def propose(stage: Stage, record: Record, context: Context) -> Edit:
    """Return the stage's edit; whatever it raises about this record becomes FAILED with the reason."""
    try:
        edit = await stage(record, context)
        undeclared = set(edit.notes) - set(stage.writes)
        if undeclared:
            raise RecipeError(
                f"{type(stage).__name__} writes notes it does not declare: {', '.join(sorted(undeclared))}"
            )
        return edit
    except (RunError, UsageError):
        raise
    except OSError as error:
        raise RunError(f"{stage.name}, record {record.id}: {error}") from error
    except Exception as error:
        return Edit(status=Status.FAILED, reason=f"{stage.name}: {type(error).__name__}: {error}")


class Executor(Protocol):
    """Where parts run. It schedules parts; it never chooses them, and correctness never depends on it."""

    async def fit(self, number: int) -> None:
        """Fit one step."""
        ...

    async def map(self, number: int, parts: Sequence[int], tick: Callable[[int], None]) -> None:
        """Map one step over the parts."""
        ...


async def run_steps(
    plan: Plan, executor: Executor, tolerate: float, watch: Callable[[Step, int], Callable[[int], None]]
) -> None:
    """Run each step that is not done. `watch(step, records)` returns the tick that counts its finished records.

    Raises TooManyFailures at the end of a step in which more than `tolerate` of the records (and five) failed.
    """
    store, parts = plan.store, plan.store.parts()
    sizes = {part: store.loaded(part, ["id"]).num_rows for part in parts}
    for number, step in enumerate(plan.steps):
        tick = watch(step, sum(sizes.values()))
        todo = [part for part in parts if not store.has_edits(step.place, part)]
        tick(sum(sizes[part] for part in parts if part not in set(todo)))
        if todo:
            await executor.fit(number)
            await executor.map(number, todo, tick)
        judge_failures(store, step, tolerate)


def judge_failures(store: Store, step: Step, tolerate: float) -> None:
    """Raise TooManyFailures where a finished step failed on more than `tolerate` of the records."""
    failed = [reason for part in store.parts() for reason in _failures(store, step, part)]
    tolerated = tolerate * sum(store.loaded(part, ["id"]).num_rows for part in store.parts())
    if len(failed) > max(tolerated, ALWAYS_TOLERATED):
        raise TooManyFailures(
            f"step {step.place.name}: {len(failed)} records failed, more than tolerated; the first: {failed[0]!r}. "
            "Mend the cause and run again with --retry-failed, or raise --tolerate"
        )


def _failures(store: Store, step: Step, part: int) -> list[str]:
    edits = store.edits(step.place, part, ["status", "reason"])
    rows = zip(edits["status"].to_pylist(), edits["reason"].to_pylist(), strict=True)
    return [reason for status, reason in rows if status == Status.FAILED]


def forget_failures(plan: Plan) -> None:
    """Forget the FAILED records of the first step that has any: their parts there, and all steps below.

    What lies below goes first: were this cut short, a later edit must not outlive the failure it was made beside.
    """
    for number, step in enumerate(plan.steps):
        done = [p for p in plan.store.parts() if plan.store.has_edits(step.place, p)]
        parts = [p for p in done if _failures(plan.store, step, p)]
        if parts:
            (plan.store.root / "ledger.json").unlink(missing_ok=True)
            for later in reversed(plan.steps[number + 1 :]):
                plan.store.forget(later.place)
            plan.store.forget(step.place, parts)
            return
