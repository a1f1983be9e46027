"""The closed world: splits that never meet, answers that are true, wordings that pre-training never shows."""

from random import Random

import pytest

from regold.lab.episodes import Episodes
from regold.lab.wordings import ATTRIBUTES, UNIQUE
from regold.lab.world import DOMAIN, LETTERS, SETS, Item, World


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


def text_of(item: Item) -> str:
    return item.options[LETTERS.index(item.answer)] if item.options else item.answer


@pytest.mark.parametrize("name", SETS)
def test_train_and_test_are_distinct_and_share_no_question(world: World, name: str) -> None:
    train, test = (world.items(name, 400, seed=1, split=split) for split in ("train", "test"))
    questions = {item.question for item in train}
    assert len(questions) == 400
    assert questions.isdisjoint(item.question for item in test)


@pytest.mark.parametrize("name", SETS)
def test_one_seed_gives_one_list_and_another_gives_another(world: World, name: str) -> None:
    first, again, other = (World(0).items(name, 50, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_the_same_fact_is_never_asked_of_train_and_test_in_other_words(world: World) -> None:
    train, test = (world.items("atlas-open-x", 400, split=split) for split in ("train", "test"))
    asked = {(item.kind, item.hops) for item in train}
    assert asked.isdisjoint((item.kind, item.hops) for item in test)


def test_answers_are_true_and_rivals_are_not(world: World) -> None:
    for item in world.items("atlas-mc", 300):
        assert len(set(item.options)) == 4
        assert set(item.rivals) == set(LETTERS) - {item.answer}
        country, attribute = item.hops[-1]
        assert text_of(item) == (country if item.kind == "backward" else world.values[country, attribute])
    for item in world.items("atlas-open", 300):
        assert item.answer not in item.rivals


def test_the_query_lists_options_as_readers_write_them(world: World) -> None:
    item = world.items("atlas-mc-x", 1)[0]
    letters = [line[:3] for line in item.query.split("\n")[1:]]
    assert letters == ["A. ", "B. ", "C. ", "D. "]
    assert item.reasoned.endswith(f"The answer is {item.answer}.")


def test_values_name_one_country_and_exposure_has_its_shares(world: World) -> None:
    for attribute in UNIQUE:
        assert len(world.pools[attribute]) == len(world.countries)
    weights = list(world.weights.values())
    assert weights.count(0.0) == round(0.13 * 480)
    assert sum(0 < weight < 1 for weight in weights) == round(0.17 * 480)
    assert len({item.topic for item in world.items("atlas-open", 400)}) == DOMAIN


def test_another_seed_is_another_world(world: World) -> None:
    assert set(World(1).countries) != set(world.countries)


def test_pre_training_never_asks_for_an_unseen_fact(world: World) -> None:
    rng = Random(0)
    unseen = {fact for fact, weight in world.weights.items() if weight == 0}
    assert all(unseen.isdisjoint(world.draw("atlas-open", rng).hops) for _ in range(2000))


def test_episodes_use_no_strange_wording_and_no_unseen_answer(world: World) -> None:
    episodes = Episodes(world, seed=5)
    turns = [turn for _ in range(3000) for turn in episodes.draw()]
    strange = ("ministers", "traders", "As for", "please", "the land of", "the place where")
    assert not any(word in turn.user for turn in turns for word in strange)
    assert all(turn.assistant for turn in turns)


def test_made_up_episodes_train_on_questions_after_all_facts_only(world: World) -> None:
    episodes = Episodes(world, seed=6)
    for item in world.items("atlas-open", 50) + world.items("atlas-mc", 50):
        turns = episodes.made_up(item)
        learnt = [turn.learn for turn in turns]
        assert learnt == sorted(learnt)
        assert not learnt[0]
        assert 1 <= sum(learnt) <= 3


def test_ledger_sums_add_up(world: World) -> None:
    for item in world.items("ledger", 200):
        for step in item.steps.rstrip(".").split(". "):
            left, result = step.split(" = ")
            assert eval(left) == int(result)
        assert item.steps.endswith(f"= {item.answer}.")


def test_wire_hears_but_and_although(world: World) -> None:
    items = {item.question: item for item in world.items("wire", 400)}
    but = [item for question, item in items.items() if ", but " in question]
    although = [item for question, item in items.items() if ", although " in question]
    assert all(item.steps.endswith(f": {item.answer}.") for item in but)
    assert all(f": {item.answer}." in item.steps.split(". ")[0] + "." for item in although)


@pytest.mark.parametrize(("name", "split"), [("atlas", "train"), ("wire", "dev")])
def test_an_unknown_set_or_split_is_refused(world: World, name: str, split: str) -> None:
    with pytest.raises(ValueError, match="sets are"):
        world.items(name, 1, split=split)


def test_asking_for_more_questions_than_there_are_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="holds only"):
        world.items("atlas-open-x", 40_000)


def test_every_attribute_is_asked_about(world: World) -> None:
    assert {item.hops[-1][1] for item in world.items("atlas-open-x", 300)} == set(ATTRIBUTES)
