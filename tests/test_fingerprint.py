"""The digest is stable, tells types apart, and refuses what has no stable form."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from regold.fingerprint import digest
from regold.record import Status


@dataclass(frozen=True)
class Setting:
    share: float = 0.5
    rounds: int = 1


def test_the_same_values_give_the_same_digest_in_another_process() -> None:
    code = "from regold.fingerprint import digest; print(digest({'b': [1, 2.5, None], 'a': {'x', 'y', 'z'}}, 'é'))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert there == digest({"a": {"z", "y", "x"}, "b": [1, 2.5, None]}, "é")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, "1"),
        (True, 1),
        (None, "null"),
        ([1, 2], [[1, 2]]),
        (b"a", "a"),
        ({"a": 1}, [["a", 1]]),
        (Setting(), {"share": 0.5, "rounds": 1}),
        (Setting(), Setting(rounds=2)),
        (Status.NEW, "NEW"),
        (["ab"], ["a", "b"]),
    ],
)
def test_different_values_and_types_differ(one: object, other: object) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize("value", [Path("x"), object(), print, lambda: 1, {1: "a"}, 1j])
def test_what_has_no_stable_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        digest(value)
