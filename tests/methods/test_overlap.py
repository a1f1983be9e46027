"""Word overlap: against values worked out by hand, and ROUGE-L against the rouge-score package."""

from __future__ import annotations

import random

import pytest

from regold.methods.overlap import rouge_l, span_scores, token_f1, words_of


def test_words_lose_case_articles_punctuation_and_the_way_a_number_is_written() -> None:
    assert words_of("The  Quick-brown, fox's!") == ["quick", "brown", "foxs"]
    assert words_of("1,234.0 yards") == words_of("1234 yards") == ["1234", "yards"]
    assert words_of("ÉCOLE, l'eau") == ["école", "leau"]
    assert words_of("a an the") == []


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # 2 of 3 said words are right, 2 of 4 wanted are said: P 2/3, R 1/2.
    assert token_f1(["a", "b", "c"], ["a", "b", "d", "e"]) == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert token_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
    assert token_f1([], []) == 1
    assert token_f1([], ["a"]) == 0


@pytest.mark.parametrize(
    ("said", "golds", "em", "f1"),
    [
        (["Denver Broncos"], [["the Denver Broncos"]], 1, 1),
        (["the Broncos"], [["Denver Broncos"]], 0, 2 / 3),
        (["Broncos"], [["Panthers"], ["Broncos!"]], 1, 1),
        (["b", "a"], [["a", "b"]], 1, 1),
        (["a"], [["a", "b"]], 0, 0.5),
        (["a", "b", "c"], [["a"]], 0, 1 / 3),
        (["25 yards"], [["27 yards"]], 0, 0),  # another number shares a word, and is worth nothing
        (["27"], [["27 yards"]], 0, 2 / 3),
        (["1,000"], [["1000"]], 1, 1),
        ([], [["a"]], 0, 0),
    ],
)
def test_spans(said: list[str], golds: list[list[str]], em: float, f1: float) -> None:
    assert span_scores(said, golds) == (em, pytest.approx(f1))


def test_spans_are_matched_so_that_the_sum_is_greatest() -> None:
    # `a b` fits both golds best, but giving it to `a b c` leaves `a` for `a`.
    assert span_scores(["a1 b1", "a1"], [["a1 b1 c1", "a1"]])[1] == pytest.approx((0.8 + 1) / 2)


def test_rouge_l_equals_the_reference_implementation() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    chance = random.Random(0)
    for _ in range(200):
        one, other = (" ".join(chance.choices("abcdefg", k=chance.randrange(0, 12))) for _ in range(2))
        assert rouge_l(one, other) == pytest.approx(scorer.score(other, one)["rougeL"].fmeasure)
