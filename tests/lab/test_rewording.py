"""The same fact asked in five wordings: another sentence, the same answer and options."""

from regold.lab.rewording import FRAMES, reworded
from regold.lab.world import World


def test_wordings_differ_and_keep_the_answer() -> None:
    world = World(0)
    for item in world.items("atlas-mc-x", 30, seed=1, split="test"):
        asked = [reworded(world, item, frame) for frame in range(FRAMES)]
        assert {(a.answer, a.options, a.hops, a.kind) for a in asked} == {
            (item.answer, item.options, item.hops, item.kind)
        }
        assert len({a.question for a in asked}) >= 3
        assert asked == [reworded(world, item, frame) for frame in range(FRAMES)]


def test_sets_without_facts_stay_as_they_are() -> None:
    (item,) = World(0).items("ledger", 1)
    assert reworded(World(0), item, 3) == item
