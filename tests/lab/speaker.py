"""Ask a checkpoint in every mode, in batches, without the engines under test elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from regold.engines.static import StaticEncoder
from regold.lab.world import Item
from regold.prompts import load_prompts

PROMPTS = load_prompts("lab")


@dataclass(frozen=True)
class Said:
    """A greedy answer, what it states, and its mean negative log-likelihood in nats per token."""

    text: str
    answer: str
    mean_nll: float


class Speaker:
    """A checkpoint that answers chats greedily."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()

    @torch.no_grad()
    def chat(self, talks: Sequence[Sequence[str]], most: int, batch: int = 100) -> list[Said]:
        """Answer conversations given as texts of user and assistant in turn."""
        roles = ("user", "assistant")
        messages = [[{"role": roles[n % 2], "content": text} for n, text in enumerate(talk)] for talk in talks]
        prompts = [self.tokenizer.apply_chat_template(m, tokenize=False, add_generation_prompt=True) for m in messages]
        return [said for at in range(0, len(prompts), batch) for said in self._batch(prompts[at : at + batch], most)]

    def _batch(self, prompts: list[str], most: int) -> list[Said]:
        coded = self.tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
        keep = {name: coded[name] for name in ("input_ids", "attention_mask")}
        out = self.model.generate(
            **keep, max_new_tokens=most, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
        new = out.sequences[:, keep["input_ids"].shape[1] :]
        logs = torch.stack(out.logits, 1).log_softmax(-1).gather(2, new[:, :, None])[:, :, 0]
        shown = new != self.tokenizer.pad_token_id
        nll = -(logs * shown).sum(1) / shown.sum(1)
        texts = self.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [Said(text, stated(text), float(loss)) for text, loss in zip(texts, nll, strict=True)]

    def direct(self, items: Sequence[Item]) -> list[Said]:
        return self.chat([[PROMPTS.render("direct", query=item.query)] for item in items], 10)

    def reason(self, items: Sequence[Item]) -> list[Said]:
        return self.chat([[PROMPTS.render("reason", query=item.query)] for item in items], 60)

    def reflect(self, items: Sequence[Item], attempts: Sequence[Said]) -> list[Said]:
        asked = [PROMPTS.render("reason", query=item.query) for item in items]
        again = PROMPTS.text("reflect")
        return self.chat([[q, said.text, again] for q, said in zip(asked, attempts, strict=True)], 60)

    def context(self, items: Sequence[Item], shots: Sequence[Sequence[Item]]) -> list[Said]:
        talks = []
        for item, near in zip(items, shots, strict=True):
            earlier = [text for n in near for text in (PROMPTS.render("context", query=n.query), n.answer)]
            talks.append([*earlier, PROMPTS.render("context", query=item.query)])
        return self.chat(talks, 10)

    def review(self, items: Sequence[Item], pairs: Sequence[tuple[str, str]]) -> list[Said]:
        talks = [
            [PROMPTS.render("review", query=i.query, first=a, second=b)] for i, (a, b) in zip(items, pairs, strict=True)
        ]
        return self.chat(talks, 60)

    def check(self, items: Sequence[Item], responses: Sequence[str]) -> list[Said]:
        talks = [[PROMPTS.render("check", query=i.query, response=r)] for i, r in zip(items, responses, strict=True)]
        return self.chat(talks, 4)


def stated(text: str) -> str:
    """Return the last answer statement, or the whole text."""
    found = re.findall(r"answer is (.+?)\.(?:\s|$)", text)
    return found[-1] if found else text.strip()


def right(said: Sequence[Said], items: Sequence[Item]) -> np.ndarray:
    """Return which answers are right."""
    return np.array([s.answer == item.answer for s, item in zip(said, items, strict=True)])


def neighbours(encoder: StaticEncoder, items: Sequence[Item], pool: Sequence[Item], k: int = 3) -> list[list[Item]]:
    """Return each item's nearest others in the pool, nearest last."""
    ours, theirs = (asyncio.run(encoder.encode([i.query for i in group], {})) for group in (items, pool))
    order = np.argsort(-ours @ theirs.T, axis=1)[:, :k]
    return [[pool[n] for n in row[::-1]] for row in order]


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    """Return the probability that a positive scores above a negative (no ties expected)."""
    ranks = score.argsort().argsort() + 1.0
    hits, misses = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))
