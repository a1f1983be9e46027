"""The table of arms is sound, and every arm draws the same number of rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from regold.errors import RecipeError
from regold.lab.arms import GROUPS, load_arms, reads_scores, recipe_of, spending
from regold.lab.pool_trial import Trained, drawn
from regold.record import Fate, Message


def test_the_shipped_arms_hold_every_row_the_reviewers_asked_for() -> None:
    arms = load_arms().arms
    count = Counter(arm.group for arm in arms.values())
    assert set(count) == set(GROUPS)
    assert {"keep all", "drop low", "rewrite one to one", "self-refine", "fuse without loop", "random pairs"} <= set(
        arms
    )
    assert {"purge only", "mix only", "full", "vanilla", "oracle"} <= set(arms)
    assert count["selection"] >= 13
    assert load_arms().seeds == 5


def test_selections_take_as_many_rows_as_all_train_on(tmp_path: Path) -> None:
    for arm in load_arms().arms.values():
        if arm.group == "selection":
            recipe = recipe_of(arm, 17, 3, tmp_path / "scores.jsonl")
            assert recipe.stages[-1].count == 17  # type: ignore[attr-defined]
            assert recipe.seed == 3
            assert not reads_scores(arm) or recipe.stages[1].file.name == "scores.jsonl"  # type: ignore[attr-defined]


def test_an_arm_spends_the_calls_of_another_on_rating() -> None:
    table = load_arms()
    for name in ("drop low, equal calls", "AlpaGasus, equal calls"):
        rate = next(s for s in recipe_of(spending(table.arms[name], 468, 187), 17, 3).stages if s.name == "rate")
        assert (rate.samples + rate.extra) * 187 == pytest.approx(468, abs=0.1)  # type: ignore[attr-defined]
    assert spending(table.arms["drop low"], 468, 187) == table.arms["drop low"]
    assert spending(table.arms["drop low, equal calls"], 100, 187).set == ("rate.samples=1", "rate.extra=0.0")
    assert "full" in [arm.name for arm in table.on(0, ("selection",))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[arm]]\nname = "x"\nrecipe = "entq"', "no recipe 'entq'"),
        ('[[arm]]\nname = "x"\nrecipe = "entp"\ngroup = "army"', "group"),
        ('[[arm]]\nname = "x"\nrecipe = "entp-drop-low"\ncalls_of = "full"', "names no arm above: 'full'"),
        ('[[arm]]\nname = "x"\nrecipe = "vanilla"\ncalls_of = "x"', "rate"),
        ("rowz = 3", "did you mean 'rows'"),
    ],
)
def test_a_broken_table_is_named(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "arms.toml").write_text(text)
    with pytest.raises(RecipeError, match=says):
        load_arms(tmp_path / "arms.toml")


def _rows() -> list[Trained]:
    messages = (Message("user", "q"), Message("assistant", "r"))
    return [Trained(str(n), messages, 1.0, Fate.FUSED if n < 30 else Fate.KEPT) for n in range(100)]


def test_rows_are_drawn_by_chance_in_their_order() -> None:
    chosen = drawn(_rows(), 40, None, 0)
    assert len(chosen) == 40
    assert [int(r.id) for r in chosen] == sorted(int(r.id) for r in chosen)
    assert chosen == drawn(_rows(), 40, None, 0)
    assert chosen != drawn(_rows(), 40, None, 1)
    assert len(drawn(_rows(), 400, None, 0)) == 100


@pytest.mark.parametrize(("ratio", "made"), [(0.0, 0), (0.25, 10), (1.0, 30)])
def test_a_ratio_is_met_as_far_as_there_are_rows(ratio: float, made: int) -> None:
    chosen = drawn(_rows(), 40, ratio, 0)
    assert sum(r.fate == Fate.FUSED for r in chosen) == made
    assert len(chosen) == (40 if ratio < 1 else 30)
