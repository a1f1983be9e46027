"""The shipped grid is sound, and each cell stands once."""

from __future__ import annotations

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


def test_a_result_counts_only_for_the_cell_as_it_is_asked(tmp_path: Path) -> None:
    part = Part("x", ("atlas-open-x",), (50,), ("SFT",))
    task = tasks(load_grid(), [part], tmp_path, {})[0]
    (cell,) = task.open_cells()
    write_json(task.result(cell), {"key": "of another grid"})
    assert task.open_cells() == [cell]
    write_json(task.result(cell), {"key": task.key(cell)})
    assert task.open_cells() == []


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
