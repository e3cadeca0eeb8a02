"""Scores are explained to the last point, and look at nothing they must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.pipeline.scoring.facts import LeadFacts, batch_of
from crm.pipeline.scoring.features import (
    FEATURES_FILE,
    Feature,
    FeatureSet,
    default_features,
    read_features,
)
from crm.pipeline.scoring.models import AdditiveModel, Scale, from_plain, to_plain
from crm.pipeline.scoring.moves import is_move
from crm.pipeline.scoring.scorecard import SCORECARD_FILE, default_scorecard, read_scorecard
from crm.pipeline.scoring.wording import cell_text

RAW: dict[str, Any] = yaml.safe_load(FEATURES_FILE.read_text(encoding="utf-8"))
CARD: dict[str, Any] = yaml.safe_load(SCORECARD_FILE.read_text(encoding="utf-8"))
NAMES = tuple(f"f{n}" for n in range(6))
PLAIN_FEATURES = FeatureSet(1, tuple(Feature(name, "number", {}) for name in NAMES))

weights = st.lists(st.floats(-4, 4), min_size=4, max_size=4)


@st.composite
def trained(draw: st.DrawFn) -> AdditiveModel:
    scales = tuple(Scale(n, tuple(draw(weights)), upto=(0.0, 1.0)) for n in NAMES)
    return AdditiveModel("trained-1", 1, "logit", draw(st.floats(-6, 6)), scales)


@given(trained(), st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_contributions_of_a_trained_model_sum_to_the_score(
    model: AdditiveModel, cells: list[int]
) -> None:
    told = model.explain(cells, PLAIN_FEATURES)

    assert told.base + sum(part.points for part in told.contributions) == told.score
    assert told.score == model.scores(np.array([cells], np.uint8))[0]
    assert 0 <= told.score <= 100


@given(st.data())
def test_contributions_of_the_scorecard_sum_to_the_score(data: st.DataObject) -> None:
    card = default_scorecard()
    cells = [data.draw(st.integers(0, scale.missing)) for scale in card.scales]

    told = card.explain(cells, default_features())

    assert told.base + sum(part.points for part in told.contributions) == told.score
    assert 0 <= told.score <= 100
    if told.advice:
        place = card.scales.index(next(s for s in card.scales if s.feature == told.advice.feature))
        changed = [*cells[:place], told.advice.cell, *cells[place + 1 :]]
        assert card.explain(changed, default_features()).score == told.advice.score > told.score


@given(trained())
def test_model_is_read_back_as_it_was_written(model: AdditiveModel) -> None:
    assert from_plain(model.name, to_plain(model)) == model


@pytest.mark.parametrize(
    "name",
    [
        *("gender", "birth_date", "guardian", "home_city", "phone_prefix", "person_name"),
        *("final_grade", "notas_bachillerato", "scholarship_share", "preferredLanguage", "género"),
    ],
)
def test_denied_feature_is_not_loaded(name: str) -> None:
    raw = RAW | {"features": [*RAW["features"], {"name": name, "kind": "number"}]}

    with pytest.raises(RuleBroken, match=r"score\.denied_feature"):
        read_features(raw)


def test_file_without_a_list_of_the_denied_is_not_loaded() -> None:
    with pytest.raises(RuleBroken, match=r"score\.features"):
        read_features({"version": 1, "features": []})


def test_nothing_denied_is_even_read() -> None:
    ids = {"lead_id", "person_id", "last_score", "last_model", "last_cells"}
    fields = [{"name": f, "kind": "number"} for f in LeadFacts._fields if f not in ids]

    assert read_features(RAW | {"features": fields}).features


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"base": 5}, r"score\.range"),
        ({"base": 3.5}, r"score\.range"),
        ({"scales": {**CARD["scales"], "gender": {}}}, r"score\.feature_unknown"),
        (
            {
                "scales": CARD["scales"]
                | {"visits": {"upto": [3, 2], "points": [0, 0, 0], "missing": 0}}
            },
            r"score\.scale",
        ),
        ({"scales": CARD["scales"] | {"stage": {"points": {}, "missing": 0}}}, r"score\.scale"),
    ],
)
def test_scorecard_that_cannot_be_right_is_not_loaded(change: dict[str, Any], code: str) -> None:
    with pytest.raises(RuleBroken, match=code):
        read_scorecard(CARD | change, default_features())


def test_every_feature_is_told_in_both_languages() -> None:
    features = default_features()
    for scale in default_scorecard().scales:
        feature = features[scale.feature]
        texts = [feature.title, *((feature.levels or {}).values())]
        texts += [feature.act.text] if feature.act else []
        assert all(set(text) == {"es", "en"} for text in texts)
        for cell in range(len(scale.weights)):
            assert cell_text(scale, cell, features, "es")
            assert cell_text(scale, cell, features, "en")


FACTS = LeadFacts(
    lead_id=None,  # type: ignore[arg-type]
    person_id=None,  # type: ignore[arg-type]
    source="widget",
    stage="lead",
    has_programme=False,
    has_course=False,
    silent_days=9.5,
    stage_days=2.0,
    messages=0,
    visits=0,
    forms=0,
    meetings=0,
    tries=2,
    response_hours=None,
    has_consent=False,
)


def _score(facts: LeadFacts) -> int:
    card = default_scorecard()
    return int(card.scores(card.cells(batch_of([facts]).columns))[0])


@pytest.mark.parametrize(
    "better",
    [
        {"silent_days": 0.2},
        {"messages": 1},
        {"visits": 3},
        {"forms": 1},
        {"meetings": 1},
        {"tries": 0},
        {"response_hours": 0.5},
        {"has_course": True},
        {"has_programme": True},
        {"has_consent": True},
        {"stage": "applicant"},
        {"source": "referral"},
    ],
)
def test_what_speaks_for_somebody_raises_their_score(better: dict[str, Any]) -> None:
    assert _score(FACTS._replace(**better)) > _score(FACTS)


def test_what_was_never_seen_falls_into_a_cell_of_its_own() -> None:
    scale = Scale("source", (1.0, 2.0, 0.0), levels=("a", "b"))

    assert scale.cells(np.array(["b", "c", "a"])).tolist() == [1, 2, 0]
    assert replace(scale, levels=None, upto=(3.0,)).cells(
        np.array([3.0, 3.1, np.nan])
    ).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [(None, 70, True), (None, 66, False), (33, 34, True), (40, 54, False), (40, 55, True)],
)
def test_only_a_move_is_news(before: int | None, after: int, moved: bool) -> None:
    assert is_move(before, after) is moved
