from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from regold.methods.detection import auroc, detection


@pytest.mark.parametrize("seed", range(5))
def test_figures_equal_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    wrong = random.random(300) < 0.3
    suspicion = np.round(random.random(300) + 0.4 * wrong, 1)  # with ties
    flagged = suspicion > 0.7
    found = detection(wrong.tolist(), flagged.tolist(), suspicion.tolist())
    assert found.precision == pytest.approx(metrics.precision_score(wrong, flagged))
    assert found.recall == pytest.approx(metrics.recall_score(wrong, flagged))
    assert found.f1 == pytest.approx(metrics.f1_score(wrong, flagged))
    assert found.auroc == pytest.approx(metrics.roc_auc_score(wrong, suspicion))
    assert (found.flagged, found.wrong, found.records) == (flagged.sum(), wrong.sum(), 300)
    assert detection(wrong.tolist(), flagged.tolist()).auroc == pytest.approx(metrics.roc_auc_score(wrong, flagged))


def test_what_is_not_defined_is_zero_or_none() -> None:
    nothing = detection([False, False], [False, False])
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.auroc) == (0.0, 0.0, 0.0, None)
    assert detection([True], [False]).recall == 0.0
    assert detection([], []).records == 0


def test_lengths_and_scores_are_checked() -> None:
    with pytest.raises(ValueError, match="2 truths but 1 flags"):
        detection([True, False], [True])
    with pytest.raises(ValueError, match="one score"):
        auroc([True, False], [1.0, float("nan")])
