"""A tiny model, built once a session."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny random Llama."""
    from tests.tiny import build_tiny  # torch takes seconds to import, and most tests need no model

    return build_tiny(tmp_path_factory.mktemp("models") / "tiny")
