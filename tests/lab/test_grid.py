"""The shipped grid is sound, and each cell stands once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from regold.errors import RecipeError
from regold.files import write_json
from regold.lab.grid import Part, load_grid, tasks


def test_the_shipped_grid_holds_every_row_the_papers_have() -> None:
    grid = load_grid()
    names = set(grid.methods)
    assert {"vanilla", "SFT", "oracle-clean", "oracle-filter", "SelfLabel", "SelfSelect", "SelfRAG", "NoiseAL"} <= names
    assert {"no selection", "no checker", "no reviewer", "no context", "no reasoning", "clean only"} <= names
    assert (grid.seeds, grid.test) == (5, 500)


def test_what_noise_cannot_change_is_tried_once(tmp_path: Path) -> None:
    part = Part("x", ("atlas-open-x",), (0, 50), ("vanilla", "SFT", "oracle-clean"))
    both = [part, Part("y", ("atlas-open-x",), (50,), ("SFT",), frames=True)]
    (task, *others) = tasks(load_grid(), both, tmp_path, {})
    assert len(others) == 4
    assert [(c.method, c.noise, c.frames) for c in task.cells] == [
        ("vanilla", 0, False),
        ("SFT", 0, False),
        ("oracle-clean", 0, False),
        ("SFT", 50, True),
    ]


def test_what_is_asked_in_several_wordings_comes_first(tmp_path: Path) -> None:
    parts = [
        Part("x", ("atlas-open-x",), (0,), ("SFT", "oracle-clean")),
        Part("y", ("atlas-open-x",), (50,), ("oracle-clean",), frames=True),
    ]
    (task, *_) = tasks(load_grid(), parts, tmp_path, {})
    assert [(c.method, c.frames) for c in task.cells] == [("oracle-clean", True), ("SFT", False)]


def test_parts_are_done_in_their_order_and_each_seed_whole(tmp_path: Path) -> None:
    parts = [
        Part("x", ("atlas-open-x", "wire"), (50,), ("SFT",)),
        Part("y", ("wire",), (50,), ("SFT", "RobustFT")),
    ]
    made = tasks(replace(load_grid(), seeds=2), parts, tmp_path, {})
    told = [(task.part, task.ground.seed, task.ground.set, [c.method for c in task.cells]) for task in made]
    assert told == [
        *(("x", seed, name, ["SFT"]) for seed in (0, 1) for name in ("atlas-open-x", "wire")),
        *(("y", seed, "wire", ["RobustFT"]) for seed in (0, 1)),
    ]


def test_a_result_counts_only_for_the_cell_as_it_is_asked(tmp_path: Path) -> None:
    part = Part("x", ("atlas-open-x",), (50,), ("SFT",))
    task = tasks(load_grid(), [part], tmp_path, {})[0]
    (cell,) = task.open_cells()
    write_json(task.result(cell), {"key": "of another grid"})
    assert task.open_cells() == [cell]
    write_json(task.result(cell), {"key": task.key(cell), "frames": False})
    assert task.open_cells() == []
    framed = replace(task, cells=(replace(cell, frames=True),))
    assert len(framed.open_cells()) == 1
    write_json(task.result(cell), {"key": task.key(cell), "frames": ["1"] * 5})
    assert framed.open_cells() == task.open_cells() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[part]]\nname = "x"\nsets = ["atlas"]\nnoise = [0]\nmethods = []', "atlas-open"),
        ('[[part]]\nname = "x"\nsets = []\nnoise = [0]\nmethods = ["SFT"]', "has no setting 'SFT'"),
        ('[[method]]\nname = "x"\nrecipe = "sfd"', "no recipe 'sfd'"),
        ("[train]\nepoch = 3", "did you mean 'epochs'"),
    ],
)
def test_a_broken_grid_is_named(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(text)
    with pytest.raises(RecipeError, match=says):
        load_grid(tmp_path / "grid.toml")
