"""The model: associations and paths, each on one scale, and how they are fitted together."""

from dataclasses import dataclass

import numpy as np

from retrieval.recommend.associations import fit_associations
from retrieval.recommend.histories import Histories, Matrix
from retrieval.recommend.paths import Paths, fit_paths

SEED = 20_260_101

#: The paths' extra weight for a person with one item; it falls with the square of their number. On
#: people whom the model never saw (IBM data, five folds) a weight of 12 is best with one item, 8
#: with two, 3 with three and four; on four inner splits of the others, with 0, 6, 12, 20:
#: Recall@10 .694, .696, .698, .697, nDCG@10 .4645, .4653, .4658, .4654.
_YOUNG = 20.0


@dataclass(frozen=True, slots=True)
class Dials:
    """What is tuned on a split of the institution's own data.

    Args:
        ridge: see `fit_associations`.
        side_weight: see `fit_associations`.
        paths: the weight of the paths beside the associations' 1, for people who took much.
    """

    ridge: float = 20.0
    side_weight: float = 3.0
    paths: float = 0.7


@dataclass(frozen=True, slots=True)
class Blend:
    """A fitted model: matrices of items, nothing of any person."""

    associations: Matrix
    paths: Paths
    weight: float

    def score(self, rows: Matrix) -> Matrix:
        """Return how well each item follows on what was taken, comparable within a person.

        Args:
            rows: people × items, 1 where taken.
        """
        near = standardise(rows @ self.associations, rows)
        return near + path_weight(rows, self.weight) * standardise(self.paths.score(rows), rows)


def path_weight(rows: Matrix, weight: float) -> Matrix:
    """Return what the paths count for each person: the less they took, the more."""
    sizes = np.maximum(rows.sum(1, keepdims=True), 1)
    weights: Matrix = weight + _YOUNG / sizes**2
    return weights


def fit_blend(histories: Histories, side: Matrix, dials: Dials, *, seed: int = SEED) -> Blend:
    """Fit the model.

    Args:
        side: item × feature, see `fit_associations`.
    """
    weights = fit_associations(histories, side, ridge=dials.ridge, side_weight=dials.side_weight)
    return Blend(weights, fit_paths(histories, seed=seed), dials.paths)


def standardise(scores: Matrix, rows: Matrix) -> Matrix:
    """Bring each person's scores of what they have not taken to mean 0 and deviation 1."""
    free = rows == 0
    many = np.maximum(free.sum(1, keepdims=True), 1)
    mean = np.where(free, scores, 0).sum(1, keepdims=True) / many
    spread = np.sqrt(np.where(free, (scores - mean) ** 2, 0).sum(1, keepdims=True) / many)
    scaled: Matrix = np.where(free & (spread > 1e-9), (scores - mean) / (spread + 1e-12), 0)
    return scaled.astype(np.float32)
