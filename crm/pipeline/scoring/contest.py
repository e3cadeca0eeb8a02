"""Decides whether a model that was just trained takes over: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crm.pipeline.scoring.features import FeatureSet
from crm.pipeline.scoring.measures import auc, measure
from crm.pipeline.scoring.models import AdditiveModel
from crm.pipeline.scoring.training import Labels, Seen, train_model

#: With fewer leads, or fewer of either outcome, the scorecard knows more than can be learnt.
FEWEST_LEADS, FEWEST_OUTCOMES = 1_000, 100
_NEWEST = 0.2
_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Contest:
    """A challenger, and how it did beside what serves, on the newest leads.

    Args:
        model: trained on all leads; the one that was measured knew only the older.
    """

    model: AdditiveModel
    won: bool
    measures: Mapping[str, float]


def enough(labels: Labels) -> bool:
    """Return whether there is enough to learn from."""
    won = int(labels.sum())
    return len(labels) >= FEWEST_LEADS and min(won, len(labels) - won) >= FEWEST_OUTCOMES


def hold_contest(seen: Seen, champion: AdditiveModel, features: FeatureSet) -> Contest:
    """Train on the older leads, and compare with what serves on the newest fifth.

    The challenger takes over only if its area under the curve is larger in 95 of 100 draws of
    leads. A trained champion may have seen those leads before: that speaks for it, never against.

    Args:
        seen: in the order of time, and `enough` of them.
    """
    older = round(len(seen) * (1 - _NEWEST))
    newest = seen.part(older, len(seen))
    tried = train_model(seen.part(0, older), features, name="challenger")
    ours = tried.chances(tried.cells(newest.columns))
    theirs = champion.chances(champion.cells(newest.columns))
    lead = _sure_lead(ours, theirs, newest.labels)
    judged, served = measure(ours, newest.labels), measure(theirs, newest.labels)
    return Contest(
        model=train_model(seen, features, name="challenger"),
        won=lead > 0,
        measures={
            "auc": judged.auc,
            "brier": judged.brier,
            "lift": judged.lift,
            "calibration": judged.calibration,
            "band": judged.band,
            "champion_auc": served.auc,
            "auc_sure_lead": lead,
        },
    )


def _sure_lead(
    ours: np.ndarray[tuple[int], np.dtype[np.float64]],
    theirs: np.ndarray[tuple[int], np.dtype[np.float64]],
    labels: Labels,
) -> float:
    """Return by how much our area is larger at the least, in 95 of 100 draws of leads."""
    rng, leads = np.random.default_rng(0), []
    for _ in range(_DRAWS):
        drawn = rng.integers(0, len(labels), len(labels))
        if 0 < labels[drawn].sum() < len(labels):
            leads.append(auc(ours[drawn], labels[drawn]) - auc(theirs[drawn], labels[drawn]))
    return float(np.quantile(leads, 0.05)) if leads else 0.0
