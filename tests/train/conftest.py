"""A tiny model, its tokenizer, and one thread for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tests.tiny import build_tiny


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Two threads collapse beside a busy process, and tests run beside each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_tiny(tmp_path_factory.mktemp("model")))


@pytest.fixture
def tokenizer(tiny: str) -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(tiny)
