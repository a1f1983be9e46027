"""A recipe: its TOML, the stages it names, and the validation that refuses a broken one before the first paid call."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from regold.declared import EvaluateSettings, ExperimentSettings, build, nearest, refuse_unknown
from regold.engines.base import Need
from regold.errors import RecipeError
from regold.formats.sources import container
from regold.prompts import load_prompts
from regold.record import Fate, NoteType, Status
from regold.stage import Stage
from regold.stages import find_stages
from regold.train.settings import TrainSettings

SHIPPED = Path(__file__).parent / "recipes"
_TABLES = ("train", "evaluate")
"""The tables whose settings `--set` changes beside those of steps."""
_KNOWN = ("name", "about", "prompts", "seed", "tolerate", "leftover", "step", "train", "evaluate", "experiment")
_DATA = "this is data, not a recipe; `regold inspect` tells what it holds"
_LEFTOVER = {Status.SUSPECT: Fate.DROPPED, Status.LOW: Fate.DROPPED}


@dataclass(frozen=True)
class Recipe:
    """A validated recipe."""

    name: str
    stages: tuple[Stage, ...]
    prompts: str = "default"
    seed: int = 0
    tolerate: float = 0.01
    """The share of records that may fail in one step; never below five records."""
    leftover: Mapping[Status, Fate] = field(default_factory=lambda: _LEFTOVER)
    """What becomes of SUSPECT and LOW records when the run ends."""
    about: str = ""
    train: TrainSettings | None = None
    """How to fine-tune on what the steps keep; None where the recipe trains nothing."""
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    experiment: ExperimentSettings = field(default_factory=ExperimentSettings)

    def needs(self) -> dict[str, frozenset[Need]]:
        """Return all that the recipe's stages ask of each role."""
        needs: dict[str, frozenset[Need]] = {}
        for stage in self.stages:
            for role, some in stage.needs.items():
                needs[role] = needs.get(role, frozenset()) | some
        return needs

    def resolved(self) -> dict[str, Any]:
        """Return the recipe as plain data, every setting written out: what a manifest keeps and `load_recipe` reads."""
        names = {stage: name for name, stage in reversed(find_stages().items())}
        steps = [
            {"use": names.get(type(s), type(s).__name__), **{f.name: _plain(getattr(s, f.name)) for f in fields(s)}}  # type: ignore[arg-type]
            for s in self.stages
        ]
        leftover = {str(status): str(fate) for status, fate in self.leftover.items()}
        head = {"name": self.name, "about": self.about, "prompts": self.prompts, "seed": self.seed}
        whole = {**head, "tolerate": self.tolerate, "leftover": leftover, "step": steps}
        if self.train is not None:
            whole["train"] = {key: _plain(value) for key, value in asdict(self.train).items()}
        if self.evaluate != EvaluateSettings() or not self.stages:
            whole["evaluate"] = asdict(self.evaluate)
        if self.experiment != ExperimentSettings():
            whole["experiment"] = asdict(self.experiment)
        return whole


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(p.stem for p in SHIPPED.glob("*.toml"))


def load_recipe(name: str, sets: Sequence[str] = (), notes: Stage | None = None, **override: Any) -> Recipe:
    """Load a shipped recipe by name, a TOML file, or the recipe in a run's manifest; apply `step.field=value` settings.

    `notes` is the step that imports scores, where any are imported. Raises RecipeError naming the file and, for a
    typo, the nearest name that exists.
    """
    data = _read(name)
    refuse_unknown(data, _KNOWN, f"recipe {name}")
    data |= {key: value for key, value in override.items() if value is not None}
    given = data.get("step", [])
    if not isinstance(given, list):
        raise RecipeError(f"recipe {name}: step = {given!r}: write each step as a [[step]]")
    steps = [_step(raw, place, name) for place, raw in enumerate(given, start=1)]
    if not steps and not {"train", "evaluate", "experiment"} & set(data):
        raise RecipeError(f"recipe {name}: has no [[step]]")
    settings = _settings(sets, {*_TABLES, *(cls.name for cls, _ in steps)})
    for key in _TABLES:
        if key in settings:
            data[key] = {**data.get(key, {}), **settings[key]}
    stages = tuple(_stage(cls, {**raw, **settings.get(cls.name, {})}, name) for cls, raw in steps)
    recipe = Recipe(
        str(data.get("name", Path(name).stem)),
        stages,
        str(data.get("prompts", "default")),
        _number(data, "seed", 0, int),
        _share(data, "tolerate", 0.01),
        _leftover(data.get("leftover", {}), name),
        str(data.get("about", "")),
        build(TrainSettings, data["train"], f"recipe {name}, [train]") if "train" in data else None,
        build(EvaluateSettings, data.get("evaluate", {}), f"recipe {name}, [evaluate]"),
        build(ExperimentSettings, data.get("experiment", {}), f"recipe {name}, [experiment]"),
    )
    if notes is not None:
        return with_import(recipe, notes)
    validate(recipe)
    return recipe


def validate(recipe: Recipe) -> None:
    """Refuse a recipe whose steps share a name, read what none before them writes, or use prompts that are unfit."""
    prompts = load_prompts(recipe.prompts)
    written: dict[str, NoteType] = {}
    seen: set[str] = set()
    for stage in recipe.stages:
        where = f"recipe {recipe.name}, step {stage.name} ({type(stage).__name__})"
        if stage.name in seen:
            raise RecipeError(f"{where}: an earlier step has this name too; each name may stand once")
        seen.add(stage.name)
        for note, kind in stage.reads.items():
            _check_read(where, note, kind, written)
        for prompt in stage.prompts:
            prompts.check(prompt)
        written |= stage.writes


def with_import(recipe: Recipe, stage: Stage) -> Recipe:
    """Return the recipe with imported notes: in place of the step that writes one of them, else in front.

    Where no step writes any, `rate.llama` and `rate.mistral` stand in place of the step `rate`.
    """
    rooms = {note.partition(".")[0] for note in stage.writes}
    places = [n for n, step in enumerate(recipe.stages) if set(step.writes) & set(stage.writes)]
    places = places or [n for n, step in enumerate(recipe.stages) if step.name in rooms]
    before, after = recipe.stages[: places[0] if places else 0], recipe.stages[places[0] + 1 if places else 0 :]
    found = replace(recipe, stages=(*before, stage, *after))
    validate(found)
    return found


def _check_read(where: str, note: str, kind: NoteType, written: Mapping[str, NoteType]) -> None:
    if note not in written:
        raise RecipeError(f"{where}: reads {note!r}, which no earlier step writes{nearest(note, written)}")
    if written[note] != kind:
        raise RecipeError(f"{where}: reads {note!r} as {kind}, but it is written as {written[note]}")


def _read(name: str) -> dict[str, Any]:
    path = SHIPPED / f"{name}.toml"
    if not (name.isidentifier() or name.replace("-", "_").isidentifier()) or not path.is_file():
        path = Path(name)
    if path.is_dir() and (path / "manifest.json").is_file():
        path = path / "manifest.json"
    if not path.is_file():
        raise RecipeError(
            f"no recipe {name!r}{nearest(name, shipped_recipes())}; shipped: {', '.join(shipped_recipes())}"
        )
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return dict(json.loads(text)["recipe"])
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        if container(path):
            raise RecipeError(f"{path}: {_DATA}") from None
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        if path.name != "manifest.json":
            raise RecipeError(f"{path}: {_DATA}") from None
        raise RecipeError(f"{path}: holds no recipe") from error


def _step(raw: Mapping[str, Any], place: int, recipe: str) -> tuple[type[Stage], dict[str, Any]]:
    if not isinstance(raw, Mapping) or "use" not in raw:
        raise RecipeError(f"recipe {recipe}: step {place} does not say which stage to `use`")
    known = find_stages()
    use = str(raw["use"])
    if use not in known:
        raise RecipeError(f"recipe {recipe}: step {place} uses {use!r}, which is no stage{nearest(use, known)}")
    return known[use], {key: value for key, value in raw.items() if key != "use"}


def _settings(sets: Sequence[str], names: set[str]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for text in sets:
        path, equals, value = text.partition("=")
        step, dot, key = path.strip().partition(".")
        if not (equals and dot and key):
            raise RecipeError(f"--set {text!r}: write it as step.field=value, such as select.share=0.4")
        if step not in names:
            raise RecipeError(f"--set {text!r}: the recipe has no step {step!r}{nearest(step, names)}")
        settings.setdefault(step, {})[key] = _value(value.strip())
    return settings


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _stage(stage: type[Stage], settings: Mapping[str, Any], recipe: str) -> Stage:
    return build(stage, settings, f"recipe {recipe}, step {stage.name} ({stage.__name__})")


def _leftover(raw: Any, recipe: str) -> dict[Status, Fate]:
    if not isinstance(raw, Mapping):
        raise RecipeError(f'recipe {recipe}: leftover = {raw!r}: write it as a table [leftover], such as LOW = "KEPT"')
    where = f"recipe {recipe}: [leftover]"
    for status in (status for status in raw if status not in _LEFTOVER):
        hint = nearest(status, map(str, _LEFTOVER))
        raise RecipeError(f"{where} says what becomes of SUSPECT and LOW only, not {status}{hint}")
    fates = [str(fate) for fate in Fate]
    for status, fate in raw.items():
        if fate not in fates:
            hint = nearest(str(fate), fates)
            raise RecipeError(f"{where}: {status} = {fate!r} is no fate{hint}; known: {', '.join(fates)}")
    given = {Status(status): Fate(fate) for status, fate in raw.items()}
    return {**_LEFTOVER, **given}


def _number(data: Mapping[str, Any], key: str, default: Any, kind: type) -> Any:
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and not isinstance(value, int)):
        raise RecipeError(f"{key} = {value!r}: must be a number")
    return kind(value)


def _share(data: Mapping[str, Any], key: str, default: float) -> float:
    value = float(_number(data, key, default, float))
    if not 0 <= value <= 1:
        raise RecipeError(f"{key} = {value!r}: must be a share from 0 to 1")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value
