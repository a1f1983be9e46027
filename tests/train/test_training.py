"""Whole trainings: that a model learns, the folder and the card, seeds, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from regold.engines.template import render
from regold.errors import MissingExtra, RecipeError, RunError, UsageError
from regold.fingerprint import file_digest
from regold.train import TrainCard, TrainSettings, train
from regold.train.job import base_digest
from tests.train.chats import (
    CHATML,
    chat,
)

ITEMS = [(chat(f"Code of {a}{b}?", f"{b}{a}"), 1.0) for a in "abcde" for b in "wxyz"]
QUICK = TrainSettings(epochs=30, learning_rate=1e-2, batch_size=10, full=True)
SHORT = TrainSettings(epochs=1, learning_rate=1e-2, batch_size=10, rank=4)


def memorised(folder: Path) -> float:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    right = 0
    for messages, _ in ITEMS:
        text = render(tokenizer, messages[:-1], prompting=True)
        prompt = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        said = model.generate(**prompt, max_new_tokens=6, do_sample=False)[0, prompt["input_ids"].shape[1] :]
        right += tokenizer.decode(said, skip_special_tokens=False) == f"{messages[-1].content}<|end|>"
    return right / len(ITEMS)


@pytest.mark.parametrize("full", [True, False])
def test_a_model_memorises_and_stops_where_it_should(tiny: str, tmp_path: Path, full: bool) -> None:
    seen: list[tuple[int, int, float]] = []
    settings = QUICK if full else dataclasses.replace(QUICK, full=False, rank=32, alpha=64, epochs=40)
    card = train(tiny, ITEMS, tmp_path / "out", settings, merge=True, progress=lambda *s: seen.append(s))
    assert memorised(Path(tiny)) == 0
    assert memorised(tmp_path / "out") >= 0.9
    assert card.losses[-1][1] < 0.2 * card.losses[0][1]
    assert seen[-1][:2] == (card.steps, card.steps) == (2 * settings.epochs,) * 2
    assert (card.given, card.trained, card.left_out) == (20, 20, {})


def weights_of(folder: Path) -> str:
    return file_digest(folder / "adapter_model.safetensors")


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tiny: str, tmp_path: Path) -> None:
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        train(tiny, ITEMS, tmp_path / name, dataclasses.replace(SHORT, seed=seed, dropout=0.1))
    assert weights_of(tmp_path / "a") == weights_of(tmp_path / "b") != weights_of(tmp_path / "c")


def test_equal_weights_are_no_weights_and_unequal_ones_are(tiny: str, tmp_path: Path) -> None:
    halves = [(messages, 0.5) for messages, _ in ITEMS]
    uneven = [(messages, 1.0 if i % 2 else 0.1) for i, (messages, _) in enumerate(ITEMS)]
    for name, rows in {"ones": ITEMS, "halves": halves, "uneven": uneven}.items():
        train(tiny, rows, tmp_path / name, SHORT)
    assert weights_of(tmp_path / "ones") == weights_of(tmp_path / "halves") != weights_of(tmp_path / "uneven")


def test_accumulated_steps_equal_one_large_batch(tiny: str, tmp_path: Path) -> None:
    rows = [(messages, 1.0 if i % 3 else 0.4) for i, (messages, _) in enumerate(ITEMS)]
    settings = dataclasses.replace(SHORT, batch_size=20, full=True, learning_rate=1e-3)
    halved = dataclasses.replace(settings, batch_size=10, accumulate=2)
    one, two = (train(tiny, rows, tmp_path / name, s) for name, s in {"one": settings, "two": halved}.items())
    assert one.steps == two.steps == 1
    assert one.losses[0][1] == pytest.approx(two.losses[0][1], rel=1e-4)


@pytest.mark.parametrize("full", [True, False])
def test_checkpointing_changes_nothing_and_bfloat16_little(tiny: str, tmp_path: Path, full: bool) -> None:
    base = dataclasses.replace(SHORT, full=full, epochs=2)
    ways = {"plain": {}, "again": {"checkpointing": True}, "half": {"dtype": "bfloat16"}}
    cards = {n: train(tiny, ITEMS, tmp_path / n, dataclasses.replace(base, **way)) for n, way in ways.items()}
    last = {name: card.losses[-1][1] for name, card in cards.items()}
    assert last["again"] == pytest.approx(last["plain"], rel=1e-6)
    assert last["half"] == pytest.approx(last["plain"], rel=0.02)
    assert (cards["plain"].dtype, cards["half"].dtype) == ("float32", "bfloat16")


def test_the_folder_is_whole_and_the_card_tells_what_was_done(tiny: str, tmp_path: Path) -> None:
    rows = [*ITEMS, (chat("Who?", "x" * 300), 2.5)]
    settings = dataclasses.replace(SHORT, targets=("q_proj", "v_proj"), max_length=100)
    card = train(tiny, rows, tmp_path / "out", settings)
    assert TrainCard.read(tmp_path / "out") == card
    assert card.left_out == {"longer than 100 tokens": 1}
    assert card.weights == (1.0, 2.5)
    assert card.base == base_digest(tiny)
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["r"] == 4
    assert "longer than 100 tokens" in (tmp_path / "out" / "README.md").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_same_training_is_not_done_twice_and_another_is_not_overwritten(tiny: str, tmp_path: Path) -> None:
    card = train(tiny, ITEMS, tmp_path / "out", SHORT)
    assert train(tiny, ITEMS, tmp_path / "out", SHORT, progress=lambda *_: pytest.fail("trained again")) == card
    with pytest.raises(UsageError, match="another training"):
        train(tiny, ITEMS[1:], tmp_path / "out", SHORT)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="give another folder"):
        train(tiny, ITEMS, tmp_path / "own", SHORT)


def test_packing_learns_the_same(tiny: str, tmp_path: Path) -> None:
    rows = [(messages, 1.0 if i % 3 else 0.4) for i, (messages, _) in enumerate(ITEMS)]
    cards = [
        train(tiny, rows, tmp_path / str(packing), dataclasses.replace(SHORT, epochs=3, packing=packing))
        for packing in (False, True)
    ]
    assert cards[0].losses[-1][1] == pytest.approx(cards[1].losses[-1][1], rel=1e-4)


def test_a_given_chat_template_is_used_and_saved(tiny: str, tmp_path: Path) -> None:
    train(tiny, ITEMS, tmp_path / "out", SHORT, chat_template=CHATML)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == CHATML
    with pytest.raises(UsageError, match="another training"):
        train(tiny, ITEMS, tmp_path / "out", SHORT)


def test_four_bits_without_bitsandbytes_say_what_to_install(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"regold\[qlora\]"):
        train(tiny, ITEMS, tmp_path / "out", dataclasses.replace(SHORT, qlora=True))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("merge", [False, True])
def test_four_bits_learn(tiny: str, tmp_path: Path, merge: bool) -> None:
    pytest.importorskip("bitsandbytes", reason="not installed: pip install 'regold[qlora]'")
    settings = dataclasses.replace(QUICK, full=False, qlora=True, rank=32, alpha=64, epochs=20)
    card = train(tiny, ITEMS, tmp_path / "out", settings, merge=merge)
    assert card.losses[-1][1] < 0.5 * card.losses[0][1]
    assert (tmp_path / "out" / ("model.safetensors" if merge else "adapter_model.safetensors")).is_file()


def test_what_cannot_be_trained_is_refused(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no model"):
        train(str(tmp_path / "absent"), ITEMS, tmp_path / "out")
    train(tiny, ITEMS, tmp_path / "adapter", SHORT)
    with pytest.raises(UsageError, match="is an adapter"):
        train(str(tmp_path / "adapter"), ITEMS, tmp_path / "out")
    with pytest.raises(RunError, match="lower the learning rate"):
        train(tiny, ITEMS, tmp_path / "out", dataclasses.replace(QUICK, learning_rate=1e30, warmup=0.0))
    assert not (tmp_path / "out").exists()
    monkeypatch.setitem(sys.modules, "trl", None)
    for name in ("regold.train.job", "regold.train.loop", "regold.train.network"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"regold\[train\]"):
        train(tiny, ITEMS, tmp_path / "out")


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"warmup": 1.0},
        {"dtype": "float8"},
        {"schedule": "cosin"},
        {"turns": "first"},
        {"max_grad_norm": -1.0},
        {"full": True, "qlora": True},
    ],
)
def test_settings_no_training_can_have(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        TrainSettings(**wrong)  # type: ignore[arg-type]
