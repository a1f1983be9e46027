"""Tables that a reader can trust: nothing breaks a row, a missing figure is a dash."""

from regold.bench.tables import markdown, number, percent, pivot, spread


def test_numbers_and_intervals_are_short() -> None:
    assert [number(v) for v in (0.8124, -0.05, 1.0, 0.0, None)] == [".812", "-.050", "1.000", ".000", "-"]
    assert spread(0.8124, 0.79, 0.833) == ".812 [.790, .833]"
    assert (spread(0.5, None, None), percent(0.894, 0.84, 0.93), percent(None)) == (".500", "89 % [84, 93]", "-")


def test_a_cell_cannot_break_its_row() -> None:
    assert markdown(["a"], [["x|y\nz"]]).splitlines() == ["| a |", "| --- |", "| x\\|y z |"]


def test_rows_without_cells_are_left_out() -> None:
    table = pivot("m", {("a", "1"): "x"}, rows=["a", "b"], columns=["1", "2"])
    assert table.splitlines()[2:] == ["| a | x | - |"]
