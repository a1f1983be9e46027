"""A finished run says what should be looked at before training on it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from regold.outcome import outcome
from regold.output import Outputs
from regold.record import Fate, Status
from regold.store import Store
from regold.store.columns import write_rows


def warnings(folder: Path, ends: list[tuple[Fate, Status]]) -> str:
    """Return the warnings of a run whose records ended so."""
    rows = [{"fate": str(f), "status": str(s)} for f, s in ends]
    write_rows(folder / "fates.parquet", rows, pa.schema({"fate": pa.string(), "status": pa.string()}))
    fates = {str(fate): sum(f == fate for f, _ in ends) for fate in Fate}
    outputs = Outputs(folder / "a", folder / "b", None)
    loaded = {"records": len(ends), "rejected": 0}
    return "; ".join(outcome(Store(folder, "load"), loaded, fates, outputs, 0, 0.0).warnings)


CLEAN, MENDED = (Fate.KEPT, Status.CLEAN), (Fate.REPAIRED, Status.REPAIRED)
DOUBTED, LET_THROUGH = (Fate.DROPPED, Status.SUSPECT), (Fate.KEPT, Status.SUSPECT)


def test_a_model_that_agrees_with_nearly_nothing_is_doubted(tmp_path: Path) -> None:
    assert "agrees with only 1 of 20" in warnings(tmp_path, [CLEAN, *[MENDED] * 9, *[DOUBTED] * 10])


def test_a_run_that_agrees_often_enough_says_nothing(tmp_path: Path) -> None:
    assert not warnings(tmp_path, [CLEAN, CLEAN, *[MENDED] * 8, *[DOUBTED] * 8])


def test_suspects_let_through_are_counted_and_are_no_agreement(tmp_path: Path) -> None:
    said = warnings(tmp_path, [*[CLEAN] * 6, *[LET_THROUGH] * 3])
    assert said.startswith("3 of the records kept are still suspect")


def test_a_selection_without_suspects_is_not_doubted(tmp_path: Path) -> None:
    assert not warnings(tmp_path, [CLEAN, *[(Fate.DROPPED, Status.DROPPED)] * 50])
