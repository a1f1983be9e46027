"""Which models a command line asks for."""

from pathlib import Path

import pytest

from regold.cli.options import Asked
from regold.errors import UsageError

URL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize("model", ["folder", "lab"])
def test_an_adapter_is_the_students_alone(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    roles = Asked(model, judge=model, rater=[model], adapter=Path("lora")).models().roles
    assert {role: spec.adapter for role, spec in roles.items()} == {
        "student": "lora",
        "judge": None,
        "rater": None,
        "scorer": "lora",
    }


def test_an_adapter_is_not_for_a_server() -> None:
    with pytest.raises(UsageError, match="serve it under a name of its own"):
        Asked("m", [URL], adapter=Path("lora")).student()


def test_concurrency_reaches_every_server() -> None:
    models = Asked("m", [URL], judge="j", encoder="openai:e", concurrency=3).models()
    assert models.encoder is not None
    assert {spec.concurrency for spec in (*models.roles.values(), models.encoder)} == {3}
