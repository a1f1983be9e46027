"""Training in several processes, and after a kill, ends in the weights of one unbroken process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from safetensors.torch import load_file

from regold.fingerprint import file_digest
from tests.alone import ENVIRONMENT
from tests.tiny import build_tiny


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Return `train` with records of unlike lengths and weights, so many that no number of processes divides them."""
    build_tiny(tmp_path / "tiny")
    rows = [
        {
            "instruction": f"Code of {n}?" + "x" * (n % 21),
            "output": "y" * (1 + n * 7 % 19),
            "loss_weight": (0.1, 1.0, 0.4, 2.5)[n % 4],
        }
        for n in range(77)
    ]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["train", str(tmp_path / "data.jsonl"), "--model", str(tmp_path / "tiny"), "--json"]


TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m")
ACCELERATE = (  # with --cpu it would start one process, whatever the number asked for
    *("accelerate.commands.launch", "--multi_gpu", "--num_machines", "1", "--num_processes", "2"),
    *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m"),
)


def started(out: Path, words: list[str], launcher: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    launch = [sys.executable, "-m", *launcher, "regold", *words, "--out", str(out)]
    return subprocess.Popen(launch, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def card(out: Path, words: list[str], launcher: tuple[str, ...] = ()) -> dict:
    process = started(out, words, launcher)
    told, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return json.loads(told)


def weights(folder: Path) -> dict:
    return load_file(next(folder.glob("*.safetensors")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "launcher"),
    [
        (["--full", "--learning-rate", "1e-3"], ACCELERATE),
        (["--rank", "4", "--checkpointing", "--packing", "--dropout", "0"], TORCHRUN),
    ],
)
def test_two_processes_end_in_the_weights_of_one(
    tmp_path: Path, words: list[str], how: list[str], launcher: tuple[str, ...]
) -> None:
    one = card(tmp_path / "one", [*words, *how, "--batch-size", "8"])
    two = card(tmp_path / "two", [*words, *how, "--batch-size", "4"], launcher)
    assert (one["steps"], two["steps"], two["processes"]) == (20, 20, 2)
    assert [loss for _, loss in two["losses"]] == pytest.approx([loss for _, loss in one["losses"]], rel=1e-4)
    ours, theirs = weights(tmp_path / "one"), weights(tmp_path / "two")
    before = load_file(tmp_path / "tiny" / "model.safetensors")
    furthest = max(float((ours[name] - theirs[name]).abs().max()) for name in ours)
    moved = max(float((w - before.get(n, 0)).abs().max()) for n, w in ours.items() if n in before or "lora_B" in n)
    print(f"two processes against one, 20 steps: max |dw| {furthest:.1e}, where training moved a weight by {moved:.1e}")
    assert furthest <= 1e-4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.jsonl", "one", "tiny", "two"]


def newest(scratch: Path) -> int:
    """Return the step of the newest checkpoint that is whole, 0 before the first."""
    found = scratch.glob("checkpoint-*/trainer_state.json")
    return max((int(state.parent.name.removeprefix("checkpoint-")) for state in found), default=0)


def killed_after(step: int, wait_s: float, out: Path, words: list[str]) -> int:
    """Start a training, kill it `wait_s` after the checkpoint of a step or later, and return its newest checkpoint."""
    process, scratch = started(out, words), out.with_name(f"{out.name}.part")
    while newest(scratch) < step:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(wait_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    return newest(scratch)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "seed"), [(["--full"], 1), (["--rank", "4", "--dropout", "0.1"], 2)])
def test_a_training_killed_at_random_steps_goes_on_to_the_same_bytes(
    tmp_path: Path, words: list[str], how: list[str], seed: int
) -> None:
    words = [*words, *how, "--batch-size", "4", "--accumulate", "2", "--epochs", "40", "--save-minutes", "0.005"]
    card(tmp_path / "whole", words)
    rng = Random(seed)
    steps = sorted(rng.sample(range(1, 350), 3))
    held = [killed_after(step, rng.uniform(0, 0.4), tmp_path / "cut", words) for step in steps]
    resumed = card(tmp_path / "cut", words)
    assert 0 < held[0] < held[1] < held[2] == resumed["resumed_from"] < resumed["steps"] == 400
    print(f"killed after steps {steps}, resumed from {held} of 400: the same bytes")
    name = next((tmp_path / "whole").glob("*.safetensors")).name
    assert file_digest(tmp_path / "whole" / name) == file_digest(tmp_path / "cut" / name)
    assert not (tmp_path / "cut.part").exists()
