"""NoiseAL at laboratory scale: two learners split the records, the model relabels the middle, each group has its loss.

A reconstruction of what arXiv 2412.14922 compares with; what the sources leave open is a named constant here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from regold.engines import Request
from regold.evaluate.neighbours import Neighbours
from regold.formats import Row, read_rows
from regold.lab.ground import Field
from regold.lab.learner import Learner, Pack
from regold.methods.answers import read_answer
from regold.methods.candidates import Candidate, final_response
from regold.methods.detection import detection
from regold.prompts import load_prompts
from regold.record import Messages, Record
from regold.together import together
from regold.train import TrainSettings
from regold.truth import is_right

CLEAN, PURIFY, HARD = "clean", "purify", "hard"
WARM = 3
"""Epochs in which both learners read everything as given, and their confidence is memorised."""
HARD_SHARE = 0.25
"""Of the records that are not clean, the share with the least memorised confidence."""
NEIGHBOURS = 3
MIX = 0.75
"""Both parameters of mixup's Beta distribution."""
FLOOR = -4.0
"""What the logarithm of a label's zero probability counts as in the reversed cross-entropy."""


def split(confidence: np.ndarray, predicted: np.ndarray, hard_share: float = HARD_SHARE) -> np.ndarray:
    """Return each record's group from two learners' memorised confidence and predictions, both of shape (2, records).

    Clean: both learners predict the given response and their mean confidence is at least the mean over all records.
    Hard: of the others, the share with the least confidence. Purify: the middle.
    """
    mean = confidence.mean(axis=0)
    clean = predicted.all(axis=0) & (mean >= mean.mean())
    groups = np.where(clean, CLEAN, PURIFY).astype(object)
    rest = np.flatnonzero(~clean)
    groups[rest[np.argsort(mean[rest], kind="stable")][: int(hard_share * len(rest))]] = HARD
    return groups


def reversed_cross_entropy(logits: torch.Tensor, labels: torch.Tensor, floor: float = FLOOR) -> torch.Tensor:
    """Return -sum_k p_k log q_k of each token, q the one-hot label with log 0 = `floor`: -floor (1 - p_label).

    Logits are (records, tokens, vocabulary), labels (records, tokens) with negatives ignored, which count 0.
    """
    p = logits.float().softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return torch.where(labels >= 0, -floor * (1 - p), torch.zeros_like(p))


async def noiseal(field: Field, data: Path, out: Path, settings: TrainSettings) -> dict[str, Any]:
    """Train NoiseAL on a noisy file and save a whole model in `out`; returns groups, detection and cost as figures."""
    rows = list(read_rows(data))
    with torch.random.fork_rng():
        learners = [Learner.fresh(field.ground.model, settings, 2 * settings.seed + n) for n in (1, 2)]
        packs = learners[0].packed([row.messages for row in rows])
        confidence, predicted = _memorise(learners, packs)
        groups = split(confidence, predicted)
        told = await _relabel(field, rows, groups)
        final = Learner.fresh(field.ground.model, settings, settings.seed)
        final.learn(final.packed(told["messages"]), settings.epochs, _grouped(final, groups, settings.seed))
        final.save(out)
    flags = [group != CLEAN for group in groups]
    found = detection([row.noise is not None for row in rows], flags, (-confidence.mean(axis=0)).tolist())
    names = ("precision", "recall", "f1", "auroc", "flagged", "wrong")
    counts = {name: int((groups == name).sum()) for name in (CLEAN, PURIFY, HARD)}
    rights = [
        is_right(m[-1].content, row.truth or "", row.options) for m, row in zip(told["messages"], rows, strict=True)
    ]
    return {
        "detection": {name: getattr(found, name) for name in names},
        "groups": counts,
        "labels_right": sum(rights) / len(rights),
        "calls": counts[PURIFY],
        "prompt_tokens": told["prompt_tokens"],
        "completion_tokens": told["completion_tokens"],
    }


def _memorise(learners: Sequence[Learner], packs: Sequence[Pack]) -> tuple[np.ndarray, np.ndarray]:
    """Train both learners on everything as given; returns mean confidence over the epochs and last predictions."""
    confidence, predicted = np.zeros((len(learners), len(packs))), np.zeros((len(learners), len(packs)), dtype=bool)
    for place, learner in enumerate(learners):
        for seen in learner.epochs(packs, WARM, learner.plain):
            confidence[place] += seen.confidence / WARM
            predicted[place] = seen.predicted
    return confidence, predicted


def _grouped(learner: Learner, groups: np.ndarray, seed: int) -> Any:
    """Return the loss of a batch: cross-entropy on clean, reversed on relabelled, mixup on hard, over its tokens."""
    chance = np.random.default_rng(seed)

    def loss(packs: Sequence[Pack], places: Sequence[int]) -> torch.Tensor:
        parts, tokens = [], 0
        for group in (CLEAN, PURIFY, HARD):
            own = [packs[place] for place in places if groups[place] == group]
            if not own:
                continue
            if group == HARD:
                shares = torch.tensor(chance.beta(MIX, MIX, len(own)), dtype=torch.float32)
                nll, count = learner.mixed(own, chance.permutation(len(own)).tolist(), shares)
            else:
                nll, count = learner.token_loss(own, None if group == CLEAN else reversed_cross_entropy)
            parts.append(nll)
            tokens += count
        return torch.stack(parts).sum() / tokens

    return loss


async def _relabel(field: Field, rows: Sequence[Row], groups: np.ndarray) -> dict[str, Any]:
    """Return all messages with the middle group answered anew after its nearest clean records, and the tokens spent."""
    clean = [row for row, group in zip(rows, groups, strict=True) if group == CLEAN]
    prompts, spent = load_prompts("lab"), [0, 0]
    near = await Neighbours.of(field.encoder, clean or rows)
    records = [Record(row.id, row.messages, row.options) for row in rows]
    places = [n for n, group in enumerate(groups) if group == PURIFY]
    shots = await near.places([records[n] for n in places], NEIGHBOURS if clean else 0)

    async def one(record: Record, shown: Sequence[int]) -> Messages:
        said = await field.engine.generate(Request(near.shown(record, shown, prompts), max_tokens=64))
        spent[0], spent[1] = spent[0] + said.prompt_tokens, spent[1] + said.completion_tokens
        answer = read_answer(said.text, record.response, record.options, said.finish)
        return record.answered(final_response(record, Candidate(answer, said.text))) if answer else record.messages

    new = await together([one(records[n], shown) for n, shown in zip(places, shots, strict=True)])
    messages = [record.messages for record in records]
    for place, message in zip(places, new, strict=True):
        messages[place] = message
    return {"messages": messages, "prompt_tokens": spent[0], "completion_tokens": spent[1]}
