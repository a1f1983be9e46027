"""Compare the time and memory of `regold.train` with plain TRL on the lab model; prints JSON with their ratios.

Each training runs in a process of its own, in turns with the others, so that a busy machine slows all alike; figures
are medians over the rounds. Both train every weight with loss on responses only, on the same conversations in batches
of the same size; ours also weighs each record. The processor time of the steps alone is counted, so another
process beside does not enter.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WAYS = ("trl", "regold", "trl packed", "regold packed")
BATCH = 16


def conversations(records: int, prompt: int, answer: int) -> list[tuple[str, str]]:
    """Return queries and answers of unlike lengths, in letters of the lab model's alphabet."""
    text = "the quick brown fox sells seven blue lamps to the old baker of the town " * 20
    return [
        (text[n % 50 :][: prompt // 2 + n * 37 % prompt], text[n % 70 :][: answer // 2 + n * 23 % answer])
        for n in range(records)
    ]


def with_trl(model: str, pairs: list[tuple[str, str]], packed: bool, out: str) -> tuple[float, float, int]:
    """Return seconds of processor, the loss, and the bytes held before the first step."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from regold.train.loop import CHECKPOINTING

    torch.set_num_threads(1)
    said = [
        {"prompt": [{"role": "user", "content": q}], "completion": [{"role": "assistant", "content": a}]}
        for q, a in pairs
    ]
    packing = {"packing": True, "padding_free": False, "packing_strategy": "wrapped"} if packed else {}
    arguments = SFTConfig(
        output_dir=out,
        num_train_epochs=1,
        per_device_train_batch_size=1 if packed else BATCH,
        max_length=BATCH * _mean(model, pairs) if packed else 2048,
        learning_rate=1e-3,
        completion_only_loss=True,
        bf16=False,
        use_cpu=True,
        **{CHECKPOINTING: False},
        **packing,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        logging_steps=1.0,
        dataloader_pin_memory=False,
    )
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=arguments,
        train_dataset=Dataset.from_list(said),
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    held, began = _peak(), time.process_time()
    done = trainer.train()
    return time.process_time() - began, float(done.training_loss), held


def with_regold(model: str, pairs: list[tuple[str, str]], packed: bool, out: str) -> tuple[float, float, int]:
    """Return the same of our trainer, each record with a weight."""
    import torch

    from regold.record import Message
    from regold.train.encode import EncodeChat
    from regold.train.job import encode_all
    from regold.train.loop import build
    from regold.train.network import load_network, load_tokenizer
    from regold.train.settings import TrainSettings

    torch.set_num_threads(1)
    settings = TrainSettings(epochs=1, learning_rate=1e-3, batch_size=BATCH, full=True, packing=packed)
    tokenizer = load_tokenizer(model)
    rows = [((Message("user", q), Message("assistant", a)), 0.5 + n % 3 / 4) for n, (q, a) in enumerate(pairs)]
    encoded, weights, _ = encode_all(EncodeChat(tokenizer), rows, settings.max_length)
    network = load_network(model, settings, half=False)
    trainer = build(network, tokenizer, encoded, weights, settings=settings, scratch=Path(out))
    held, began = _peak(), time.process_time()
    done = trainer.train()
    return time.process_time() - began, float(done.training_loss), held


def _mean(model: str, pairs: list[tuple[str, str]]) -> int:
    """Return the mean length of a conversation, so that one packed row of TRL's holds a batch."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    talks = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in pairs]
    texts = [tokenizer.apply_chat_template(talk, tokenize=False) for talk in talks]
    return sum(len(tokenizer(text).input_ids) for text in texts) // len(pairs)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def one(way: str, model: str, records: int, prompt: int, answer: int) -> dict[str, Any]:
    """Train once in this process and return its figures."""
    pairs, packed = conversations(records, prompt, answer), way.endswith("packed")
    with tempfile.TemporaryDirectory() as out:
        seconds, loss, held = (with_trl if way.startswith("trl") else with_regold)(model, pairs, packed, out)
    return {"seconds": seconds, "loss": loss, "step_bytes": _peak() - held, "peak_bytes": _peak()}


def main() -> None:
    """Train every way for every round and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(Path(__file__).parents[1] / "regold/lab/model"))
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--prompt", type=int, default=400, help="mean letters of a query")
    parser.add_argument("--answer", type=int, default=80, help="mean letters of an answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="train once in this process, and print its figures")
    given = parser.parse_args()
    if given.way:
        print(json.dumps(one(given.way, given.model, given.records, given.prompt, given.answer)))
        return
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(given.rounds):
        for way in WAYS:
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--way", way], capture_output=True, text=True, check=True
            )
            found[way].append(json.loads(done.stdout.splitlines()[-1]))
    middle = {way: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for way, runs in found.items()}
    ratios = {
        f"{ours} to {theirs}": {
            key: round(middle[ours][key] / middle[theirs][key], 3) for key in ("seconds", "step_bytes", "peak_bytes")
        }
        for ours, theirs in (("regold", "trl"), ("regold packed", "trl packed"), ("regold packed", "regold"))
    }
    print(json.dumps({"settings": vars(given), "ratios": ratios, "medians": middle}, indent=1))


if __name__ == "__main__":
    main()
