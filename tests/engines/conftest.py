"""A tiny model, built once a session."""

import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which then retries for minutes


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny random Llama."""
    from tests.tiny import build_tiny  # torch takes seconds to import, and most tests need no model

    return build_tiny(tmp_path_factory.mktemp("models") / "tiny")
