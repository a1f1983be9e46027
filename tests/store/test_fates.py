"""How a run is read again: from its own manifest only, and with the ledger of its own recipe."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from regold.errors import InputError
from regold.output import training_rows
from regold.record import Fate, Status
from regold.store import fates
from regold.store.fates import open_run, summary
from tests.test_run import RECORDS, go, job

HELD = {"recipe": {"name": "r", "leftover": {}}, "source": {"path": "p", "columns": {}}, "load": "00", "steps": []}


@pytest.mark.parametrize(
    "held",
    [
        "not json",
        "[]",
        '{"name": "app"}',
        json.dumps(HELD)[:-9],
        json.dumps({**HELD, "steps": 3}),
        json.dumps({**HELD, "steps": [{"number": 1}]}),
        json.dumps({**HELD, "source": "p"}),
        json.dumps({**HELD, "source": {"path": "p", "columns": 3}}),
        json.dumps({**HELD, "recipe": {"name": "r", "leftover": {"LOW": "GONE"}}}),
        json.dumps({**HELD, "recipe": []}),
        json.dumps({**HELD, "load": None}),
    ],
)
def test_a_foreign_or_torn_manifest_is_no_run(held: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(held)
    for opened in (open_run, training_rows):
        with pytest.raises(InputError, match=r"manifest\.json"):
            opened(tmp_path)


def test_another_recipes_ledger_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = job(tmp_path)
    go(made)
    assert summary(open_run(tmp_path / "run"))["records"] == RECORDS
    other = dataclasses.replace(made.recipe, leftover={Status.SUSPECT: Fate.BORDERLINE, Status.LOW: Fate.DROPPED})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("regold.run.close_run", killed)
    with pytest.raises(KeyboardInterrupt):
        go(dataclasses.replace(made, recipe=other))
    assert "fates" not in summary(open_run(tmp_path / "run"))
    monkeypatch.setattr("regold.run.close_run", fates.close_run)
    go(dataclasses.replace(made, recipe=other))
    assert summary(open_run(tmp_path / "run"))["fates"]["DROPPED"] == 0
