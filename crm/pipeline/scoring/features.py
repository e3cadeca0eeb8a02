"""Which facts a score looks at, by a file that refuses what it must not look at."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from crm.errors import RuleBroken
from crm.people.models import Locale

FEATURES_FILE = Path(__file__).with_name("features.yaml")

Kind = Literal["number", "category"]
Texts = Mapping[Locale, str]
Value = float | str


@dataclass(frozen=True, slots=True)
class Act:
    """What the person could do about a feature.

    Args:
        value: what the feature is afterwards.
    """

    value: Value
    text: Texts


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that a score looks at.

    Args:
        rises: 1 or -1 where a higher value may only raise or only lower a trained score.
        levels: of a category, with their words.
    """

    name: str
    kind: Kind
    title: Texts
    rises: Literal[-1, 0, 1] = 0
    levels: Mapping[str, Texts] | None = None
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """The features of one version of the file, in its order."""

    version: int
    features: tuple[Feature, ...]

    def __getitem__(self, name: str) -> Feature:
        """Return a feature by its name."""
        return next(feature for feature in self.features if feature.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the features' names in their order."""
        return tuple(feature.name for feature in self.features)


@cache
def default_features() -> FeatureSet:
    """Return the features of the institution's scores."""
    return read_features(yaml.safe_load(FEATURES_FILE.read_text(encoding="utf-8")))


def read_features(raw: Mapping[str, Any]) -> FeatureSet:
    """Return the features that a file names.

    Raises: RuleBroken("score.denied_feature"): one of them stands on the file's own list of what
        no score may look at; RuleBroken("score.features"): it has no such list.
    """
    denied: Mapping[str, list[str]] = raw.get("denied") or {}
    if not denied:
        raise RuleBroken("score.features", "The features' file does not say what is denied.")
    words = {_fold(word): group for group, entries in denied.items() for word in entries}
    for entry in raw["features"]:
        check_allowed(entry["name"], words)
    return FeatureSet(raw["version"], tuple(_feature(entry) for entry in raw["features"]))


def check_allowed(name: str, denied: Mapping[str, str]) -> None:
    """Let a feature pass that no denied word or phrase is part of.

    Raises: RuleBroken("score.denied_feature").
    """
    said = f" {_fold(name)} "
    for word, group in denied.items():
        if f" {word} " in said:
            message = f"A score may not look at {name!r}: it is among the {group}."
            raise RuleBroken("score.denied_feature", message)


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    return " ".join(re.findall(r"[a-z0-9]+", apart.lower()))


def _feature(entry: Mapping[str, Any]) -> Feature:
    act = entry.get("act")
    rises: Mapping[str, Literal[-1, 1]] = {"up": 1, "down": -1}
    return Feature(
        name=entry["name"],
        kind=entry["kind"],
        title=entry.get("title") or {},
        rises=rises.get(entry.get("rises", ""), 0),
        levels=entry.get("levels"),
        act=Act(act["value"], {"es": act["es"], "en": act["en"]}) if act else None,
    )
