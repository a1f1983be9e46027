from __future__ import annotations

import pytest

from regold.record import Record, Status
from regold.stages.select import KeepConfident
from tests.stages.conftest import Play, make


def _repaired(id_: str, score: float | None, changed: bool = True) -> Record:
    notes = {"review.mean_nll": score, "review.changed": changed, "relabel.mean_nll": -(score or 0.0)}
    return make(id_, f"Q {id_}", "A", status=Status.REPAIRED, notes=notes)


def _kept(play: Play) -> set[str]:
    return {r.id for r in play.records.values() if r.status != Status.DROPPED}


def test_the_lowest_share_is_kept() -> None:
    play = Play([_repaired("a", 0.3), _repaired("b", 0.1), _repaired("c", 0.9), _repaired("d", 0.2)]).run(
        KeepConfident()
    )
    assert _kept(play) == {"b", "d"}
    assert play["b"].status == Status.REPAIRED
    assert play.edits["c"].reason == "review.mean_nll 0.9000, rank 4 of 4: not among the most confident 50%"
    assert play.edits["b"].reason.endswith("rank 1 of 4: kept")


@pytest.mark.parametrize(
    ("share", "n", "kept"), [(0.0, 5, 0), (1.0, 5, 5), (0.5, 5, 2), (0.29, 100, 29), (0.3, 10, 3), (0.5, 1, 0)]
)
def test_shares_are_floored_exactly(share: float, n: int, kept: int) -> None:
    assert len(_kept(Play([_repaired(f"{i:03d}", i / 7) for i in range(n)]).run(KeepConfident(share=share)))) == kept


def test_ties_go_by_id_and_missing_scores_come_last() -> None:
    play = Play([_repaired("d", 0.1), _repaired("a", None), _repaired("c", 0.1), _repaired("b", 0.1)]).run(
        KeepConfident()
    )
    assert _kept(play) == {"b", "c"}
    assert "missing" in play.edits["a"].reason


def test_a_confirmed_response_that_is_kept_becomes_clean() -> None:
    play = Play([_repaired("a", 0.1, changed=False), _repaired("b", 0.9, changed=False)]).run(KeepConfident())
    assert play["a"].status == Status.CLEAN
    assert play["b"].status == Status.DROPPED


def test_the_paper_s_own_score_can_be_used() -> None:
    stage = KeepConfident(score="relabel.mean_nll")
    assert "relabel.mean_nll" in stage.reads
    assert _kept(Play([_repaired("a", 0.1), _repaired("b", 0.9)]).run(stage)) == {"b"}


def test_other_records_are_not_touched() -> None:
    clean = make("z", "Q", "A", status=Status.CLEAN)
    play = Play([clean, _repaired("a", 0.1)]).run(KeepConfident())
    assert set(play.edits) == {"a"}
