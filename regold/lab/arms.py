"""The arms of ENTP's bench: recipes with settings, read from a table, and the recipe that each comes to."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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
        """Return the arms of some groups that are tried on a seed."""
        return tuple(a for a in self.arms.values() if a.group in groups and seed < self.fewer.get(a.group, self.seeds))


def load_arms(path: Path = SHIPPED) -> Arms:
    """Read a table of arms. Raises RecipeError for unknown names, and for recipes that cannot be loaded."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as a table of arms: {error}") from error
    refuse_unknown(data, ("records", "rows", "test", "seeds", "fewer", "train", "arm"), f"arms {path.name}")
    refuse_unknown(data.get("fewer", {}), GROUPS, f"arms {path.name}, [fewer]")
    arms = [build(Arm, raw, f"arms {path.name}, [[arm]]") for raw in data.get("arm", ())]
    for arm in arms:
        recipe_of(arm, 1, 0)
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


def reads_scores(arm: Arm) -> bool:
    """Return whether an arm's recipe imports scores."""
    return arm.recipe == "select-imported"
