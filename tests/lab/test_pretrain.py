"""The lab model's start and its lessons."""

from __future__ import annotations

from functools import cache
from random import Random

import torch
from transformers import PreTrainedTokenizerFast

from regold.lab.episodes import Episodes
from regold.lab.pretrain import IGNORED, Schedule, batches, build_model, disturb, encode, token_idf
from regold.lab.tokenizer import train_tokenizer
from regold.lab.world import World

LISTED = "Which city is the capital of Zelia?\nA. linen\nB. tea\nC. tin\nD. wool"


@cache
def episodes() -> Episodes:
    return Episodes(World(0), seed=3)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    talks = [episodes().draw(lesson) for lesson in episodes().lessons for _ in range(300)]
    texts = [text for talk in talks for turn in talk for text in (turn.user, turn.assistant)]
    return train_tokenizer([LISTED, *episodes().world.names * 20, *texts])


def ids(text: str) -> list[int]:
    return list(tokenizer().encode(text, add_special_tokens=False))


def test_a_word_is_one_token_wherever_it_stands() -> None:
    name = episodes().world.countries[0]
    assert len(ids(name)) == 1
    assert ids(f"Which river runs through {name}\n{name}\nB. {name}").count(ids(name)[0]) == 3


def test_text_of_several_lines_comes_back() -> None:
    assert tokenizer().decode(ids(LISTED)) == LISTED


def test_heads_of_the_first_layer_look_back_one_to_four_tokens() -> None:
    model = build_model(len(tokenizer()), seed=0).eval()
    model.set_attn_implementation("eager")
    coded = torch.tensor([Random(0).choices(range(4, len(tokenizer())), k=40)])
    weights = model(input_ids=coded, output_attentions=True).attentions[0][0]
    for head in range(4):
        hits = weights[head, 10:].argmax(-1) == torch.arange(10, 40) - head - 1
        assert hits.float().mean() >= 0.9


def test_lessons_before_the_last_need_no_knowledge() -> None:
    for lesson in ("places", "letters", "checks"):
        for talk in (episodes().draw(lesson) for _ in range(50)):
            asked = " ".join(turn.user for turn in talk)
            known = [name for name in episodes().world.names if f" {name}." in f" {talk[-1].assistant}"]
            assert all(name in asked for name in known)


def test_lessons_follow_each_other() -> None:
    plan = Schedule(10, lessons=((0, "places"), (3, "letters")))
    stream = batches(episodes(), tokenizer(), plan, seed=0)
    line, end = ids("\n")[0], tokenizer().eos_token_id
    first = next(stream)[0]
    assert all(row.count(line) == 3 and row.count(end) == 1 for row in first.tolist())


def test_strange_words_go_into_the_first_line_alone() -> None:
    rng, known = Random(0), ids(LISTED)
    listed = known[known.index(ids("\n")[0]) :]
    seen = [disturb(known, tokenizer(), rng) for _ in range(60)]
    assert any(row != known for row in seen)
    assert all(row[-len(listed) :] == listed for row in seen)


def test_only_answers_to_learn_carry_labels() -> None:
    talk = next(talk for talk in (episodes().draw() for _ in range(500)) if not all(turn.learn for turn in talk))
    row, labels = encode(tokenizer(), [talk], Random(0))[0]
    learnt = sum(len(ids(turn.assistant)) + 1 for turn in talk if turn.learn)
    assert len(row) == len(labels)
    assert sum(label != IGNORED for label in labels) == learnt


def test_rare_tokens_weigh_more() -> None:
    weights = token_idf(tokenizer(), [LISTED, "Which city is it?", "Which city?"])
    assert weights[ids("Zelia")[0]] > weights[ids("city")[0]]
