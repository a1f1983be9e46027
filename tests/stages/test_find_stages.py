from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from regold import stages
from regold.errors import RecipeError
from regold.stages import STAGES, find_stages


def _offer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    def offered(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group)]

    monkeypatch.setattr(stages, "entry_points", offered)


def test_an_installed_package_can_add_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch, "Another", "regold.stages.select:KeepConfident")
    found: dict[str, Any] = find_stages()
    assert found["Another"] is STAGES["KeepConfident"]
    assert set(found) == {*STAGES, "Another"}


def test_it_can_neither_offer_something_else_nor_take_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch, "Another", "regold.record:Record")
    with pytest.raises(RecipeError, match="not a Stage"):
        find_stages()
    _offer(monkeypatch, "DropDuplicates", "regold.stages.select:KeepConfident")
    with pytest.raises(RecipeError, match="rename"):
        find_stages()
