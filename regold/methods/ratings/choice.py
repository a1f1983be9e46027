"""Chooses what to do about each rater's scores, from evidence that the choice is never measured by, and says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from regold.methods.ratings.compare import pearson, spearman, to_class
from regold.methods.ratings.diagnosis import CLASSES, Diagnosis, diagnose
from regold.methods.ratings.neighbourly import Near, neighbour_mean, smooth, vote
from regold.methods.ratings.raters import dawid_skene
from regold.methods.ratings.regression import Ridge, fold_numbers, regress, to_scale

NONE, RULE, SMOOTHING, REGRESSION = "none", "rule", "smoothing", "regression"
METHODS = (RULE, SMOOTHING, REGRESSION)
FEW = 200
"""Fewer scores than this are left as they are: nothing could be told of them."""
SURE = 3.0
"""A correlation counts from this many standard errors, 1 / sqrt(n), on."""


@dataclass(frozen=True)
class Ground:
    """What is known of the records beside their scores: neighbours, and features for regression."""

    near: Near
    ridge: Ridge
    lengths: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, near: Near, lengths: np.ndarray, seed: int = 0) -> Ground:
        """Take vectors (n, d), neighbours and `length_features` (n, 5) of the same records."""
        return cls(
            near,
            Ridge(np.column_stack([vectors, lengths.astype(np.float32)]), fold_numbers(len(vectors), seed)),
            lengths,
        )


@dataclass(frozen=True)
class Corrected:
    """One rater's scores as each corrector leaves them."""

    values: Mapping[str, np.ndarray]
    heldout: Mapping[str, float]
    """How each corrector's view of a record agrees with the score of the record, which had no part in it."""
    predicted: np.ndarray
    """What regression says of a record without its own score."""
    own: float
    """The weight that regression gives to the part of a score that the text does not predict."""


@dataclass(frozen=True)
class Choice:
    """What was done, and why."""

    method: str
    reason: str
    evidence: str
    """`second rating`, `recovery` or `given`."""
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By kind of figure, one figure a corrector."""


def correct(scores: np.ndarray, ground: Ground, found: Diagnosis, seed: int = 0) -> Corrected:
    """Return the scores (n,), NaN where missing, as every corrector leaves them. They need some spread."""
    near, known = ground.near, np.isfinite(scores)
    regressed = regress(scores, near, ground.ridge, ground.lengths)
    values = {NONE: scores, SMOOTHING: smooth(scores, near), REGRESSION: regressed.values}
    means = neighbour_mean(scores, near.rows[:, :10])
    heldout = {SMOOTHING: _held(means, scores), REGRESSION: regressed.correlation}
    if found.transition is not None:
        values[RULE] = found.curate(scores, near, seed)
        classes = np.full(len(scores), -1)
        classes[known] = to_class(scores[known], CLASSES)
        heldout[RULE] = _held(vote(classes, near, CLASSES).argmax(1).astype(np.float64), scores)
    return Corrected(values, heldout, regressed.predicted, regressed.own)


def choose(
    scores: np.ndarray, done: Corrected, found: Diagnosis, ground: Ground, second: np.ndarray | None, seed: int = 0
) -> Choice:
    """Choose a corrector for one rater's scores.

    With a second rating (another rater, or disjoint samples of this one) the corrector whose scores agree with it
    best, if any does so better than the scores as given. Without one, the corrector that brings simulated ratings
    nearest to their truth, if the texts tell anything of the scores and it does better than nothing; else none. The
    rank rule needs a transition matrix that can be believed.
    """
    usable = [m for m in METHODS if m in done.values and (m != RULE or not found.reasons)]
    doubts = f"; no rank rule: {'; '.join(found.reasons)}" if found.reasons else ""
    if second is not None:
        return _by_second(scores, done, usable, second, doubts)
    least = SURE / np.sqrt(max(int(np.isfinite(scores).sum()), 1))
    telling = max(done.heldout[m] for m in usable)
    if telling < least:
        why = f"left as they are: other records say nothing of a score (correlation {telling:.3f}){doubts}"
        return Choice(NONE, why, "recovery", {"held out": done.heldout})
    recovered = recover(scores, done, found, ground, seed)
    why = (
        f"correlation with scores not seen: {', '.join(f'{m} {done.heldout[m]:.3f}' for m in usable)}; agreement of "
        f"simulated ratings with their truth, {done.own:.0%} of what the texts do not tell being true: "
        f"{_listed(recovered, usable)}{doubts}"
    )
    return _best(recovered, usable, least / 2, why, "recovery", {"held out": done.heldout, "recovery": recovered})


def _by_second(scores: np.ndarray, done: Corrected, usable: list[str], second: np.ndarray, doubts: str) -> Choice:
    agreed = {m: spearman(done.values[m], second) for m in (NONE, *usable)}
    known = int((np.isfinite(scores) & np.isfinite(second)).sum())
    why = f"agreement with a second rating of {known} records: {_listed(agreed, usable)}{doubts}"
    return _best(agreed, usable, SURE / np.sqrt(max(known, 1)) / 2, why, "second rating", {"agreement": agreed})


def _best(
    figures: Mapping[str, float],
    usable: list[str],
    margin: float,
    why: str,
    evidence: str,
    told: Mapping[str, Mapping[str, float]],
) -> Choice:
    best = max(usable, key=lambda m: figures[m])
    if figures[best] > figures[NONE] + margin:
        return Choice(best, why, evidence, told)
    return Choice(NONE, f"left as they are: {why}", evidence, told)


def _listed(figures: Mapping[str, float], usable: list[str]) -> str:
    return ", ".join(f"{m} {figures[m]:.3f}" for m in (NONE, *usable))


def recover(scores: np.ndarray, done: Corrected, found: Diagnosis, ground: Ground, seed: int = 0) -> dict[str, float]:
    """Return how near each corrector brings simulated ratings to their truth, by Spearman's correlation.

    The truth simulated is what regression predicts plus the share `own` of the variance that it does not, drawn from
    its residuals; the simulated rater adds the rest, and gives each class as often as the given scores do.
    """
    known = np.isfinite(scores)
    chance, rest = np.random.default_rng(seed), (scores - done.predicted)[known]
    truth, again = np.full(len(scores), np.nan), np.full(len(scores), np.nan)
    truth[known] = done.predicted[known] + np.sqrt(done.own) * chance.permutation(rest)
    strayed = truth[known] + np.sqrt(1 - done.own) * chance.permutation(rest)
    again[known] = to_class(to_scale(strayed, scores[known]), CLASSES)
    redone = correct(again, ground, found, seed)
    return {method: spearman(values, truth) for method, values in redone.values.items()}


@dataclass(frozen=True)
class Outcome:
    """The scores of one or several raters corrected and brought together."""

    values: np.ndarray
    choices: tuple[Choice, ...]
    diagnoses: tuple[Diagnosis, ...]
    together: str
    """How several raters were brought together, and why."""


def settle(ratings: Sequence[np.ndarray], ground: Ground, method: str = "auto", seed: int = 0) -> Outcome:
    """Correct each rater's scores (n,) and bring the raters together. `method` forces one corrector on all."""
    found = [diagnose(scores, ground.near, seed) for scores in ratings]
    done = [_every_way(r, d, ground, method, seed) for r, d in zip(ratings, found, strict=True)]

    def settled(place: int, out: int = -1) -> tuple[np.ndarray, Choice]:
        """Settle one rater's scores; the others are its evidence, but for one that is left out."""
        others = [r for p, r in enumerate(ratings) if p not in (place, out) and _spread(r)]
        second = mean_of(others) if others else None
        return _one(ratings[place], done[place], found[place], ground, second, method, seed)

    values, choices = zip(*(settled(place) for place in range(len(ratings))), strict=True)
    whole, told = _together(ratings, values, lambda place, out: settled(place, out)[0])
    return Outcome(whole, choices, tuple(found), told)


def _every_way(scores: np.ndarray, found: Diagnosis, ground: Ground, method: str, seed: int) -> Corrected | None:
    """Return the scores as every corrector leaves them, or None where they are left as they are beforehand."""
    few = method == "auto" and int(np.isfinite(scores).sum()) < FEW
    return None if few or method == NONE or not _spread(scores) else correct(scores, ground, found, seed)


def _one(
    scores: np.ndarray,
    done: Corrected | None,
    found: Diagnosis,
    ground: Ground,
    second: np.ndarray | None,
    method: str,
    seed: int,
) -> tuple[np.ndarray, Choice]:
    if not _spread(scores):
        return scores, Choice(NONE, f"left as they are: {found.reasons[0]}", "given")
    if method == NONE:
        return scores, Choice(NONE, "the recipe says so", "given")
    if done is None:
        known = int(np.isfinite(scores).sum())
        return scores, Choice(NONE, f"left as they are: {known} scores, fewer than {FEW}", "given")
    if method in done.values:
        return done.values[method], Choice(method, "the recipe says so", "given", {"held out": done.heldout})
    if method == RULE:
        return scores, Choice(NONE, f"left as they are: {found.reasons[0]}", "given")
    choice = choose(scores, done, found, ground, second, seed)
    return done.values[choice.method], choice


def _together(
    ratings: Sequence[np.ndarray], corrected: Sequence[np.ndarray], without: Callable[[int, int], np.ndarray]
) -> tuple[np.ndarray, str]:
    """Return the mean of the corrected raters, or Dawid-Skene's where it foretells a rater left out better.

    `without` corrects a rater (its place) by a choice that a rater left out (its place) had no part in.
    """
    told = [p for p, r in enumerate(ratings) if _spread(r)] or list(range(len(ratings)))
    mean = mean_of([corrected[p] for p in told])
    silent = f"; {len(ratings) - len(told)} without any spread left out" if len(told) < len(ratings) else ""
    if len(told) < 3:
        return mean, ("one rater" if len(told) == 1 else "the mean of two raters") + silent
    figures: dict[str, list[float]] = {"mean": [], "Dawid-Skene": []}
    for out in told:
        rest = [p for p in told if p != out]
        figures["mean"].append(spearman(mean_of([without(p, out) for p in rest]), ratings[out]))
        figures["Dawid-Skene"].append(spearman(_skene([ratings[p] for p in rest]), ratings[out]))
    by = {name: float(np.mean(each)) for name, each in figures.items()}
    said = ", ".join(f"{name} {value:.3f}" for name, value in by.items())
    best = max(by, key=lambda name: by[name])
    whole = mean if best == "mean" else _skene([ratings[p] for p in told])
    return whole, f"{best} of {len(told)} raters: agreement with a rater left out: {said}{silent}"


def mean_of(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over several raters' scores (n,) of those that are there, NaN where none is."""
    stacked = np.stack(columns)
    known = np.isfinite(stacked)
    count = known.sum(0)
    total = np.where(known, stacked, 0.0).sum(0)
    return np.asarray(np.divide(total, count, out=np.full(stacked.shape[1], np.nan), where=count > 0))


def _skene(ratings: Sequence[np.ndarray]) -> np.ndarray:
    columns = []
    for scores in ratings:
        known = np.isfinite(scores)
        classes = np.full(len(scores), -1)
        classes[known] = to_class(scores[known], CLASSES)
        columns.append(classes)
    return dawid_skene(np.column_stack(columns), CLASSES).scores


def _spread(scores: np.ndarray) -> bool:
    known = scores[np.isfinite(scores)]
    return len(np.unique(np.floor(known + 0.5))) > 1


def _held(view: np.ndarray, scores: np.ndarray) -> float:
    both = np.isfinite(view) & np.isfinite(scores)
    return pearson(view[both], scores[both])
