"""The door to models: what answers, scores and embeds."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from regold.engines.base import (
    Completion,
    Encoder,
    Engine,
    EngineSpec,
    Need,
    Request,
    TokenScores,
)
from regold.engines.scripted import ScriptedEngine, load_script
from regold.errors import MissingExtra, RecipeError

ENGINES = {
    "openai": ("regold.engines.openai", "OpenAIEngine", None),
    "transformers": ("regold.engines.transformers", "TransformersEngine", "transformers"),
}
ENCODERS = {
    "lexical": ("regold.engines.lexical", "LexicalEncoder", None),
    "openai": ("regold.engines.openai_encoder", "OpenAIEncoder", None),
    "sentence-transformers": ("regold.engines.sentences", "SentenceEncoder", "embed"),
    "static": ("regold.engines.static", "StaticEncoder", "transformers"),
}
"""Where each kind lives, and the extra that installs what it needs; loaded only when opened."""


def open_engine(spec: EngineSpec) -> Engine:
    """Open what answers. Raises RecipeError for an unknown kind, MissingExtra where its packages are not installed."""
    if spec.kind == "scripted":
        return ScriptedEngine(load_script(spec.model))
    engine: Engine = _load(spec.kind, ENGINES, "engine", ("scripted",))(spec)
    return engine


def open_encoder(spec: EngineSpec) -> Encoder:
    """Open what embeds. Raises RecipeError for an unknown kind, MissingExtra where its packages are not installed."""
    encoder: Encoder = _load(spec.kind, ENCODERS, "encoder", ())(spec)
    return encoder


def _load(kind: str, known: dict[str, tuple[str, str, str | None]], noun: str, others: tuple[str, ...]) -> Any:
    if kind not in known:
        raise RecipeError(f"no {noun} of kind {kind!r}: use one of {', '.join(sorted((*known, *others)))}")
    module, name, extra = known[kind]
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith("regold"):
            raise
        raise MissingExtra(error.name or kind, extra) from None


__all__ = [
    "Completion",
    "Encoder",
    "Engine",
    "EngineSpec",
    "Need",
    "Request",
    "TokenScores",
    "open_encoder",
    "open_engine",
]
