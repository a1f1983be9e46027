"""The bench of ENTP's arms: figures from trials whose outcome is known, and a bench on a tiny table end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from regold.bench.entp import Asked, bench_entp, planned
from regold.bench.entp_page import TITLES, page, write_entp
from regold.bench.entp_plots import draw
from regold.bench.entp_summary import summarise
from regold.errors import UsageError
from regold.files import read_json
from regold.lab.pool_ground import MODEL

TINY = """
records = 60
rows = 15
test = 20
seeds = 2

[train]
epochs = 1
learning_rate = 1e-3
rank = 2
alpha = 4

[[arm]]
name = "vanilla"
recipe = "vanilla"
group = "bound"

[[arm]]
name = "oracle"
recipe = "oracle-clean"
group = "bound"

[[arm]]
name = "keep all"
recipe = "entp-keep-all"

[[arm]]
name = "full"
recipe = "entp"

[[arm]]
name = "rewrite"
recipe = "entp-rewrite"

[[arm]]
name = "drop low, equal calls"
recipe = "entp-drop-low"
calls_of = "full"

[[arm]]
name = "tags"
recipe = "select-tags"
group = "selection"
"""


def _trial(arm: str, seed: int, right: str, **more: Any) -> dict[str, Any]:
    bits = [int(b) for b in right]
    about = {"arm": arm, "group": "arm", "seed": seed, "place": 0 if arm == "keep all" else 1, "right": right}
    figures = {"facts": [b / 2 for b in bits], "neglected": "10" * (len(bits) // 2), "calls": 5, "prompt_tokens": 9}
    figures |= {"completion_tokens": 3, "available": 9, "trained": 7, "made": 2, "facts_right": 1.0, "facts_each": 2.0}
    figures |= {"facts_taught": 0.5, "rare_share": 0.1, "seconds": {"prepare": 1.0, "train": 2.0}}
    return {**about, **figures, **more}


def test_means_differences_and_parts() -> None:
    trials = [_trial("keep all", s, "1000", calls=96) for s in range(3)]
    trials += [_trial("full", s, "1110", outcomes={"mended": 3}, calls=100) for s in range(3)]
    trials.append(_trial("full", 9, "0000"))
    found = summarise(trials)
    kept, full = found["rows"]
    assert found["seeds"] == [0, 1, 2, 9]
    assert kept["seeds"] == full["seeds"] == 3
    assert (kept["arm"], full["arm"]) == ("keep all", "full")
    assert full["exact"]["mean"] == 0.75
    assert full["over_keep_all"]["mean"] == 0.5
    assert full["over_keep_all"]["low"] <= 0.5 <= full["over_keep_all"]["high"]
    assert (full["neglected"], full["others"]) == (1.0, 0.5)
    assert full["outcomes"] == {"mended": 3.0}
    assert (kept["calls_against_full"], kept["equal_calls"]) == (0.96, True)
    assert summarise([])["rows"] == []


def test_the_page_has_a_table_for_every_group(tmp_path: Path) -> None:
    trials = [_trial("keep all", s, "1000", calls=4) for s in range(2)] + [_trial("full", s, "1110") for s in range(2)]
    train = {"epochs": 1}
    asked = {"records": 9, "rows": 7, "test": 4, "train": train, "trials": 4, "core_seconds": 60.0}
    found = {"asked": asked, **summarise(trials)}
    write_entp(found, tmp_path)
    text = (tmp_path / "results.md").read_text()
    assert "| full | 2 | .750 [" in text
    assert "## Arms" in text
    assert "| keep all | 4 | **0.80** |" in text
    assert "CPU seconds" not in text
    assert "| full | 5 | 1.00 |" in text
    assert "## Selection baselines" not in page(found)
    assert (tmp_path / "arms.svg").is_file()
    assert read_json(tmp_path / "results.json")["rows"][1]["arm"] == "full"


def test_a_setting_swept_is_drawn_over_its_values(tmp_path: Path) -> None:
    found = summarise([_trial(f"k {k}", s, "1010", group="clusters") for k in ("1", "16", "auto") for s in range(2)])
    assert draw(found["rows"], TITLES, tmp_path)[-1][0] == "clusters"
    svg = (tmp_path / "clusters.svg").read_text()
    assert all(f">{told}<" in svg for told in ("1", "16", "auto", "clusters a source"))


def test_groups_narrow_the_arms(tmp_path: Path) -> None:
    table, tasks = planned(Asked(tmp_path, quick=True, model=tmp_path))
    assert (table.seeds, len(tasks)) == (2, 2)
    assert {arm.group for arm in tasks[0].arms} == {"bound", "arm"}
    with pytest.raises(UsageError, match="no group 'arms'"):
        planned(Asked(tmp_path, groups=("arms",), model=tmp_path))
    with pytest.raises(UsageError, match="--modes fuse"):
        planned(Asked(tmp_path, model=tmp_path / "none"))


@pytest.mark.slow
def test_a_tiny_bench_runs_and_does_no_trial_twice(tmp_path: Path) -> None:
    if not MODEL.is_dir():
        pytest.skip("the checkpoint lab-fuse is not there")
    (tmp_path / "arms.toml").write_text(TINY)
    asked = Asked(tmp_path / "runs", arms=tmp_path / "arms.toml")
    told: list[str] = []
    found = bench_entp(asked, tmp_path / "out", lambda name, total: lambda done: None, told.append)
    again = bench_entp(asked, tmp_path / "out", lambda name, total: lambda done: None, told.append)
    assert told == ["14 trials, 14 to do", "14 trials, 0 to do"]
    assert again["rows"] == found["rows"]
    by = {row["arm"]: row for row in found["rows"]}
    assert all(row["trained"] <= 15 for row in by.values())
    assert by["oracle"]["facts_right"] == 1.0
    assert by["full"]["calls"] > by["keep all"]["calls"] == 0
    assert by["drop low, equal calls"]["calls"] == pytest.approx(by["full"]["calls"], rel=0.15)
    assert by["tags"]["equal_calls"] is False
