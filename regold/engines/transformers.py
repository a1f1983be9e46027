"""A model in this process, through transformers: concurrent requests go in batches to one worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoConfig

from regold.engines.base import Completion, EngineSpec, Need, Request, TokenScores
from regold.engines.decode import Job, LocalModel, Said
from regold.engines.gather import Gather
from regold.engines.probing import lacks
from regold.engines.template import adapter_template, render
from regold.engines.weights import folder_digest
from regold.engines.wire import clip, spoken
from regold.errors import EngineLacks, EngineRefused, InputError, RecipeError, RequestFailed
from regold.fingerprint import digest
from regold.record import Message, Messages

A = TypeVar("A")
B = TypeVar("B")
Pair = tuple[list[int], list[int]]


class TransformersEngine:
    """One local model: a folder, or a name on the hub, with or without an adapter. Loaded at the first request.

    An adapter's folder that holds a chat template is asked with that one, as it was trained.
    """

    def __init__(self, spec: EngineSpec) -> None:
        if not spec.model:
            raise RecipeError("no model: give a folder with a model, or its name on the hub")
        self.spec = spec
        self.device = spec.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._config = _config(spec)
        self._thread = ThreadPoolExecutor(1, "model")
        self._loading: asyncio.Future[LocalModel] | None = None
        self._loaded: LocalModel | None = None
        self._said: Gather[Job, Said | RequestFailed] = Gather(
            lambda jobs: self._batch(lambda model: model.generate(jobs)), spec.batch, lambda job: len(job.ids)
        )
        self._scored: Gather[Pair, list[float] | RequestFailed] = Gather(
            lambda pairs: self._batch(lambda model: model.score(pairs)), spec.batch, lambda p: len(p[0]) + len(p[1])
        )

    @cached_property
    def dtype(self) -> str:
        """Return the numbers' type: as asked, else 32 bits on a CPU and the checkpoint's own elsewhere."""
        own = str(getattr(self._config, "dtype", None) or torch.float32).removeprefix("torch.")
        dtype = self.spec.dtype or ("float32" if self.device == "cpu" else own)
        if not isinstance(getattr(torch, dtype, None), torch.dtype):
            raise RecipeError(f"no dtype {dtype!r}: use float32, bfloat16 or float16")
        return dtype

    @cached_property
    def identity(self) -> str:
        """Weights, tokenizer and template by digest (or commit, from the hub), adapter and dtype."""
        folder = Path(self.spec.model)
        pinned = getattr(self._config, "_commit_hash", None) or self.spec.revision or "unpinned"
        model = folder_digest(folder) if folder.is_dir() else f"{self.spec.model}@{pinned}"
        adapter = f" adapter {_adapter(self.spec.adapter)}" if self.spec.adapter else ""
        adapter += " with its own chat template" if adapter_template(self.spec.model, self.spec.adapter) else ""
        return f"transformers {model}{adapter} {self.dtype}"

    async def generate(self, request: Request) -> Completion:
        """Answer one request. A schema is not enforced; `probe` says so to recipes that need one."""
        model = await self._model()
        ids = self._rendered(model, request.messages)
        room = model.positions - len(ids)
        if room < 1:
            raise RequestFailed(f"the prompt has {len(ids)} tokens and the model reads {model.positions}")
        asked = replace(request, messages=spoken(request.messages))
        seed = int(digest(self.identity, asked)[:15], 16) if request.temperature > 0 else 0
        said = await self._said(
            Job(ids, min(request.max_tokens, room), request.temperature, request.top_p, request.stop, seed)
        )
        if isinstance(said, RequestFailed):
            raise said
        return Completion(
            text=said.text,
            finish=said.finish,
            logprobs=tuple(said.logprobs) if request.logprobs else None,
            prompt_tokens=len(ids),
            completion_tokens=said.steps,
        )

    async def score(self, prompt: Messages, response: str) -> TokenScores:
        """Score a response's own tokens after the rendered prompt."""
        model = await self._model()
        ids = self._rendered(model, prompt)
        own: list[int] = model.tokenizer(response, add_special_tokens=False, verbose=False).input_ids
        if not own:
            return TokenScores((), len(ids))
        if len(ids) + len(own) > model.positions:
            raise RequestFailed(
                f"prompt and response have {len(ids) + len(own)} tokens and the model reads {model.positions}"
            )
        scores = await self._scored((ids, own))
        if isinstance(scores, RequestFailed):
            raise scores
        return TokenScores(tuple(scores), len(ids))

    def _rendered(self, model: LocalModel, messages: Messages) -> list[int]:
        if model.tokenizer.chat_template is None:
            raise EngineLacks(f"{self.spec.model} has no chat template: give an instruction-tuned model")
        try:
            text = render(model.tokenizer, messages, prompting=True)
        except InputError as error:
            raise RequestFailed(f"this conversation cannot be asked: {clip(error.what)}") from None
        ids: list[int] = model.tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return ids

    async def _model(self) -> LocalModel:
        if self._loaded is None:
            if self._loading is None or self._loading.cancelled():
                self._loading = asyncio.ensure_future(self._in_thread(self._load))
            self._loaded = await asyncio.shield(self._loading)
        return self._loaded

    def _load(self) -> LocalModel:
        return LocalModel(self.spec, self.device, self.dtype)

    async def _batch(self, work: Callable[[LocalModel], Sequence[A]]) -> Sequence[A]:
        model = await self._model()
        return await self._in_thread(lambda: work(model))

    async def _in_thread(self, work: Callable[[], B]) -> B:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def probe(self, needs: frozenset[Need]) -> None:
        """Load the model. Raises EngineLacks for a schema, which nothing here enforces, or a missing chat template."""
        if Need.SCHEMA in needs:
            raise lacks(self.spec.model, Need.SCHEMA, "the engine in this process cannot enforce a form")
        self._rendered(await self._model(), (Message("user", "Hello"),))

    async def close(self) -> None:
        """Release the model."""
        await self._said.close()
        await self._scored.close()
        self._loaded = self._loading = None
        self._thread.shutdown(wait=True)
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()


def _config(spec: EngineSpec) -> Any:
    try:
        return AutoConfig.from_pretrained(spec.model, revision=spec.revision)
    except (OSError, ValueError, KeyError) as error:
        raise EngineRefused(f"{spec.model}: no model there, in a folder or on the hub ({clip(str(error))})") from None


def _adapter(adapter: str) -> str:
    return folder_digest(adapter) if Path(adapter).is_dir() else adapter
