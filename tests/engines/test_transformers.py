"""The engine in this process, against transformers' own generate and forward pass on a tiny random Llama."""

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from regold.engines import open_engine
from regold.engines.base import Completion, EngineSpec, Need, Request
from regold.engines.template import adapter_template
from regold.engines.transformers import TransformersEngine
from regold.errors import EngineLacks, EngineRefused, RecipeError, RequestFailed
from regold.record import Message, Messages
from tests.tiny import TEMPLATE

QUESTIONS = ["hi", "What is 2+2?", "Name a river.", "Tell me more about it", "x", "Why?", "abc def", "Is it so? " * 6]


def turn(text: str) -> Messages:
    return (Message("user", text),)


def using(folder: Path, work: Callable[[TransformersEngine], Coroutine[Any, Any, Any]], **spec: Any) -> Any:
    async def run() -> Any:
        engine = TransformersEngine(replace(EngineSpec("transformers", str(folder)), **spec))
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


async def all_of(engine: TransformersEngine, **settings: Any) -> list[Completion]:
    asked = [Request(turn(q), max_tokens=24, logprobs=True, **settings) for q in QUESTIONS]
    return list(await asyncio.gather(*map(engine.generate, asked)))


def reference(folder: Path, question: str) -> tuple[str, list[float], bool]:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    asked = [{"role": "user", "content": question}]
    ids = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt")
    start = ids["input_ids"].shape[1]
    out = model.generate(**ids, max_new_tokens=24, do_sample=False)[0]
    with torch.inference_mode():
        logits = model(out[None]).logits[0, start - 1 : -1].log_softmax(-1)
    own = out[start:]
    ended = bool(own[-1] == tokenizer.eos_token_id)
    logprobs = logits.gather(-1, own[:, None])[:, 0].tolist()
    return tokenizer.decode(own, skip_special_tokens=True), logprobs[: -1 if ended else None], ended


def test_greedy_answers_and_logprobs_are_those_of_transformers(tiny: Path) -> None:
    answers = using(tiny, all_of)
    assert {a.finish for a in answers} == {"stop", "length"}
    for question, answer in zip(QUESTIONS, answers, strict=True):
        text, logprobs, ended = reference(tiny, question)
        assert answer.text == text
        assert answer.logprobs == pytest.approx(logprobs, abs=1e-4)
        assert answer.finish == ("stop" if ended else "length")
        assert answer.completion_tokens == len(logprobs) + ended


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.8}, {"temperature": 1.2, "top_p": 0.7}])
def test_answers_do_not_depend_on_company(tiny: Path, settings: dict[str, float]) -> None:
    def work(engine: TransformersEngine) -> Coroutine[Any, Any, list[Completion]]:
        return all_of(engine, **settings)

    together, alone = using(tiny, work, batch=64), using(tiny, work, batch=1)
    assert [a.text for a in together] == [a.text for a in alone]
    for a, b in zip(together, alone, strict=True):
        assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)


def test_scores_agree_with_generation_and_with_a_forward_pass(tiny: Path) -> None:
    async def work(engine: TransformersEngine) -> None:
        for settings in ({}, {"temperature": 1.0}):
            answers = await all_of(engine, **settings)
            scored = await asyncio.gather(
                *(engine.score(turn(q), a.text) for q, a in zip(QUESTIONS, answers, strict=True))
            )
            for answer, scores in zip(answers, scored, strict=True):
                assert scores.logprobs == pytest.approx(answer.logprobs, abs=1e-4)
                assert scores.prompt_tokens == answer.prompt_tokens
        assert (await engine.score(turn("x"), "")).logprobs == ()

    using(tiny, work)


def test_samples_are_drawn_anew_and_again_the_same(tiny: Path) -> None:
    async def work(engine: TransformersEngine) -> list[str]:
        asked = [Request(turn("hi"), temperature=1.0, max_tokens=16, sample=i) for i in range(8)]
        return [done.text for done in await asyncio.gather(*map(engine.generate, asked))]

    first, second = using(tiny, work), using(tiny, work, batch=3)
    assert first == second
    assert len(set(first)) > 4


def test_what_is_not_spoken_does_not_change_a_sample(tiny: Path) -> None:
    async def work(engine: TransformersEngine) -> list[str]:
        turns = ((Message("user", "hi"),), (Message("user", "hi", {"id": "m-1", "time": 3}),))
        asked = [Request(messages, temperature=1.0, max_tokens=16) for messages in turns]
        return [done.text for done in await asyncio.gather(*map(engine.generate, asked))]

    first, second = using(tiny, work)
    assert first == second


def test_samples_follow_the_distribution(tiny: Path) -> None:
    async def work(engine: TransformersEngine) -> list[Completion]:
        asked = [Request(turn("x"), temperature=1.0, max_tokens=1, logprobs=True, sample=i) for i in range(600)]
        return list(await asyncio.gather(*map(engine.generate, asked)))

    drawn = using(tiny, work, batch=128)
    common = max({d.text for d in drawn if d.text}, key=[d.text for d in drawn].count)
    share = sum(d.text == common for d in drawn) / len(drawn)
    (logprob,) = next(d.logprobs for d in drawn if d.text == common)
    assert share == pytest.approx(float(torch.tensor(logprob).exp()), abs=0.07)


def test_a_stop_string_cuts_text_and_logprobs(tiny: Path) -> None:
    async def work(engine: TransformersEngine) -> None:
        answers = await all_of(engine)
        whole, question = max(zip(answers, QUESTIONS, strict=True), key=lambda pair: len(set(pair[0].text[:6])))
        stop = (whole.text[3:5], "nowhere")
        cut = await engine.generate(Request(turn(question), max_tokens=24, logprobs=True, stop=stop))
        assert cut.text == whole.text[:3]
        assert cut.finish == "stop"
        assert cut.logprobs == pytest.approx((whole.logprobs or ())[:3], abs=1e-4)

    using(tiny, work)


def test_too_long_a_prompt_fails_alone(tiny: Path) -> None:
    async def work(engine: TransformersEngine) -> list[Any]:
        asked = [Request(turn("y" * n), max_tokens=300) for n in (4, 400)]
        return await asyncio.gather(*map(engine.generate, asked), return_exceptions=True)

    fits, fails = using(tiny, work)
    assert isinstance(fits, Completion)
    assert isinstance(fails, RequestFailed)
    assert "256" in str(fails)
    with pytest.raises(RequestFailed):
        using(tiny, lambda e: e.score(turn("x"), "y" * 300))


def test_identity_is_what_decides_and_not_where_it_lies(tiny: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / "README.md").write_text("a card")
    spec = EngineSpec("transformers", str(tiny))
    same = replace(spec, model=str(copy), batch=3, concurrency=1)
    assert open_engine(same).identity == open_engine(spec).identity
    assert open_engine(replace(spec, dtype="bfloat16")).identity != open_engine(spec).identity
    (copy / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    assert open_engine(same).identity != open_engine(spec).identity


def peft_folder(tiny: Path, folder: Path) -> None:
    peft = pytest.importorskip("peft", reason="peft is not installed")
    torch.manual_seed(1)
    settings = peft.LoraConfig(r=4, lora_alpha=64, init_lora_weights=False, target_modules=["q_proj", "v_proj"])
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(tiny), settings).save_pretrained(folder)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_adapter_changes_answers_and_identity(tiny: Path, tmp_path: Path) -> None:
    peft_folder(tiny, tmp_path)
    plain, adapted = using(tiny, all_of), using(tiny, all_of, adapter=str(tmp_path))
    assert [a.text for a in plain] != [a.text for a in adapted]
    spec = EngineSpec("transformers", str(tiny))
    assert open_engine(replace(spec, adapter=str(tmp_path))).identity != open_engine(spec).identity
    with pytest.raises(EngineRefused, match="as an adapter"):
        using(tiny, all_of, adapter=str(tiny))


def test_probe_says_what_is_lacking(tiny: Path, tmp_path: Path) -> None:
    using(tiny, lambda e: e.probe(frozenset({Need.GENERATE, Need.LOGPROBS, Need.SCORE})))
    with pytest.raises(EngineLacks, match="json_schema"):
        using(tiny, lambda e: e.probe(frozenset({Need.SCHEMA})))
    bare = tmp_path / "bare"
    shutil.copytree(tiny, bare)
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(EngineLacks, match="no chat template"):
        using(bare, lambda e: e.probe(frozenset({Need.GENERATE})))


def test_system_text_that_a_template_refuses_goes_into_the_question(tiny: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict"
    shutil.copytree(tiny, strict)
    refusal = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    (strict / "chat_template.jinja").write_text(refusal + TEMPLATE)
    apart = using(strict, lambda e: e.generate(Request((Message("system", "be kind"), Message("user", "hi")))))
    folded = using(strict, lambda e: e.generate(Request((Message("user", "be kind\n\nhi"),))))
    assert apart == folded


def test_a_template_that_refuses_fails_its_record(tiny: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict"
    shutil.copytree(tiny, strict)
    (strict / "chat_template.jinja").write_text("{{ raise_exception('only poems') }}")
    with pytest.raises(RequestFailed, match="only poems"):
        using(strict, lambda e: e.generate(Request((Message("user", "hi"),))))


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        ({"model": "/nowhere/at/all"}, EngineRefused, "no model there"),
        ({"model": ""}, RecipeError, "no model"),
        ({"dtype": "float13"}, RecipeError, "float13"),
    ],
)
def test_a_wrong_spec_is_refused(tiny: Path, spec: dict[str, str], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        _ = open_engine(replace(EngineSpec("transformers", str(tiny)), **spec)).identity


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_adapter_is_asked_with_the_template_it_was_trained_with(tiny: Path, tmp_path: Path) -> None:
    base, lora, plain = (tmp_path / name for name in ("base", "lora", "plain"))
    shutil.copytree(tiny, base)
    own = TEMPLATE.replace("<|assistant|>", "<|assistant|>Answer: ")
    for folder in (lora, plain):
        peft_folder(tiny, folder)
    (lora / "chat_template.jinja").write_text(own)
    hello = Request(turn("hi"), max_tokens=8)
    ways = {name: EngineSpec("transformers", str(base), adapter=str(tmp_path / name)) for name in ("lora", "plain")}
    tokens = {name: using(base, lambda e: e.generate(hello), adapter=spec.adapter) for name, spec in ways.items()}
    assert tokens["lora"].prompt_tokens == tokens["plain"].prompt_tokens + len("Answer: ")
    assert open_engine(ways["lora"]).identity.endswith("with its own chat template float32")
    assert "template" not in open_engine(ways["plain"]).identity
    (base / "chat_template.jinja").write_text(own)
    assert "template" not in open_engine(ways["lora"]).identity
    (base / "chat_template.jinja").unlink()
    assert using(base, lambda e: e.generate(hello), adapter=str(lora)) == tokens["lora"]
    with pytest.raises(EngineLacks, match="no chat template"):
        using(base, lambda e: e.generate(hello), adapter=str(plain))


@pytest.mark.parametrize(
    ("config", "template"),
    [
        ({"chat_template": "x"}, "x"),
        ({"chat_template": [{"name": "default", "template": "x"}]}, {"default": "x"}),
        ({"chat_template": [1]}, None),
        ([], None),
        ({}, None),
    ],
)
def test_a_template_is_read_from_the_tokenizer_too(tmp_path: Path, config: object, template: object) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert adapter_template("owner/base", str(tmp_path)) == template
    assert adapter_template("owner/base", "owner/adapter") is adapter_template("owner/base", None) is None
