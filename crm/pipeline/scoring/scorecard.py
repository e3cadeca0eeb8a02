"""The scorecard that serves from day one, read from a file of points."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crm.errors import RuleBroken
from crm.pipeline.scoring.features import Feature, FeatureSet, default_features
from crm.pipeline.scoring.models import TOP, AdditiveModel, Scale

SCORECARD_FILE = Path(__file__).with_name("scorecard.yaml")


@cache
def default_scorecard() -> AdditiveModel:
    """Return the institution's scorecard."""
    raw = yaml.safe_load(SCORECARD_FILE.read_text(encoding="utf-8"))
    return read_scorecard(raw, default_features())


def read_scorecard(raw: Mapping[str, Any], features: FeatureSet) -> AdditiveModel:
    """Return the scorecard of a file.

    Raises:
        RuleBroken("score.feature_unknown"): it has points for what is no feature, or none for one.
        RuleBroken("score.range"): points are not whole, or could add up beyond 0 to 100.
        RuleBroken("score.scale").
    """
    if set(raw["scales"]) != set(features.names):
        raise RuleBroken("score.feature_unknown", "A scorecard has a scale for each feature.")
    scales = tuple(_scale(features[name], raw["scales"][name]) for name in features.names)
    _check_range(raw["base"], scales)
    return AdditiveModel(
        name=f"scorecard-{raw['version']}",
        features_version=features.version,
        link="points",
        base=raw["base"],
        scales=scales,
    )


def _scale(feature: Feature, raw: Mapping[str, Any]) -> Scale:
    points, missing = raw["points"], raw["missing"]
    if feature.kind == "number":
        return Scale(feature.name, (*points, missing), upto=tuple(raw["upto"]))
    if set(points) != set(feature.levels or {}):
        raise RuleBroken("score.scale", f"The levels of {feature.name} are not its points'.")
    return Scale(feature.name, (*points.values(), missing), levels=tuple(points))


def _check_range(base: int, scales: tuple[Scale, ...]) -> None:
    whole = all(isinstance(w, int) for w in (base, *(w for s in scales for w in s.weights)))
    least = base + sum(min(scale.weights) for scale in scales)
    most = base + sum(max(scale.weights) for scale in scales)
    if not whole or least < 0 or most > TOP:
        raise RuleBroken("score.range", "A scorecard's points are whole and within 0 to 100.")
