"""An additive model: each feature falls into a cell, each cell has a weight, and weights add up.

A scorecard and a trained model are both of this form, so that both are read, served and explained
in one way, without any library and without running anything that was stored.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crm.errors import RuleBroken
from crm.pipeline.scoring.facts import Column, Columns
from crm.pipeline.scoring.features import FeatureSet, Value

Cells = NDArray[np.uint8]
Scores = NDArray[np.int16]
Link = Literal["points", "logit"]

TOP = 100
#: Weights that add up to less cancel out: a score moves by nothing, whatever they are.
_FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """The cells of one feature.

    Args:
        upto: upper bounds of a number's cells, included, ascending; one more cell is above them.
        levels: of a category, a cell each.
        weights: one a cell; the last is for what is missing or was never seen.
    """

    feature: str
    weights: tuple[float, ...]
    upto: tuple[float, ...] = ()
    levels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a scale that could not be read.

        Raises: RuleBroken("score.scale").
        """
        cells = len(self.upto) + 2 if self.levels is None else len(self.levels) + 1
        ascending = all(a < b for a, b in zip(self.upto, self.upto[1:], strict=False))
        if len(self.weights) != cells or not ascending or cells > 255:
            raise RuleBroken("score.scale", f"The cells of {self.feature} do not fit its weights.")

    @property
    def missing(self) -> int:
        """Return the cell of what is not known."""
        return len(self.weights) - 1

    def cells(self, column: Column) -> Cells:
        """Return the cell of each value."""
        if self.levels is None:
            found = np.searchsorted(np.array(self.upto), column, side="left")
            return np.where(np.isnan(column), self.missing, found).astype(np.uint8)
        cell = {level: place for place, level in enumerate(self.levels)}
        words, places = np.unique(column, return_inverse=True)
        known = np.array([cell.get(str(word), self.missing) for word in words], np.uint8)
        return known[places.reshape(-1)] if len(words) else np.zeros(0, np.uint8)

    def cell_of(self, value: Value) -> int:
        """Return the cell of one value."""
        dtype = np.float64 if self.levels is None else np.str_
        return int(self.cells(np.array([value], dtype=dtype))[0])


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds to a score, in points; below zero it takes away."""

    feature: str
    cell: int
    points: int


@dataclass(frozen=True, slots=True)
class Advice:
    """A counterfactual: the score, if the person did this and nothing else changed."""

    feature: str
    cell: int
    score: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a score is what it is: `base` and the contributions add up to it exactly."""

    score: int
    base: int
    contributions: tuple[Contribution, ...]
    advice: Advice | None


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """Scores of 0 to 100 from features.

    Args:
        name: what a stored score calls it, e.g. `scorecard-1` or `trained-3`.
        features_version: of the file whose features it reads.
        link: `points` adds points; `logit` adds log-odds, of which the calibrated chance in a
            hundred is the score.
    """

    name: str
    features_version: int
    link: Link
    base: float
    scales: tuple[Scale, ...]

    def cells(self, columns: Columns) -> Cells:
        """Return the cells of leads: a row a lead, a column a scale."""
        return np.stack([scale.cells(columns[scale.feature]) for scale in self.scales], axis=1)

    def raw(self, cells: Cells) -> NDArray[np.float64]:
        """Return the sums of the weights, with the base."""
        total = np.full(len(cells), self.base)
        for place, scale in enumerate(self.scales):
            total += np.array(scale.weights)[cells[:, place]]
        return total

    def chances(self, cells: Cells) -> NDArray[np.float64]:
        """Return scores before they are rounded, as shares of one."""
        raw = self.raw(cells)
        return raw / TOP if self.link == "points" else 1 / (1 + np.exp(-raw))

    def scores(self, cells: Cells) -> Scores:
        """Return the scores of leads."""
        return np.rint(self.chances(cells) * TOP).astype(np.int16)

    def explain(self, cells: Sequence[int], features: FeatureSet) -> Explanation:
        """Say where the score of a lead with these cells comes from.

        Args:
            features: of the version that the model reads.
        """
        row = np.array([[*cells]], np.uint8)
        score = int(self.scores(row)[0])
        weights = [scale.weights[cell] for scale, cell in zip(self.scales, cells, strict=True)]
        base, points = self._share(score, weights)
        contributions = tuple(
            Contribution(scale.feature, cell, gained)
            for scale, cell, gained in zip(self.scales, cells, points, strict=True)
        )
        return Explanation(score, base, contributions, self._advise(cells, score, features))

    def _share(self, score: int, weights: Sequence[float]) -> tuple[int, list[int]]:
        """Return whole points for the base and for each weight that sum to the score.

        Along a straight path from the base to the lead, each weight moves the chance in proportion
        to itself; what is lost in rounding goes to the largest remainders.

        Source: path attribution of Aumann and Shapley, 1974; largest-remainder method.
        """
        if self.link == "points":
            return round(self.base), [round(weight) for weight in weights]
        before, moved = TOP * _chance(self.base), math.fsum(weights)
        slope = (TOP * _chance(self.base + moved) - before) / moved if abs(moved) > _FLAT else 0.0
        exact = [slope * weight for weight in weights]
        points, base = [math.floor(value) for value in exact], round(before)
        short = score - base - sum(points)
        order = sorted(range(len(exact)), key=lambda place: points[place] - exact[place])
        for place in order[:short] if short > 0 else order[len(order) + short :]:
            points[place] += 1 if short > 0 else -1
        return base, points

    def _advise(self, cells: Sequence[int], score: int, features: FeatureSet) -> Advice | None:
        """Return the one thing the person could do that would raise the score most."""
        best: Advice | None = None
        for place, scale in enumerate(self.scales):
            act = features[scale.feature].act
            if act is None:
                continue
            changed = [*cells[:place], scale.cell_of(act.value), *cells[place + 1 :]]
            after = int(self.scores(np.array([changed], np.uint8))[0])
            if after > (best.score if best else score):
                best = Advice(scale.feature, changed[place], after)
        return best


def _chance(raw: float) -> float:
    return 1 / (1 + math.exp(-raw))


def to_plain(model: AdditiveModel) -> dict[str, object]:
    """Return a model in JSON types; `from_plain` reads it."""
    return {
        "features_version": model.features_version,
        "link": model.link,
        "base": model.base,
        "scales": [
            {
                "feature": scale.feature,
                "weights": list(scale.weights),
                "upto": list(scale.upto),
                "levels": None if scale.levels is None else list(scale.levels),
            }
            for scale in model.scales
        ],
    }


def from_plain(name: str, plain: Mapping[str, object]) -> AdditiveModel:
    """Return the model that was written out.

    Raises: RuleBroken("score.scale"); KeyError, TypeError: it is no such thing.
    """
    scales = plain["scales"]
    assert isinstance(scales, list)  # noqa: S101
    link: Link = "points" if plain["link"] == "points" else "logit"
    return AdditiveModel(
        name=name,
        features_version=int(str(plain["features_version"])),
        link=link,
        base=float(str(plain["base"])),
        scales=tuple(
            Scale(
                scale["feature"],
                tuple(scale["weights"]),
                tuple(scale["upto"]),
                None if scale["levels"] is None else tuple(scale["levels"]),
            )
            for scale in scales
        ),
    )
