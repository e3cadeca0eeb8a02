"""Chooses the dials on splits of what a model may see, never on what it is judged by."""

from collections.abc import Iterable
from itertools import product

import numpy as np

from retrieval.recommend.associations import fit_associations, fit_ease
from retrieval.recommend.blend import SEED, Dials, path_weight, standardise
from retrieval.recommend.histories import Histories, Matrix
from retrieval.recommend.measures import judge
from retrieval.recommend.paths import fit_paths
from retrieval.recommend.splits import Split, split_histories

#: Few values around those that serve: with more of them the choice follows the noise of the splits.
RIDGES = (10.0, 20.0, 40.0)
SIDE_WEIGHTS = (0.0, 1.5, 3.0, 6.0)
PATHS = (0.35, 0.7, 1.0)
EASE_RIDGES = (5.0, 10.0, 20.0, 35.0, 50.0, 70.0, 100.0, 150.0, 200.0, 350.0, 500.0)
_SPLITS = 3


def inner_splits(seen: Histories, *, seed: int = SEED, count: int = _SPLITS) -> list[Split]:
    """Return splits of what may be seen."""
    return [split_histories(seen, seed=seed + 1 + i) for i in range(count)]


def tune_ease(seen: Histories, *, seed: int = SEED) -> float:
    """Return the ridge with which plain EASE^R finds most of what inner splits hide."""
    splits = inner_splits(seen, seed=seed)

    def quality(ridge: float) -> float:
        return _mean(_quality(s.seen.dense() @ fit_ease(s.seen, ridge=ridge), s) for s in splits)

    return max(EASE_RIDGES, key=quality)


def tune_blend(seen: Histories, side: Matrix, *, seed: int = SEED) -> Dials:
    """Return the dials with which the blend finds most of what inner splits hide."""
    splits = inner_splits(seen, seed=seed)
    walked = [
        standardise(fit_paths(s.seen, seed=seed, runs=4).score(s.seen.dense()), s.seen.dense())
        for s in splits
    ]

    def tried() -> Iterable[tuple[float, Dials]]:
        for ridge, side_weight in product(RIDGES, SIDE_WEIGHTS):
            near = [_near(s, side, ridge, side_weight) for s in splits]
            for weight in PATHS:
                parts = zip(near, walked, splits, strict=True)
                quality = _mean(
                    _quality(n + path_weight(s.seen.dense(), weight) * w, s) for n, w, s in parts
                )
                yield quality, Dials(ridge, side_weight, weight)

    return max(tried(), key=lambda found: found[0])[1]


def _near(split: Split, side: Matrix, ridge: float, side_weight: float) -> Matrix:
    rows = split.seen.dense()
    weights = fit_associations(split.seen, side, ridge=ridge, side_weight=side_weight)
    return standardise(rows @ weights, rows)


def _quality(scores: Matrix, split: Split) -> float:
    judged = judge(scores, split.seen, split.hidden)
    return float(judged.recall.mean() + judged.ndcg.mean())


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
