"""How good a ranking is: recall and nDCG a person, coverage, novelty, and an honest interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.recommend.histories import Histories, Indices, Matrix

Values = NDArray[np.float64]

TOP = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """Measures of one ranking; the arrays hold one value a person of whom something was hidden.

    Args:
        coverage: the share of all items that anybody was shown.
        novelty: bits of surprise of a shown item: minus the logarithm of the share who took it.
    """

    recall: Values
    ndcg: Values
    coverage: float
    novelty: float


def discounts(places: int) -> Values:
    """Return what a hit counts at each place from the first on, for nDCG."""
    return 1 / np.log2(np.arange(places) + 2)


def top_items(scores: Matrix, taken: Matrix, *, top: int = TOP) -> Indices:
    """Return each person's best items among those they have not taken."""
    free = np.where(taken > 0, -np.inf, scores)
    return np.argsort(-free, axis=1, kind="stable")[:, :top]


def judge(
    scores: Matrix,
    taken: Histories,
    hidden: Histories,
    *,
    crowd: Histories | None = None,
    top: int = TOP,
) -> Judged:
    """Judge scores by what was hidden.

    Args:
        scores: people × items.
        crowd: to whom something is new or not; by default those who are judged.
    """
    best = top_items(scores, taken.dense(), top=top)
    found = np.take_along_axis(hidden.dense(), best, axis=1)
    sizes = np.array([len(items) for items in hidden.taken])
    gain = discounts(best.shape[1])
    ideal = np.concatenate([[1.0], np.cumsum(gain)])[np.minimum(sizes, best.shape[1])]
    asked = sizes > 0
    recall = found.sum(1) / np.maximum(np.minimum(sizes, top), 1)
    others = crowd or taken
    share = (others.counts() + 1) / (len(others) + 1)
    return Judged(
        recall[asked].astype(np.float64),
        ((found * gain).sum(1) / ideal)[asked].astype(np.float64),
        coverage=len(np.unique(best)) / taken.items,
        novelty=float(-np.log2(share[best]).mean()),
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds that hold it in 95 of 100 worlds."""

    mean: float
    low: float
    high: float


def paired_interval(ours: Values, theirs: Values, *, seed: int, draws: int = 5_000) -> Interval:
    """Return the mean difference a person with its bootstrap interval over people."""
    difference = ours - theirs
    rng = np.random.default_rng(seed)
    means = np.array(
        [difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(draws)]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(difference.mean()), float(low), float(high))
