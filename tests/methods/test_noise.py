"""Noise is exact in number, nested, seeded, and always wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regold.errors import UsageError
from regold.methods import spoil
from regold.methods.noise import FREE_TEXT, KINDS, corrupt_rows, count
from regold.methods.pools import Pool, same
from regold.record import Message, Messages


@dataclass(frozen=True)
class Line:
    id: str
    messages: Messages
    options: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    truth: str | None = None
    noise: str | None = None


def line(id: object, question: str, response: str, *options: str, **source: Any) -> Line:
    return Line(str(id), (Message("user", question), Message("assistant", response)), options, source)


def said(row: Line) -> str:
    return row.messages[-1].content


def struck(rows: list[Line]) -> dict[str, str]:
    return {row.id: said(row) for row in rows if row.noise is not None}


OPTIONS = ("north", "east", "south", "west")
CHOICES = [
    line(i, f"Where is {i}?\nA. north\nB. east\nC. south\nD. west", "ABCD"[i % 4], *OPTIONS, kind=i // 8)
    for i in range(400)
]
OPEN = [
    line(
        i,
        f"What is the {kind} of land {i}?",
        f"It is {name}ia {i // 2}, as everybody in {name} knows. Ask again tomorrow.",
        kind=kind,
    )
    for i in range(400)
    for kind, name in [(("capital", "river", "dish")[i % 3], ("Bor", "Tam", "Vel", "Quin")[i % 4])]
]
MODEL = {row.id: "ABCD"[(int(row.id) + 3) % 4] for row in CHOICES}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [CHOICES, OPEN], ids=["choice", "open"])
def test_every_kind_is_exact_nested_seeded_and_wrong(kind: str, rows: list[Line]) -> None:
    by = "kind" if rows is CHOICES else None
    margin = {row.id: float(int(row.id) % 7) for row in rows}
    if (rows is CHOICES and kind in ("truncate", "fact")) or (rows is OPEN and kind in ("model", "adversarial")):
        with pytest.raises(UsageError, match=r"only 0 of the \d+ records asked for can be corrupted"):
            corrupt_rows(rows, 0.3, kind, 7, model={})
        return
    found = {rate: corrupt_rows(rows, rate, kind, 7, model=MODEL, by=by, margin=margin) for rate in (0, 0.3, 0.5, 0.7)}
    for rate, noisy in found.items():
        assert [row.id for row in noisy] == [row.id for row in rows]
        assert len(struck(noisy)) == count(rate, len(rows))
        for before, after in zip(rows, noisy, strict=True):
            if after.noise is None:
                assert after == replace(before, truth=said(before))
            elif kind == "instruction":
                assert (after.truth, said(after)) == (before.messages[0].content, said(before))
                assert not same(after.messages[0].content, before.messages[0].content)
            else:
                assert after.truth == said(before)
                assert not same(said(after), said(before))
                assert after.messages[:-1] == before.messages[:-1]
    assert struck(found[0.3]).items() <= struck(found[0.5]).items() <= struck(found[0.7]).items()
    given = {"model": MODEL, "by": by, "margin": margin}
    assert corrupt_rows(list(reversed(rows)), 0.3, kind, 7, **given)[::-1] == found[0.3]
    assert set(struck(corrupt_rows(rows, 0.3, kind, 8, **given))) != set(struck(found[0.3]))


@pytest.mark.parametrize(
    ("rate", "rows", "expected"), [(0.29, 100, 29), (0.3, 10, 3), (0.7, 10, 7), (0.3, 9, 2), (1, 5, 5)]
)
def test_the_count_is_the_floor_of_the_written_rate(rate: float, rows: int, expected: int) -> None:
    assert count(rate, rows) == expected


def test_symmetric_draws_every_wrong_option_as_often() -> None:
    rows = [line(i, "q", "B", *OPTIONS) for i in range(3000)]
    drawn = Counter(struck(corrupt_rows(rows, 1.0, "symmetric", 1)).values())
    assert set(drawn) == {"A", "C", "D"}
    # three standard deviations of a binomial with n = 3000, p = 1/3
    assert all(abs(n - 1000) < 3 * (3000 * 2 / 9) ** 0.5 for n in drawn.values())


def test_symmetric_never_draws_an_option_worded_like_the_true_one() -> None:
    rows = [line(i, "q", "A", "yes", "no", "Yes.") for i in range(50)]
    assert set(struck(corrupt_rows(rows, 1.0, "symmetric", 1)).values()) == {"B"}
    assert set(struck(corrupt_rows(rows, 1.0, "pair", 1)).values()) == {"B"}


def test_answers_are_lent_within_a_column_only() -> None:
    noisy = corrupt_rows(OPEN, 0.7, "symmetric", 3, within="kind")
    kinds = {said(row): row.source["kind"] for row in OPEN}
    assert all(kinds[said(row)] == row.source["kind"] for row in noisy)
    assert any(kinds[said(row)] != row.source["kind"] for row in corrupt_rows(OPEN, 0.7, "symmetric", 3))


def test_a_row_alone_in_its_pool_is_passed_over() -> None:
    rows = [*OPEN[:20], line("alone", "q", "single", kind="motto")]
    for kind in ("symmetric", "pair", "swap"):
        noisy = corrupt_rows(rows, 20 / 21, kind, 1, within="kind")
        assert "alone" not in struck(noisy)
        with pytest.raises(UsageError, match=f"only 20 of the 21 records asked for can be corrupted by '{kind}'"):
            corrupt_rows(rows, 1, kind, 1, within="kind")


def test_pair_always_mistakes_one_answer_for_the_same_other() -> None:
    rows = [line(i, "q", ["Rome", "Oslo", "Lima", "rome."][i % 4], kind="capital") for i in range(40)]
    noisy = corrupt_rows(rows, 1.0, "pair", 5, within="kind")
    found = {(str(row.truth).strip(".").lower(), said(row)) for row in noisy}
    assert len(found) == 3
    assert {wrong for _, wrong in found} == {"Rome", "Oslo", "Lima"}
    choices = corrupt_rows(CHOICES, 1.0, "pair", 5)
    assert {(row.truth, said(row)) for row in choices} == {("A", "B"), ("B", "C"), ("C", "D"), ("D", "A")}


def test_the_models_own_wrong_answers() -> None:
    noisy = corrupt_rows(CHOICES, 0.5, "model", 1, model=MODEL)
    assert all(MODEL[id] == wrong for id, wrong in struck(noisy).items())
    right_for_half = {row.id: said(row) if int(row.id) % 2 else MODEL[row.id] for row in CHOICES}
    assert all(int(id) % 2 == 0 for id in struck(corrupt_rows(CHOICES, 0.5, "model", 1, model=right_for_half)))
    with pytest.raises(UsageError, match="'AB' to the record 0 is none of A, B, C, D"):
        corrupt_rows(CHOICES[:1], 1, "model", 1, model={"0": "AB"})
    with pytest.raises(UsageError, match="needs the wrong response"):
        corrupt_rows(CHOICES, 0.5, "model", 1)


def test_structured_noise_strikes_whole_groups_each_in_one_way() -> None:
    noisy = corrupt_rows(CHOICES, 0.5, "structured", 1, by="kind")
    groups: dict[object, list[Line]] = {}
    for row in noisy:
        groups.setdefault(row.source["kind"], []).append(row)
    hit = [[row.noise is not None for row in group] for group in groups.values()]
    assert sum(all(group) for group in hit) == 25
    assert not any(any(group) for group in hit if not all(group))
    moves = [
        {(ord(said(row)) - ord(str(row.truth))) % 4 for row in group} for group in groups.values() if group[0].noise
    ]
    assert all(len(move) == 1 for move in moves)
    assert {next(iter(move)) for move in moves} == {1, 2, 3}
    with pytest.raises(UsageError, match="needs the column to group records by"):
        corrupt_rows(CHOICES, 0.5, "structured", 1)
    with pytest.raises(UsageError, match="no record has the column 'topic' to group records by"):
        corrupt_rows(CHOICES, 0.5, "structured", 1, by="topic")


def test_records_with_one_answer_are_all_given_the_same_wrong_one() -> None:
    rows = [line(i, f"q {i}", f"town {i % 20}", kind="capital") for i in range(200)]
    noisy = [row for row in corrupt_rows(rows, 0.5, "structured", 3) if row.noise]
    assert len({row.truth for row in noisy}) == 10
    assert len({(row.truth, said(row)) for row in noisy}) == 10


def test_adversarial_noise_strikes_where_the_model_tells_right_from_wrong_least() -> None:
    margin = {row.id: abs(int(row.id) - 200) for row in CHOICES}
    noisy = struck(corrupt_rows(CHOICES, 0.25, "adversarial", 1, model=MODEL, margin=margin))
    assert max(margin[id] for id in noisy) <= 50
    assert all(MODEL[id] == wrong for id, wrong in noisy.items())
    with pytest.raises(UsageError, match="'adversarial' needs the wrong response"):
        corrupt_rows(CHOICES, 0.5, "adversarial", 1)


def test_free_text_mixes_all_its_kinds_about_evenly() -> None:
    drawn = Counter(row.noise for row in corrupt_rows(OPEN, 1.0, "free-text", 1))
    assert set(drawn) == set(FREE_TEXT)
    assert min(drawn.values()) > 400 / 7 / 2


def test_instruction_noise_leaves_the_options_below_the_question() -> None:
    tail = "\nA. north\nB. east\nC. south\nD. west"
    for row in corrupt_rows(CHOICES, 1.0, "instruction", 1):
        assert row.messages[0].content.endswith(tail)
        assert row.messages[0].content.count("A. north") == 1
        assert str(row.truth).endswith(tail)


def test_a_truth_known_before_stays_the_truth() -> None:
    rows = [replace(line(i, "q", "A", *OPTIONS), truth="B") for i in range(60)]
    noisy = corrupt_rows(rows, 0.5, "symmetric", 1)
    assert {row.truth for row in noisy} == {"B"}
    assert "B" not in struck(noisy).values()
    assert {said(row) for row in noisy if row.noise is None} == {"A"}


def test_wrong_use_is_explained() -> None:
    with pytest.raises(UsageError, match="unknown noise 'random'; there are symmetric"):
        corrupt_rows(OPEN, 0.3, "random", 1)
    with pytest.raises(UsageError, match=r"the rate is 30; it must lie between 0 and 1"):
        corrupt_rows(OPEN, 30, "swap", 1)
    with pytest.raises(UsageError, match="no record has the column 'topic'"):
        corrupt_rows(OPEN, 0.3, "swap", 1, within="topic")
    assert corrupt_rows([], 0.3, "swap", 1, within="topic") == []


TEXT = st.text(max_size=40)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=8), st.sampled_from(KINDS), st.integers(0, 3))
def test_any_texts_are_made_wrong_or_refused(responses: list[str], kind: str, seed: int) -> None:
    rows = [line(i, f"question {i} of some", text) for i, text in enumerate(responses)]
    try:
        noisy = corrupt_rows(rows, 1, kind, seed, model={})
    except UsageError:
        return
    assert all(kind == "instruction" or not same(said(row), str(row.truth)) for row in noisy)


@given(st.lists(TEXT), TEXT, st.integers())
def test_a_pool_never_returns_the_answer_itself(texts: list[str], text: str, seed: int) -> None:
    pool = Pool.of(texts)
    for other in (pool.other(text, Random(seed)), pool.mistaken(text, seed)):
        assert other is None or (other in texts and not same(other, text))


@given(TEXT, st.integers())
def test_a_changed_fact_changes_one_digit_or_one_name(text: str, seed: int) -> None:
    text = f"Anna met {text} Bert in Rome on day 17."
    changed = spoil.fact(text, spoil.names([text, "We saw Carla and Dora."]), Random(seed))
    assert changed is not None
    assert changed != text


def test_truncated_and_repeated_texts() -> None:
    words = "one two three four five six seven eight nine ten"
    for seed in range(50):
        cut = spoil.truncated(words, Random(seed))
        assert cut is not None
        assert words.startswith(cut)
        assert 2 <= len(cut.split()) <= 7
        again = spoil.repeated("First. Second. Third.", Random(seed))
        assert again is not None
        assert max(Counter(again.replace(".", "").split()).values()) >= 5
    assert spoil.truncated("x", Random(1)) is None
    assert spoil.repeated(" \n", Random(1)) is None
