"""The front half: partition, clusters, representatives and pairs over records whose groups are known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from regold.errors import RecipeError
from regold.recipe import load_recipe
from regold.record import Message, Record, Status
from regold.stages.cluster import ClusterRecords
from regold.stages.embed import EmbedRecords
from regold.stages.mix import ChooseMix
from regold.stages.pair import ALONE, ODD, SAME, UNPICKED, PairRecords
from regold.stages.partition import PartitionByQuality
from regold.stages.pick import PickRepresentatives
from tests.stages.conftest import Play, make

WITHOUT = "without a partner"
DOMAINS = {
    "kitchen": "bread oven flour salt butter dough yeast bake".split(),  # noqa: SIM905
    "music": "violin bow sonata tune chord melody concert strings".split(),  # noqa: SIM905
    "garden": "rose soil spade seed compost hedge lawn bloom".split(),  # noqa: SIM905
}


def _pool(each: int = 30) -> list[Record]:
    rng, made = Random(3), []
    for domain, words in DOMAINS.items():
        for n in range(each):
            text = " ".join(rng.sample(words, 5))
            record = make(f"{domain}{n}", f"About {text}?", f"{rng.choice(words)} {rng.choice(words)}")
            made.append(replace(record, notes={"rate.value": float(n % 6)}))
    return made


def _partitioned(**settings: Any) -> Play:
    return Play(_pool()).run(PartitionByQuality(value="rate.value", correct="", **settings))


def _rated(value: float | None, correct: float | None = None) -> Record:
    notes = {"rate.corrected": value, "rate.correct": correct}
    return make("q", "Why?", "So.", notes={k: v for k, v in notes.items() if v is not None})


@pytest.mark.parametrize(
    ("value", "correct", "status", "part"),
    [
        (3, None, Status.HIGH, "high"),
        (5, 6, Status.HIGH, "high"),
        (3, 5.9, Status.SUSPECT, "suspect"),
        (2, None, Status.LOW, "low"),
        (0, 10, Status.LOW, "low"),
        (2.49, 1, Status.LOW, "low"),
        (2.5, 9, Status.HIGH, "high"),
        (None, 9, Status.BORDERLINE, "unrated"),
        (float("nan"), 9, Status.BORDERLINE, "unrated"),
    ],
)
def test_the_partition(value: float | None, correct: float | None, status: Status, part: str) -> None:
    play = Play([_rated(value, correct)]).run(PartitionByQuality())
    assert (play["q"].status, play["q"].notes["partition.part"]) == (status, part)
    assert play.edits["q"].reason


def test_a_gap_between_the_limits_is_a_named_exclusion() -> None:
    stage = PartitionByQuality(high=3, low=2, excluded="DROPPED")
    parts = {v: Play([_rated(v)]).run(stage)["q"].notes["partition.part"] for v in (2.0, 2.5, 3.0)}
    assert parts == {2.0: "low", 2.5: "between", 3.0: "high"}


def test_limits_that_overlap_are_refused() -> None:
    with pytest.raises(RecipeError, match="must not be above"):
        load_recipe("entp", ["partition.low=4"])


def test_the_parts_add_up() -> None:
    play = _partitioned()
    parts = Counter(r.notes["partition.part"] for r in play.records.values())
    assert sum(parts.values()) == len(play.records)
    assert parts["low"] == sum(r.status == Status.LOW for r in play.records.values()) == 45


def _clustered(**settings: Any) -> Play:
    return _partitioned(low=9.0, high=9.0).run(EmbedRecords(), ClusterRecords(**settings))


def test_domains_come_out_as_clusters_with_their_words() -> None:
    play = _clustered(k=3, tau=0.5)
    labels = {i: str(r.notes["cluster.label"]) for i, r in play.records.items()}
    assert len(set(labels.values())) == 3
    for domain, words in DOMAINS.items():
        own = {label for i, label in labels.items() if i.startswith(domain)}
        assert len(own) == 1
        told = next(r.notes["cluster.words"] for i, r in play.records.items() if i.startswith(domain))
        assert set(list(told)[:4]) <= set(words)  # type: ignore[arg-type]


def test_the_silhouette_chooses_k() -> None:
    play = _clustered()
    assert len({r.notes["cluster.label"] for r in play.records.values()}) == 3
    assert max(play.artifact["silhouettes"]["all"].items(), key=lambda item: item[1])[0] == "3"


def test_sources_are_clustered_apart() -> None:
    pool = [replace(r, notes={**r.notes, "import.source": "even" if n % 2 else "odd"}) for n, r in enumerate(_pool())]
    play = Play(pool).run(PartitionByQuality(value="rate.value", correct="", low=9.0, high=9.0), EmbedRecords())
    play.run(ClusterRecords(k=2, by="import.source"))
    assert {str(r.notes["cluster.label"]).split("/")[0] for r in play.records.values()} == {"even", "odd"}


def test_representatives_are_an_even_share_of_each_cluster() -> None:
    play = _clustered(k=3).run(PickRepresentatives(share=0.5))
    chosen = Counter(r.notes["cluster.label"] for r in play.records.values() if r.notes["pick.chosen"])
    assert set(chosen.values()) == {14}
    ranks = sorted(
        int(r.notes["pick.rank"]) for i, r in play.records.items() if r.notes["pick.chosen"] and "music" in i
    )  # type: ignore[arg-type]
    assert ranks == list(range(14))
    assert all(r.status == Status.LOW for r in play.records.values())


def _paired(**settings: Any) -> Play:
    stage = PairRecords(value="rate.value", **settings)
    return _clustered(k=3, tau=0.3).run(PickRepresentatives(share=1), stage)


def _pairs(play: Play) -> dict[str, str]:
    return {i: str(r.notes["pair.partner"]) for i, r in play.records.items() if r.notes.get("pair.partner")}


def test_each_record_stands_in_one_pair_of_its_group_and_the_better_rated_leads() -> None:
    play = _paired()
    pairs = _pairs(play)
    assert len(pairs) >= 60
    for one, other in pairs.items():
        assert pairs[other] == one != other
        assert play[one].notes["cluster.group"] == play[other].notes["cluster.group"]
        assert play[one].notes["pair.lead"] is not play[other].notes["pair.lead"]
        if play[one].notes["pair.lead"]:
            assert float(play[one].notes["rate.value"]) >= float(play[other].notes["rate.value"])  # type: ignore[arg-type]
    left = set(play.records) - set(pairs)
    told = f"weak records 90, pairs to fuse {len(pairs) // 2}, {WITHOUT} {90 - len(pairs)}"
    assert play.artifact["told"][0] == told
    members = Counter(r.notes["cluster.group"] for r in play.records.values())
    for i in left:
        alone = members[play[i].notes["cluster.group"]] == 1
        assert play.edits[i].reason == f"no partner: {ALONE if alone else ODD}"


def test_a_tiny_pool_says_why_nothing_is_fused() -> None:
    notes = {"pick.chosen": True, "embed.vector": [1.0, 0.0], "rate.value": 1.0}
    lone = {"a": ("g", True), "b": ("h", True), "c": ("h", True), "d": ("h", False)}
    pool = [
        make(i, "q", "r", status=Status.LOW, notes={**notes, "cluster.group": g, "pick.rank": n, "pick.chosen": chosen})
        for n, (i, (g, chosen)) in enumerate(lone.items())
    ]
    play = Play(pool).run(PairRecords(value="rate.value"))
    assert play.artifact["told"] == [
        f"weak records 4, pairs to fuse 0, {WITHOUT} 4",
        f"2 {WITHOUT}: {SAME}",
        f"1 {WITHOUT}: {ALONE}",
        f"1 {WITHOUT}: {UNPICKED}",
        "nothing can be fused: a larger pool, a lower cluster.tau or pair.within=cluster.label gives partners",
    ]
    paired = Play(pool).run(PairRecords(value="rate.value", ceiling=2))
    assert paired.artifact["told"][0] == f"weak records 4, pairs to fuse 1, {WITHOUT} 2"


def test_random_pairs_cross_the_groups() -> None:
    pairs = _pairs(_paired(how="random"))
    assert len(pairs) == 90
    assert any(one.rstrip("0123456789") != other.rstrip("0123456789") for one, other in pairs.items())
    assert pairs == _pairs(_paired(how="random"))


def test_the_order_of_work_changes_no_pair() -> None:
    plain = _paired().records
    again = Play(_pool())
    for stage in (
        PartitionByQuality(value="rate.value", correct="", low=9.0, high=9.0),
        EmbedRecords(),
        ClusterRecords(k=3, tau=0.3),
        PickRepresentatives(share=1),
        PairRecords(value="rate.value"),
    ):
        again.run(stage, order=5)
    assert again.records == plain


def test_conversations_options_and_echoes_are_not_paired() -> None:
    notes = {"pick.rank": 0, "pick.chosen": True, "cluster.group": "g", "embed.vector": [1.0, 0.0], "rate.value": 1.0}
    low = {"status": Status.LOW, "notes": notes}
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"), Message("assistant", "d"))
    tool = (Message("user", "a"), Message("assistant", "b", {"tool_calls": []}))
    pool = [
        make("plain", "q", "r", **low),
        make("same", "q", "r", **low),
        make("choice", "q", "A", ("x", "y"), **low),
        Record("long", turns, **low),
        Record("tool", tool, **low),
        make("talk#0", "q", "r", **low),
        make("talk#1", "q", "r", **low),
    ]
    play = Play(pool).run(PairRecords(value="rate.value", ceiling=2))
    assert set(_pairs(play)) == {"plain", "same"}
    assert not _pairs(Play(pool).run(PairRecords(value="rate.value")))
    assert "options: not fused" in play.edits["choice"].reason


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("high", {Status.HIGH}),
        ("fused", {Status.FUSED, Status.REPAIRED}),
        ("high+fused", {Status.HIGH, Status.FUSED, Status.REPAIRED}),
    ],
)
def test_the_mix(keep: Any, kept: set[Status]) -> None:
    statuses = (Status.HIGH, Status.FUSED, Status.REPAIRED, Status.LOW)
    play = Play([make(str(s), "q", "r", status=s) for s in statuses]).run(ChooseMix(keep=keep))
    assert {s for s in statuses if play[str(s)].status == s} == kept | {Status.LOW}
