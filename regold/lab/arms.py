"""The arms of ENTP's bench: recipes with settings, read from a table, and the recipe that each comes to."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from regold.declared import build, refuse_unknown
from regold.errors import RecipeError
from regold.recipe import Recipe, load_recipe
from regold.train import TrainSettings

SHIPPED = Path(__file__).parent / "arms.toml"
PROMPTS = "lab"
Group = Literal["bound", "arm", "whole", "selection", "clusters", "ratio", "checks"]
GROUPS: tuple[str, ...] = get_args(Group)


@dataclass(frozen=True)
class Arm:
    """A row of the bench: a recipe with settings, what it is compared among, and how many of its rows are made."""

    name: str
    recipe: str
    set: tuple[str, ...] = ()
    group: Group = "arm"
    ratio: float | None = None
    """The share of fused rows among those trained on; None is what the recipe comes to."""
    whole: bool = False
    """Whether it trains on all that it keeps, however many rows the others have."""
    calls_of: str = ""
    """The arm whose calls it spends, by rating each record so much more often; empty spends what the recipe asks."""


@dataclass(frozen=True)
class Arms:
    """All arms, and how much is drawn, trained on and asked."""

    arms: Mapping[str, Arm]
    settings: TrainSettings = field(default_factory=TrainSettings)
    records: int = 500
    rows: int = 120
    test: int = 300
    seeds: int = 5
    fewer: Mapping[str, int] = field(default_factory=dict)
    """Seeds of the groups that get fewer."""

    def on(self, seed: int, groups: Collection[str]) -> tuple[Arm, ...]:
        """Return the arms of some groups that are tried on a seed, and those whose calls they spend."""
        own = {n for n, a in self.arms.items() if a.group in groups and seed < self.fewer.get(a.group, self.seeds)}
        own |= {arm.calls_of for arm in self.arms.values() if arm.name in own}
        return tuple(arm for arm in self.arms.values() if arm.name in own)


def load_arms(path: Path = SHIPPED) -> Arms:
    """Read a table of arms. Raises RecipeError for unknown names, and for recipes that cannot be loaded."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as a table of arms: {error}") from error
    refuse_unknown(data, ("records", "rows", "test", "seeds", "fewer", "train", "arm"), f"arms {path.name}")
    refuse_unknown(data.get("fewer", {}), GROUPS, f"arms {path.name}, [fewer]")
    arms = [build(Arm, raw, f"arms {path.name}, [[arm]]") for raw in data.get("arm", ())]
    for place, arm in enumerate(arms):
        recipe_of(spending(arm, 1, 1), 1, 0)
        if arm.calls_of and arm.calls_of not in [other.name for other in arms[:place]]:
            raise RecipeError(f"arms {path.name}, arm {arm.name!r}: calls_of names no arm above: {arm.calls_of!r}")
    settings = build(TrainSettings, data.get("train", {}), f"arms {path.name}, [train]")
    sizes = {key: data[key] for key in ("records", "rows", "test", "seeds", "fewer") if key in data}
    return Arms({arm.name: arm for arm in arms}, settings, **sizes)


def recipe_of(arm: Arm, rows: int, seed: int, scores: Path | None = None) -> Recipe:
    """Load an arm's recipe with the lab's prompts; a selection takes `rows`, an import reads `scores`."""
    sets = list(arm.set)
    if reads_scores(arm) and scores is not None:
        sets.append(f"import.file={json.dumps(str(scores))}")
    if arm.recipe.startswith("select-"):
        sets.append(f"take.count={rows}")
    return load_recipe(arm.recipe, sets, prompts=PROMPTS, seed=seed)


def spending(arm: Arm, calls: int, records: int) -> Arm:
    """Return an arm that spends as many calls on rating as another one, by the records that are rated."""
    if not arm.calls_of:
        return arm
    samples = max(calls / records, 1.0)
    more = (f"rate.samples={int(samples)}", f"rate.extra={min(round(samples % 1, 4), 0.9999)}")
    return replace(arm, set=(*arm.set, *more))


def reads_scores(arm: Arm) -> bool:
    """Return whether an arm's recipe imports scores."""
    return arm.recipe == "select-imported"
