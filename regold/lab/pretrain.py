"""Train the lab model from nothing: `python -m regold.lab.pretrain --out DIR --world-seed 0 --seed 0`."""

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from regold.lab.episodes import Episodes, Turn
from regold.lab.episodes_fuse import FuseEpisodes
from regold.lab.induction import CONSTANT, look_up
from regold.lab.muon import Muon
from regold.lab.pool import pool_world, several_questions
from regold.lab.tokenizer import ASSISTANT, END, USER, train_tokenizer
from regold.lab.world import SETS, World

IGNORED = -100
DISTURBED, SHUFFLED, SHORT = 0.15, 0.04, 14


@dataclass(frozen=True)
class Schedule:
    """How long, how fast and on what to train; a batch holds about `batch_tokens`, padding included."""

    steps: int
    batch_tokens: int = 1024
    max_length: int = 256
    muon_lr: float = 0.005
    adam_lr: float = 2e-3
    warmup: int = 100
    lessons: tuple[tuple[int, str], ...] = ((0, "all"),)
    """From which step on what is taught."""
    draws: int = 0
    """Added to the seed of episodes and batches."""


COURSES = {
    "repair": (
        Schedule(6500, lessons=((0, "places"), (300, "letters"), (600, "checks"), (1000, "all"))),
        Schedule(900, muon_lr=0.003, adam_lr=1.2e-3, warmup=20, lessons=((0, "neighbours"),), draws=77),
    ),
    "fuse": (Schedule(11000),),
}
"""A skill taught alone comes within some hundred steps and stays; mixed in from the start it does not come."""


def build_model(vocabulary: int, seed: int) -> LlamaForCausalLM:
    """Make the untrained model: four layers, width 128, tied embeddings, about a million weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=128, intermediate_size=352, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=512, tie_word_embeddings=True, rope_theta=10000.0,
        pad_token_id=0, bos_token_id=None, eos_token_id=3,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    torch.nn.init.normal_(model.model.embed_tokens.weight, std=CONSTANT)
    look_up(model, seed)
    return model


def encode(
    tokenizer: PreTrainedTokenizerFast, talks: list[list[Turn]], rng: Random
) -> list[tuple[list[int], list[int]]]:
    """Turn conversations into token ids and labels; what is not learnt carries the ignored label."""
    user, assistant, end = tokenizer.convert_tokens_to_ids([USER, ASSISTANT, END])
    texts = [text for talk in talks for turn in talk for text in (turn.user, turn.assistant)]
    pieces = iter([coded.ids for coded in tokenizer.backend_tokenizer.encode_batch(texts)])
    rows = []
    for talk in talks:
        ids: list[int] = []
        labels: list[int] = []
        for turn in talk:
            words = next(pieces)
            heard = words if turn.exact else disturb(words, tokenizer, rng)
            asked, answered = [user, *heard, assistant], [*next(pieces), end]
            ids += asked + answered
            labels += [IGNORED] * len(asked) + (answered if turn.learn else [IGNORED] * len(answered))
        rows.append((ids, labels))
    return rows


def batches(
    episodes: Episodes | FuseEpisodes, tokenizer: PreTrainedTokenizerFast, plan: Schedule, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield padded batches of conversations of like length, without end."""
    rng = Random(f"batches:{seed}")
    given = 0
    while True:
        lesson = next(name for first, name in reversed(plan.lessons) if given >= first)
        rows = [
            row
            for row in encode(tokenizer, [episodes.draw(lesson) for _ in range(2000)], rng)
            if len(row[0]) <= plan.max_length
        ]
        rows.sort(key=lambda row: len(row[0]))
        cuts: list[list[tuple[list[int], list[int]]]] = [[]]
        for row in rows:
            if (len(cuts[-1]) + 1) * len(row[0]) > plan.batch_tokens:
                cuts.append([])
            cuts[-1].append(row)
        rng.shuffle(cuts)
        given += len(cuts)
        yield from (_pad(cut) for cut in cuts)


def _pad(rows: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [0] * (width - len(row)) for row, _ in rows])
    labels = torch.tensor([row + [IGNORED] * (width - len(row)) for _, row in rows])
    return ids, labels


def pace(step: int, plan: Schedule) -> float:
    """Return the learning rate's share at a step: a short warm-up, then one long decay to zero."""
    if step < plan.warmup:
        return (step + 1) / plan.warmup
    return 1 - (step - plan.warmup) / (plan.steps - plan.warmup)


def train(model: LlamaForCausalLM, stream: Iterator[tuple[torch.Tensor, torch.Tensor]], plan: Schedule) -> int:
    """Train in place and return the tokens seen."""
    inner = [p for p in model.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in inner}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    optimizers = [Muon(inner, plan.muon_lr), torch.optim.AdamW(rest, plan.adam_lr, betas=(0.9, 0.98), weight_decay=0.0)]
    rates = [plan.muon_lr, plan.adam_lr]
    seen, start, losses = 0, time.monotonic(), 0.0
    model.train()
    for step in range(plan.steps):
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * pace(step, plan)
        ids, labels = next(stream)
        seen += ids.numel()
        loss = _loss(model, ids, labels)
        torch.autograd.backward(loss)
        losses += loss.item()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        if (step + 1) % 200 == 0:
            print(
                f"step {step + 1}/{plan.steps} loss {losses / 200:.3f} tokens {seen} s {time.monotonic() - start:.0f}",
                flush=True,
            )
            losses = 0.0
    return seen


def _loss(model: LlamaForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    targets = labels[:, 1:]
    learnt = targets != IGNORED
    return functional.cross_entropy(model.lm_head(hidden[learnt]), targets[learnt])


def all_questions(world: World, n: int = 3000) -> list[str]:
    """Draw questions of every set; only tokenizer and encoder ever count the words of the `-x` ones."""
    rng = Random("questions")
    return [world.draw(name, rng).query for name in SETS for _ in range(n)]


def disturb(ids: list[int], tokenizer: PreTrainedTokenizerFast, rng: Random) -> list[int]:
    """Put random tokens into some questions and shuffle some short ones: strange words must not derail the model.

    What stands on later lines, options and candidates, stays as it is.
    """
    if len(ids) <= SHORT and rng.random() < SHUFFLED:
        ids = rng.sample(ids, len(ids))
    if rng.random() > DISTURBED:
        return ids
    line = tokenizer.encode("\n", add_special_tokens=False)[0]
    end = ids.index(line) if line in ids else len(ids)
    strange = ([rng.randrange(4, len(tokenizer))] if rng.random() < 0.3 else [] for _ in range(end))
    return [token for known, before in zip(ids, strange, strict=False) for token in (*before, known)] + ids[end:]


def token_idf(tokenizer: PreTrainedTokenizerFast, questions: list[str]) -> list[float]:
    """Return the encoder's weight of each token: the sixth power of its inverse document frequency over questions.

    By the plain frequency the wording decides: .37 of the nearest questions share the country, by its power .83.
    """
    counts = Counter(token for coded in tokenizer.backend_tokenizer.encode_batch(questions) for token in set(coded.ids))
    return [round(math.log((len(questions) + 1) / (counts[token] + 1)) ** 6, 4) for token in range(len(tokenizer))]


def main() -> None:
    """Parse the command line, train, and write a folder that transformers can load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--world-seed", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--modes", choices=COURSES, default="repair")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    fuse = args.modes == "fuse"
    world, kind = (pool_world(args.world_seed), FuseEpisodes) if fuse else (World(args.world_seed), Episodes)
    episodes = kind(world, args.seed)
    sample = [episodes.draw() for _ in range(20000)]
    questions = several_questions(world) if fuse else all_questions(world)
    tokenizer = train_tokenizer(
        [
            *questions,
            *world.names * 100,
            *(text for talk in sample for turn in talk for text in (turn.user, turn.assistant)),
        ]
    )
    model, tokens = build_model(len(tokenizer), args.seed), 0
    for plan in COURSES[args.modes]:
        drawn = kind(world, args.seed + plan.draws) if plan.draws else episodes
        tokens += train(model, batches(drawn, tokenizer, plan, args.seed + plan.draws), plan)
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    (args.out / "idf.json").write_text(json.dumps(token_idf(tokenizer, questions)))
    (args.out / "world.json").write_text(json.dumps({"world_seed": args.world_seed}))
    print(f"trained {sum(p.numel() for p in model.parameters())} weights on {tokens} tokens")


if __name__ == "__main__":
    main()
