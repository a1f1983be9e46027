"""A causal language model in this process: batched decoding and scoring with torch; blocking, for one thread."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from regold.engines.base import EngineSpec
from regold.engines.template import adapter_template
from regold.errors import EngineRefused, MissingExtra, RequestFailed

TINY = 50_000_000
"""Parameters below which a second thread on a busy machine costs more than it gives."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Job:
    """One completion to decode."""

    ids: list[int]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0


@dataclass(slots=True)
class Said:
    """What was decoded for a job; `ids` and `logprobs` leave out the end-of-turn token and what a stop string cut."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    text: str = ""
    finish: str = "length"
    steps: int = 0
    """Tokens decoded, all counted."""


class LocalModel:
    """A loaded model with its tokenizer. Raises EngineRefused where there is none to load."""

    def __init__(self, spec: EngineSpec, device: str, dtype: str) -> None:
        transformers_logging.disable_progress_bar()
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(spec.model, revision=spec.revision)
            model = AutoModelForCausalLM.from_pretrained(
                spec.model, revision=spec.revision, dtype=getattr(torch, dtype)
            )
        except (OSError, ValueError, KeyError) as error:
            raise EngineRefused(f"{spec.model}: cannot be loaded as a causal language model ({error})") from None
        self.tokenizer.chat_template = adapter_template(spec.model, spec.adapter) or self.tokenizer.chat_template
        self.model = (_adapted(model, spec.adapter) if spec.adapter else model).to(device).eval()
        self.device = torch.device(device)
        if device == "cpu" and "OMP_NUM_THREADS" not in os.environ and self.model.num_parameters() < TINY:
            torch.set_num_threads(1)
        self.ends = _ends(self.model, self.tokenizer)
        self.positions = int(getattr(self.model.config.get_text_config(), "max_position_embeddings", 0) or 2**31)
        self._keeps = "logits_to_keep" in inspect.signature(self.model.forward).parameters
        pad = self.tokenizer.pad_token_id
        self._pad = int(pad if pad is not None else min(self.ends, default=0))

    @torch.inference_mode()
    def generate(self, jobs: Sequence[Job]) -> list[Said | RequestFailed]:
        """Decode a batch; a greedy answer does not depend on who else is in it, up to rounding."""
        return _halving(self._generate, jobs)

    def _generate(self, jobs: Sequence[Job]) -> list[Said]:
        said = [Said() for _ in jobs]
        dice = _dice(jobs)
        ids, mask = self._left_padded([job.ids for job in jobs])
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        rows, cache, step = list(range(len(jobs))), None, 0
        while True:
            out = self._forward(ids, mask, places, cache)
            tokens, logprobs = _choose(out.logits[:, -1].float(), [jobs[r] for r in rows], dice[rows, step])
            said_now = zip(rows, tokens.tolist(), logprobs, strict=True)
            live = [i for i, (row, *own) in enumerate(said_now) if not self._take(said[row], jobs[row], *own)]
            if not live:
                return [self._told(s, job) for s, job in zip(said, jobs, strict=True)]
            step, cache, ids, places = step + 1, out.past_key_values, tokens[:, None], places[:, -1:] + 1
            if len(live) <= len(rows) // 2:
                # Rows that have ended still cost a row; drop them once they are half.
                kept = torch.tensor(live, device=self.device)
                cache.batch_select_indices(kept)
                ids, places, mask, rows = ids[kept], places[kept], mask[kept], [rows[i] for i in live]
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)

    def _take(self, said: Said, job: Job, token: int, logprob: float) -> bool:
        """Add a token to an answer and say whether the answer is complete."""
        if said.finish == "stop" or said.steps >= job.max_tokens:
            return True
        said.steps += 1
        if token in self.ends:
            said.finish = "stop"
            return True
        said.ids.append(token)
        said.logprobs.append(logprob)
        if job.stop and any(stop in self._text(said.ids) for stop in job.stop):
            said.finish = "stop"
        return said.finish == "stop" or said.steps >= job.max_tokens

    def _told(self, said: Said, job: Job) -> Said:
        said.text = self._text(said.ids)
        cuts = [at for stop in job.stop if (at := said.text.find(stop)) >= 0]
        if cuts:
            said.text = said.text[: min(cuts)]
            while said.ids and len(self._text(said.ids[:-1])) >= len(said.text):
                said.ids.pop()
                said.logprobs.pop()
        return said

    def _text(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    @torch.inference_mode()
    def score(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[list[float] | RequestFailed]:
        """Return the log-probabilities of each second list of tokens after the first."""
        return _halving(self._score, pairs)

    def _score(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[list[float]]:
        ids, mask = self._left_padded([prefix + own for prefix, own in pairs])
        longest = max(len(own) for _, own in pairs)
        logits = self._forward(ids, mask, (mask.cumsum(-1) - 1).clamp(min=0), None, longest + 1, False).logits
        scores = []
        for row, (_, own) in zip(logits, pairs, strict=True):
            predicted = row[-1 - len(own) : -1].float().log_softmax(-1)
            wanted = torch.tensor(own, device=self.device)[:, None]
            scores.append([float(v) for v in predicted.gather(-1, wanted)[:, 0].tolist()])
        return scores

    def _forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        places: torch.Tensor,
        cache: Any,
        keep: int = 1,
        caching: bool = True,
    ) -> Any:
        kept = {"logits_to_keep": keep} if self._keeps else {}
        return self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=caching,
            **kept,
        )

    def _left_padded(self, rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(map(len, rows))
        ids = [[self._pad] * (longest - len(row)) + row for row in rows]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        return torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device)


def _adapted(model: Any, adapter: str) -> Any:
    try:
        from peft import PeftModel
    except ModuleNotFoundError:
        raise MissingExtra("peft", "train") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what peft has to settle with transformers
            return PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except (OSError, ValueError) as error:
        raise EngineRefused(f"{adapter}: cannot be loaded as an adapter ({error})") from None


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    given = model.generation_config.eos_token_id if model.generation_config else None
    listed = given if isinstance(given, list) else [given]
    return frozenset(int(e) for e in (*listed, tokenizer.eos_token_id) if e is not None)


def _dice(jobs: Sequence[Job]) -> np.ndarray:
    """Draw every job's chances beforehand from its own seed, so that company never changes what is sampled."""
    dice = np.zeros((len(jobs), max(job.max_tokens for job in jobs) + 1))
    for row, job in zip(dice, jobs, strict=True):
        if job.temperature > 0:
            row[: job.max_tokens] = np.random.default_rng(job.seed).random(job.max_tokens)
    return dice


def _choose(logits: torch.Tensor, jobs: Sequence[Job], chances: np.ndarray) -> tuple[torch.Tensor, list[float]]:
    """Return the next tokens and their log-probabilities under the model as it is, before any temperature."""
    tokens = logits.argmax(-1)
    drawn = [i for i, job in enumerate(jobs) if job.temperature > 0]
    if drawn:
        tokens[drawn] = _draw(logits[drawn], [jobs[i] for i in drawn], chances[drawn])
    chosen = logits.gather(-1, tokens[:, None])[:, 0]
    return tokens, (chosen - logits.logsumexp(-1)).tolist()


def _draw(logits: torch.Tensor, jobs: Sequence[Job], chances: np.ndarray) -> torch.Tensor:
    heat = torch.tensor([[job.temperature] for job in jobs], dtype=torch.float64, device=logits.device)
    odds, order = (logits.double() / heat).softmax(-1), None
    if any(job.top_p < 1 for job in jobs):
        odds, order = odds.sort(stable=True, dim=-1, descending=True)
        nucleus = torch.tensor([[job.top_p] for job in jobs], dtype=torch.float64, device=logits.device)
        odds = odds.where(odds.cumsum(-1) - odds < nucleus, 0.0)
    heaps = odds.cumsum(-1)
    reach = torch.tensor(chances, device=logits.device)[:, None] * heaps[:, -1:]
    picked = torch.searchsorted(heaps, reach, right=True).clamp(max=logits.shape[-1] - 1)
    return (picked if order is None else order.gather(-1, picked))[:, 0]


def _halving(run: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R | RequestFailed]:
    """Run a batch, in halves where it does not fit into memory."""
    try:
        return list(run(items))
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        if len(items) == 1:
            return [RequestFailed("the prompt does not fit into the device's memory")]
    half = len(items) // 2
    return [*_halving(run, items[:half]), *_halving(run, items[half:])]
