"""Evaluation: asked as the base view asks, read and compared as agreement does, greedy always beside sampled."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from pathlib import Path

import pytest

from regold.engines import EngineSpec, open_engine
from regold.engines.base import Completion, Request
from regold.engines.scripted import Rule, Script, ScriptedEngine
from regold.errors import EngineRefused, InputError, RecipeError
from regold.evaluate import Evaluation, Outcome, Question, evaluate
from regold.formats.rows import Row
from regold.prompts import Prompts
from regold.record import Message, Messages
from regold.train import TrainSettings, train
from tests.tiny import build_tiny

COLOURS = ("red", "green", "blue", "grey")


def asking(text: str) -> Messages:
    return (Message("user", text),)


def choice(text: str, reference: str) -> Question:
    listed = "\n".join(f"{letter}. {colour}" for letter, colour in zip("ABCD", COLOURS, strict=True))
    return Question(asking(f"{text}\n{listed}"), COLOURS, reference, text)


def scripted(*rules: Rule) -> ScriptedEngine:
    return ScriptedEngine(Script(rules))


def run(engine: ScriptedEngine, *questions: Question, **how: object) -> Evaluation:
    return asyncio.run(evaluate(engine, questions, **how))  # type: ignore[arg-type]


def test_answers_are_read_and_compared_and_the_error_is_the_binomial_one() -> None:
    engine = scripted(
        Rule("sky", answer="I think so. The answer is (C)."),
        Rule("grass", answer="**A**"),
        Rule("two", answer="2.0"),
        Rule("capital", answer="Paris."),
    )
    rows = [choice("sky?", "C"), choice("grass?", "B. green"), Question(asking("one and one, two?"), (), "2")]
    found = run(engine, *rows, Question(asking("capital?"), (), "paris"))
    assert [(item.id, item.answers[0], item.right) for item in found.items] == [
        ("sky?", "C", 1.0),
        ("grass?", "A", 0.0),
        ("3", "2.0", 1.0),
        ("4", "Paris", 1.0),
    ]
    assert (found.n, found.accuracy, found.sampled) == (4, 0.75, None)
    assert found.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 3))


def test_what_is_cut_off_failed_or_for_a_judge_is_wrong_and_told_apart() -> None:
    engine = scripted(
        Rule("cut", answer="The answer is A", finish="length"),
        Rule("fails", fail="request"),
        Rule("essay", answer="A long reply, in many words that another could put otherwise without harm."),
    )
    essay = Question(
        asking("essay?"), (), "Quite another way to say what many words could say, without harm either.", "e"
    )
    found = run(engine, choice("cut?", "A"), choice("fails?", "A"), essay)
    assert found.accuracy == 0
    assert [(item.answers[0] is None, item.undecided, item.failed) for item in found.items] == [
        (True, 0, 0),
        (True, 0, 1),
        (False, 1, 0),
    ]
    assert found.unread == pytest.approx(2 / 3)


def test_greedy_stands_beside_sampled_and_samples_are_shares() -> None:
    engine = scripted(Rule("sky", answer="C", times=2), Rule("sky", answer="D"))
    found = run(engine, choice("sky?", "C"), temperature=0.5, samples=4)
    assert (found.temperature, found.samples, found.right) == (0.0, 1, (1.0,))
    assert found.sampled is not None
    assert (found.sampled.temperature, found.sampled.samples, found.sampled.right) == (0.5, 4, (0.25,))
    assert {(r.temperature, r.sample) for r in engine.requests} == {(0.0, 0), *((0.5, i) for i in range(4))}
    assert found.sampled.items[0].answers == ("C", "D", "D", "D")


def test_a_question_is_asked_as_the_base_view_asks_it_or_as_it_stands() -> None:
    engine = scripted()
    prompts = Prompts("own", {"direct": "<data {{fence}}>{{query}}</data> Answer."})
    question = Question((Message("system", "Be brief."), *asking("sky?")), (), "blue")
    run(engine, question, prompts=prompts)
    run(engine, question)
    wrapped, plain = (request.messages for request in engine.requests)
    assert plain == question.messages
    assert wrapped[0] == plain[0]
    assert "sky?</data> Answer." in wrapped[1].content


def test_of_a_row_the_true_value_is_the_reference_where_it_holds_one() -> None:
    row = Row("r1", (*asking("sky?"), Message("assistant", "red")), ("red", "blue"), {}, "f", 1)
    assert Question.of(row) == (asking("sky?"), ("red", "blue"), "red", "r1")
    assert Question.of(dataclasses.replace(row, truth="blue")).reference == "blue"


def test_an_engine_that_cannot_serve_stops_the_evaluation() -> None:
    with pytest.raises(EngineRefused):
        run(scripted(Rule("sky", fail="refused")), choice("sky?", "A"), choice("grass?", "A"))


def test_only_so_many_questions_are_in_flight() -> None:
    class Counting(ScriptedEngine):
        now = most = 0

        async def generate(self, request: Request) -> Completion:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return Completion("A")

    engine = Counting()
    assert run(engine, *(choice(f"{i}?", "A") for i in range(20)), in_flight=3).accuracy == 1
    assert engine.most == 3


def test_what_cannot_be_evaluated_is_refused() -> None:
    with pytest.raises(InputError, match="no questions"):
        run(scripted())
    with pytest.raises(RecipeError, match="greedy is one sample"):
        run(scripted(), choice("sky?", "A"), samples=2)


def test_the_error_of_samples_is_over_questions() -> None:
    one = Evaluation("e", 0.5, 2, tuple(Outcome(str(i), ("A", "A"), right) for i, right in enumerate((0, 0.5, 1))))
    assert one.standard_error == pytest.approx(0.5 / math.sqrt(3))
    assert math.isnan(Evaluation("e", 0.0, 1, one.items[:1]).standard_error)


@pytest.mark.parametrize("merge", [True, False])
def test_what_was_trained_is_what_is_measured(tmp_path: Path, merge: bool) -> None:
    base, out = str(build_tiny(tmp_path / "base")), tmp_path / "out"
    pairs = [(asking(f"Code of {a}{b}?"), f"{b}{a}") for a in "abcde" for b in "wxyz"]
    rows = [((*query, Message("assistant", answer)), 1.0) for query, answer in pairs]
    train(base, rows, out, TrainSettings(epochs=30, learning_rate=1e-2, batch_size=10, rank=32, alpha=64), merge=merge)

    async def measured(spec: EngineSpec) -> float:
        engine = open_engine(spec)
        try:
            questions = [Question(query, (), answer) for query, answer in pairs]
            return (await evaluate(engine, questions, max_tokens=16)).accuracy
        finally:
            await engine.close()

    tuned = EngineSpec("transformers", str(out)) if merge else EngineSpec("transformers", base, adapter=str(out))
    assert asyncio.run(measured(EngineSpec("transformers", base))) == 0
    assert asyncio.run(measured(tuned)) >= 0.9
