"""A tiny model, its tokenizer, and one thread for them."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tests.tiny import build_tiny


@pytest.fixture(autouse=True, scope="module")
def _always(one_thread: None) -> None:
    """Run every test of this room on one thread."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_tiny(tmp_path_factory.mktemp("model")))


@pytest.fixture
def tokenizer(tiny: str) -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(tiny)
