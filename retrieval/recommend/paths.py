"""The paths people follow: a mixture of distributions over items.

It speaks where associations are silent: of nobody's history it gives what is popular, of one course
the paths that lead through it.
"""

from dataclasses import dataclass

import numpy as np

from retrieval.recommend.histories import Histories, Matrix

#: On five inner splits of the IBM data 15, 30 and 60 paths help alike; single runs differ by more
#: (Recall@10 .656), so several are averaged (eight: .664).
_PATHS = 30
_RUNS = 8
_ROUNDS = 40
#: People's worth of popularity in every path.
_PRIOR = 5.0
_MOST_PEOPLE = 20_000


@dataclass(frozen=True, slots=True)
class Paths:
    """Several mixtures, stacked.

    Args:
        log_items: run × path × item, the logarithm of the chance that a step is the item.
        log_weights: run × path.
    """

    log_items: Matrix
    log_weights: Matrix

    def score(self, rows: Matrix) -> Matrix:
        """Return the logarithm of each item's chance to be the next step.

        Args:
            rows: people × items.
        """
        chance = np.zeros_like(rows)
        for log_items, log_weights in zip(self.log_items, self.log_weights, strict=True):
            chance += _responsibilities(rows, log_items, log_weights) @ np.exp(log_items)
        return np.log(chance / len(self.log_items) + 1e-6)


def fit_paths(histories: Histories, *, seed: int, runs: int = _RUNS) -> Paths:
    """Fit the mixtures by expectation maximisation."""
    rows = histories.sample(_MOST_PEOPLE, seed=seed).dense()
    paths = max(1, min(_PATHS, len(rows) // 10))
    fitted = [_fit_one(rows, paths, np.random.default_rng([seed, run])) for run in range(runs)]
    log_items, log_weights = zip(*fitted, strict=True)
    return Paths(np.stack(log_items), np.stack(log_weights))


def _fit_one(rows: Matrix, paths: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    popular = (rows.sum(0) + 1e-3) / (rows.sum() + 1e-3 * rows.shape[1])
    belongs = rng.dirichlet(np.ones(paths), len(rows)).astype(np.float32)
    log_items = log_weights = np.empty(0, np.float32)
    for _ in range(_ROUNDS):
        items = belongs.T @ rows + _PRIOR * popular
        log_items = np.log(items / items.sum(1, keepdims=True))
        log_weights = np.log((belongs.sum(0) + 1) / (len(rows) + paths))
        belongs = _responsibilities(rows, log_items, log_weights)
    return log_items.astype(np.float32), log_weights.astype(np.float32)


def _responsibilities(rows: Matrix, log_items: Matrix, log_weights: Matrix) -> Matrix:
    logits = rows @ log_items.T + log_weights
    chances = np.exp(logits - logits.max(1, keepdims=True))
    normalised: Matrix = chances / chances.sum(1, keepdims=True)
    return normalised
