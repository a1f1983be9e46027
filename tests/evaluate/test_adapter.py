"""Our engine as lm-eval's model against lm-eval's own `hf` model on the same small real model and task files."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.instance import Instance
from lm_eval.evaluator import evaluate

from regold.engines import EngineSpec, open_engine
from regold.engines.scripted import Rule, Script, ScriptedEngine
from regold.errors import EngineLacks
from regold.evaluate.adapter import WORST, EngineLM, Turns
from regold.evaluate.harness import Harness, Settings
from tests.evaluate.fixtures import write_files
from tests.tiny import build_tiny


def asked(kind: str, *arguments: Any, doc: int = 0) -> Instance:
    return Instance(kind, {}, arguments, 0, ("task", doc, 1))


def test_requests_reach_the_engine_as_turns_and_failures_are_kept() -> None:
    engine = ScriptedEngine(Script((Rule("bad", fail="request"), Rule("", answer="yes"))))
    with asyncio.Runner() as runner:
        lm = EngineLM(engine, runner, temperature=None, sample=3)
        how = {"until": ["\n"], "max_gen_toks": 7, "do_sample": True, "temperature": 0.7}
        prompt = Turns([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])
        assert lm.generate_until([asked("generate_until", prompt, how)]) == ["yes"]
        (request,) = engine.requests
        assert [m.role for m in request.messages] == ["system", "user"]
        assert (request.temperature, request.max_tokens, request.stop, request.sample) == (0.7, 7, ("\n",), 3)
        scored = lm.loglikelihood([asked("loglikelihood", "plain", "yes"), asked("loglikelihood", "bad", "x", doc=5)])
        assert [log for log, _ in scored] == [pytest.approx(-0.1), WORST]
        assert list(lm.failed) == [("task", 5)]
        with pytest.raises(EngineLacks, match="gen_prefix"):
            lm.apply_chat_template([], add_generation_prompt=False)
        with pytest.raises(EngineLacks, match="perplexity"):
            lm.loglikelihood_rolling([])


@pytest.mark.slow
@pytest.mark.parametrize("file", ["arc", "arc_letter"])
def test_our_adapter_equals_the_hf_model(tmp_path: Path, file: str) -> None:
    """Equal log-likelihoods to 1e-4, equal texts and equal metrics, on a task of each form."""
    folder = str(build_tiny(tmp_path / "tiny", seed=3, positions=512))
    data = write_files(tmp_path / "data", "label-noise/arc_test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lm_eval.models.huggingface import HFLM

        theirs_lm = HFLM(pretrained=folder, device="cpu", batch_size=1, dtype="float32")
    with asyncio.Runner() as runner:
        engine = open_engine(EngineSpec("transformers", folder))
        harness = Harness(engine, Settings(data), runner)
        ours_lm = EngineLM(engine, runner, max_tokens=None)
        found = {}
        for name, lm in (("ours", ours_lm), ("theirs", theirs_lm)):
            task = harness.load(file)
            if file == "arc_letter":
                task.config.generation_kwargs["max_gen_toks"] = 24
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[name] = evaluate(
                    lm=lm, task_dict={"tasks": {"t": task}}, bootstrap_iters=0, apply_chat_template=True
                )
        runner.run(engine.close())
    ours, theirs = found["ours"], found["theirs"]
    for one, other in zip(ours["samples"]["t"], theirs["samples"]["t"], strict=True):
        assert one["doc_id"] == other["doc_id"]
        if file == "arc":
            logs = [[log for log, _ in sample["filtered_resps"]] for sample in (one, other)]
            assert logs[0] == pytest.approx(logs[1], abs=1e-4)
            assert one["acc"] == other["acc"]
        else:
            said, reference = str(one["filtered_resps"][0]), str(other["filtered_resps"][0])
            assert said == reference
    assert not ours_lm.failed
    if file == "arc":
        assert ours["results"]["t"]["acc,none"] == theirs["results"]["t"]["acc,none"]
