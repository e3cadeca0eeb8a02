"""How good scores are, against what became of leads: pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Chances = NDArray[np.float64]
Labels = NDArray[np.bool_]

_BINS = 10


@dataclass(frozen=True, slots=True)
class Measures:
    """Of chances, and the band that a calibrated model's mean error would lie in.

    Args:
        auc: how often a lead that enrolled has the higher chance of two.
        lift: enrolled among the highest fifth, as a multiple of those among all.
        best_lift: the most that it could be.
        calibration: mean distance of chance and share over ten bins of about as many leads.
        band: the 95th percentile of that, if the chances were the truth.
    """

    leads: int
    auc: float
    brier: float
    lift: float
    best_lift: float
    calibration: float
    band: float

    @property
    def is_calibrated(self) -> bool:
        """Return whether the chances could be the truth."""
        return self.calibration <= self.band


def measure(chances: Chances, labels: Labels, *, seed: int = 0, draws: int = 1_000) -> Measures:
    """Return the measures of chances.

    Args:
        labels: both outcomes occur.
    """
    rng, share = np.random.default_rng(seed), labels.mean()
    drawn = (rng.random((draws, len(labels))) < chances).astype(np.float64)
    bins = np.array_split(np.argsort(chances, kind="stable"), _BINS)
    top = np.argsort(-chances, kind="stable")[: round(len(labels) / 5)]
    return Measures(
        leads=len(labels),
        auc=auc(chances, labels),
        brier=float(np.mean((chances - labels) ** 2)),
        lift=float(labels[top].mean() / share),
        best_lift=float(min(1 / share, 5)),
        calibration=float(_errors(chances, labels[None, :].astype(np.float64), bins)[0]),
        band=float(np.quantile(_errors(chances, drawn, bins), 0.95)),
    )


def _errors(
    chances: Chances, outcomes: NDArray[np.float64], bins: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """Return the mean error over bins for each row of outcomes."""
    gaps = [np.abs(outcomes[:, part].mean(axis=1) - chances[part].mean()) for part in bins]
    sizes = np.array([len(part) for part in bins])
    errors: NDArray[np.float64] = np.average(gaps, axis=0, weights=sizes)
    return errors


def auc(chances: Chances, labels: Labels) -> float:
    """Return the area under the ROC curve; half for equal chances.

    Source: rank sum of Mann and Whitney, 1947.
    """
    _, places, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positive = int(labels.sum())
    wins = ranks[labels].sum() - positive * (positive + 1) / 2
    return float(wins / (positive * (len(labels) - positive)))


def log_loss(chances: Chances, labels: Labels) -> NDArray[np.float64]:
    """Return each lead's surprise."""
    sure = np.clip(chances, 1e-6, 1 - 1e-6)
    return -np.where(labels, np.log(sure), np.log(1 - sure))


def stability(before: Sequence[float], after: Sequence[float]) -> float:
    """Return how far two distributions over the same cells are apart; above .25 it is much.

    Source: population stability index, as in Siddiqi, Credit Risk Scorecards, 2006.
    """
    was = np.array(before, float) + 0.5
    now = np.array(after, float) + 0.5
    was, now = was / was.sum(), now / now.sum()
    return float(np.sum((now - was) * np.log(now / was)))
