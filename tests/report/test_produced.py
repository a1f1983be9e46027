"""The summary of what was made, and the blind sheet: its key, its cells, and what people's scores come to."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from regold.errors import InputError
from regold.report.produced import Made, read_sheet, summarize_produced, write_sheet


def _made(n: int, outcome: str = "fused at once", found: tuple[str, ...] = (), **notes: float) -> Made:
    parents = [f"p{n}", f"q{n}"][: 1 if outcome == "mended" else 2]
    sources = [[f"task {p}", f"given {p}", ""] for p in parents]
    measures = {"grounding": 0.5, "covered": 1.0, "copied": 0.25, "words": 8, "ratio": 1.0}
    return Made(
        f"p{n}",
        outcome,
        "FUSED",
        parents,
        sources,
        f"new task {n}",
        "=HYPERLINK(1)",
        {"found": list(found), **measures, **notes},
    )


def test_the_summary_counts_findings_and_compares_the_second_raters_scores() -> None:
    records = [_made(n, before=4.0, after=6.0 + n % 2) for n in range(20)]
    records += [_made(20, "mended", ("unsupported", "long"), before=5.0), _made(21, found=("long",))]
    told = summarize_produced(records)
    assert told["made"] == 22
    assert told["sound"] == 20
    assert told["found"] == {"long": 2, "unsupported": 1}
    assert told["outcomes"] == {"fused at once": 21, "mended": 1}
    judged = told["second_rater"]
    assert (judged["records"], judged["difference"]) == (20, 2.5)
    assert judged["interval"][0] < 2.5 < judged["interval"][1]
    assert summarize_produced([])["made"] == 0
    assert summarize_produced([_made(1)])["second_rater"] is None


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_sheet_does_not_tell_what_was_made(tmp_path: Path) -> None:
    records = [_made(n) for n in range(6)] + [_made(6, "mended")]
    key, items = write_sheet(records, tmp_path / "s.csv", 99)
    rows, known = _rows(tmp_path / "s.csv"), _rows(key)
    assert items == len(rows) == len(known) == 6 * 3 + 2
    assert set(rows[0]) == {"item", "task", "response", "score_1_to_10", "comment"}
    sides = [k["side"] for k in known]
    assert sides.count("after") == 7
    assert sides != sorted(sides)
    for row, place in zip(rows, known, strict=True):
        expected = f"new task {place['record'][1:]}" if place["side"] == "after" else f"task {place['text_of']}"
        assert row["task"] == expected
    write_sheet(records, tmp_path / "t.csv", 99)
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "s.csv").read_bytes()


def test_no_cell_is_computed_by_a_spreadsheet(tmp_path: Path) -> None:
    write_sheet([_made(1)], tmp_path / "s.csv", 5)
    assert all(not row["response"].startswith("=") for row in _rows(tmp_path / "s.csv"))


def _fill(sheet: Path, key: Path, before: str, after: str) -> None:
    sides = {row["item"]: row["side"] for row in _rows(key)}
    rows = [{**row, "score_1_to_10": {"before": before, "after": after}[sides[row["item"]]]} for row in _rows(sheet)]
    with sheet.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_the_scores_of_people_are_read_back(tmp_path: Path) -> None:
    key, _ = write_sheet([_made(n) for n in range(5)], tmp_path / "s.csv", 5)
    with pytest.raises(InputError, match="fill in"):
        read_sheet(tmp_path / "s.csv")
    _fill(tmp_path / "s.csv", key, "4", "7,5")
    told = read_sheet(tmp_path / "s.csv")
    assert (told["records"], told["before"], told["after"], told["difference"]) == (5, 4, 7.5, 3.5)
    assert told["scored"] == 15


def test_a_wrong_score_and_a_lost_key_are_named(tmp_path: Path) -> None:
    key, _ = write_sheet([_made(1)], tmp_path / "s.csv", 1)
    _fill(tmp_path / "s.csv", key, "4", "good")
    with pytest.raises(InputError, match="'good' is no number from 1 to 10"):
        read_sheet(tmp_path / "s.csv")
    key.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_sheet(tmp_path / "s.csv")
