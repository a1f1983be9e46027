"""Figures from counts equal those of the records counted, and those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from regold.methods.detection import detection
from regold.methods.tallies import auroc_of, average_precision, precision_recall_f1, resampled


def counted(wrong: np.ndarray, level: np.ndarray, levels: int) -> np.ndarray:
    return np.stack([np.bincount(level[wrong == side], minlength=levels) for side in (False, True)])


def test_the_figures_are_those_of_the_records() -> None:
    rng = np.random.default_rng(3)
    wrong = rng.random((5, 400)) < 0.3
    level = np.clip(rng.integers(0, 3, (5, 400)) + wrong, 0, 3)
    counts = np.stack([counted(w, s, 4) for w, s in zip(wrong, level, strict=True)])
    precision, recall, f1 = precision_recall_f1(counts, 2)
    for place, (w, s) in enumerate(zip(wrong, level, strict=True)):
        known = detection(w.tolist(), (s >= 2).tolist(), s.tolist())
        assert (precision[place], recall[place], f1[place]) == pytest.approx((known.precision, known.recall, known.f1))
        assert auroc_of(counts)[place] == pytest.approx(known.auroc)
        assert auroc_of(counts)[place] == pytest.approx(roc_auc_score(w, s))
        assert average_precision(counts)[place] == pytest.approx(average_precision_score(w, s))


def test_nothing_wrong_or_nothing_right_has_no_ranking() -> None:
    nothing_wrong = np.array([[3, 2], [0, 0]])
    assert np.isnan(auroc_of(nothing_wrong))
    assert np.isnan(average_precision(nothing_wrong))
    assert precision_recall_f1(nothing_wrong, 1) == (0.0, 0.0, 0.0)
    assert np.isnan(auroc_of(nothing_wrong[::-1]))
    assert average_precision(nothing_wrong[::-1]) == 1.0


def test_resampling_keeps_the_number_of_records_and_spreads_as_a_binomial() -> None:
    counts = np.array([[[60, 20], [5, 15]], [[50, 0], [0, 50]]])
    drawn = resampled(counts, 4000, np.random.default_rng(0))
    assert drawn.shape == (4000, 2, 2, 2)
    assert (drawn.sum(axis=(2, 3)) == 100).all()
    assert drawn[:, 1, 0, 1].max() == 0
    # the standard deviation of a binomial count, n = 100, p = .6; 4 % is over three errors of 4000 draws
    assert drawn[:, 0, 0, 0].std() == pytest.approx((100 * 0.6 * 0.4) ** 0.5, rel=0.04)
