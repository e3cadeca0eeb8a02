"""Trained scores: additive, as sense demands, and in service only if they are better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.pipeline.scoring.contest import enough, hold_contest
from crm.pipeline.scoring.features import Feature, FeatureSet
from crm.pipeline.scoring.measures import auc, measure, stability
from crm.pipeline.scoring.models import AdditiveModel, Scale
from crm.pipeline.scoring.report import drifts_of, shares_of
from crm.pipeline.scoring.training import Seen, train_model

FEATURES = FeatureSet(
    1,
    (
        Feature("messages", "number", {}, rises=1),
        Feature("noise", "number", {}),
        Feature("source", "category", {}),
    ),
)
#: A scorecard that looks at what means nothing.
BLIND = AdditiveModel(
    "scorecard-0",
    1,
    "points",
    50.0,
    (
        Scale("messages", (0.0, 0.0), upto=()),
        Scale("noise", (0.0, 10.0, 0.0), upto=(0.5,)),
        Scale("source", (0.0,), levels=()),
    ),
)


def _seen(count: int = 1_500, *, seed: int = 1, steep: float = 1.5) -> Seen:
    rng = np.random.default_rng(seed)
    messages = rng.poisson(2, count).astype(float)
    source = rng.choice(["web", "event"], count)
    raw = steep * (messages - 2) + np.where(source == "web", 0.7, -0.7) * (steep > 0)
    labels = rng.random(count) < 1 / (1 + np.exp(-raw))
    messages[rng.random(count) < 0.05] = np.nan
    return Seen({"messages": messages, "noise": rng.random(count), "source": source}, labels)


def test_trained_model_learns_and_is_calibrated() -> None:
    model = train_model(_seen(), FEATURES, name="trained-1")

    later = _seen(seed=2)
    found = measure(model.chances(model.cells(later.columns)), later.labels)

    assert found.auc > 0.8
    assert found.calibration < 0.06


def test_boosted_direction_is_never_against_sense() -> None:
    """More messages lower no score, even where the data say so."""
    model = train_model(_seen(steep=-1.5), FEATURES, name="trained-1")

    (messages, *_) = model.scales
    known = np.array(messages.weights[: messages.missing])
    free = train_model(
        _seen(steep=-1.5),
        FeatureSet(1, (Feature("messages", "number", {}), *FEATURES.features[1:])),
        name="trained-1",
    ).scales[0]
    assert np.ptp(known) < np.ptp(np.array(free.weights[: free.missing]))


def test_explanations_of_a_trained_model_sum_to_the_score() -> None:
    seen = _seen()
    model = train_model(seen, FEATURES, name="trained-1")

    for cells in np.unique(model.cells(seen.columns), axis=0)[:200]:
        told = model.explain(cells.tolist(), FEATURES)
        assert told.base + sum(part.points for part in told.contributions) == told.score


def test_rare_level_has_no_weight_of_its_own() -> None:
    seen = _seen()
    seen.columns["source"][:5] = "an only child"

    model = train_model(seen, FEATURES, name="trained-1")

    assert model.scales[2].levels == ("event", "web")


def test_challenger_takes_over_only_if_it_is_better() -> None:
    assert hold_contest(_seen(), BLIND, FEATURES).won
    chance = _seen(steep=0.0)
    assert not hold_contest(chance, BLIND, FEATURES).won
    good = train_model(_seen(), FEATURES, name="trained-1")
    assert not hold_contest(_seen(), good, FEATURES).won


def test_too_little_is_not_learnt_from() -> None:
    assert enough(np.arange(1_000) % 2 == 0)
    assert not enough(np.arange(999) % 2 == 0)
    assert not enough(np.arange(5_000) < 99)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_area_counts_pairs(pairs: list[tuple[int, bool]]) -> None:
    chances = np.array([c / 5 for c, _ in pairs])
    labels = np.array([won for _, won in pairs])
    won, lost = chances[labels], chances[~labels]
    if not len(won) or not len(lost):
        return
    wins = (won[:, None] > lost).mean() + 0.5 * (won[:, None] == lost).mean()
    assert auc(chances, labels) == pytest.approx(wins)


def test_overconfident_chances_are_outside_the_band() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.2, 0.8, 3_000)
    labels = rng.random(3_000) < truth

    assert measure(truth, labels).is_calibrated
    assert not measure(np.where(truth > 0.5, 0.95, 0.05), labels).is_calibrated


def test_drift_is_seen() -> None:
    assert stability([10, 20, 30], [10, 20, 30]) == pytest.approx(0)
    assert stability([100, 100], [20, 180]) > 0.25
    drifts = drifts_of(BLIND, [(1, 0, 100), (1, 1, 100)], [(1, 0, 20), (1, 1, 180)])
    by_name = {drift.feature: drift.stability_index for drift in drifts}
    assert by_name["messages"] is None  # too few to say
    assert (by_name["noise"] or 0) > 0.25


def test_group_that_is_called_less_is_seen() -> None:
    shares = shares_of([("age", "a", 100, 50), ("age", "b", 100, 30), ("age", "c", 5, 0)])

    assert [(s.share, s.ratio) for s in shares] == [
        (0.5, 1.0),
        (0.3, pytest.approx(0.6)),
        (None, None),
    ]
