"""Trains an additive model on what became of leads, and calibrates it on the newest of them.

Two learners look at the same cells: boosted trees of one feature each, with the directions that
sense demands, and a ridge-penalised logistic regression. Both are additive in log-odds, so their
mean is, too, and is kept as a table. Needs the extra `scoring`; what it makes does not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm.errors import Unavailable
from crm.pipeline.scoring.facts import Column, Columns
from crm.pipeline.scoring.features import Feature, FeatureSet
from crm.pipeline.scoring.models import AdditiveModel, Cells, Scale

Labels = NDArray[np.bool_]

#: Numbers are cut into at most so many cells of about as many leads. Of 24, 48 and 96 cells and
#: rates of .05 and .1, these left boosted trees the smallest Brier score on a stretch of the older
#: leads of `orienta eval run scoring`; the newest fifth was seen beside it.
_CUTS, _RATE = 96, 0.1
#: A level that fewer leads have is told apart from no other: nobody is to be recognised by it.
_FEWEST = 40
#: After so many further leads, what happened counts half: what works changes.
_HALF_LIFE = 2_000
#: The newest part, on which the model of the older part is calibrated.
_NEWEST = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """What was known of leads at a moment, in the order of time, and what became of them.

    Args:
        labels: whether they enrolled.
    """

    columns: Columns
    labels: Labels

    def part(self, start: int, end: int) -> "Seen":
        """Return a stretch of them."""
        columns = {name: column[start:end] for name, column in self.columns.items()}
        return Seen(columns, self.labels[start:end])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)


def can_train() -> bool:
    """Return whether what training needs is installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return False
    return True


def train_model(seen: Seen, features: FeatureSet, *, name: str) -> AdditiveModel:
    """Return a calibrated model of these leads.

    The model of the older part is asked about the newest; how its log-odds have to be stretched
    and moved to be right there is applied to the model of all.

    Raises: Unavailable("score.trainer"): the extra is not installed.
    """
    if not can_train():
        raise Unavailable("score.trainer", "Install the extra `scoring` to train scores.")
    older = round(len(seen) * (1 - _NEWEST))
    early = _fit(seen.part(0, older), features, name)
    newest = seen.part(older, len(seen))
    slope, shift = _calibrate(early.raw(early.cells(newest.columns)), newest.labels)
    model = _fit(seen, features, name)
    scales = tuple(
        replace(scale, weights=tuple(slope * weight for weight in scale.weights))
        for scale in model.scales
    )
    return replace(model, base=slope * model.base + shift, scales=scales)


def _calibrate(raw: NDArray[np.float64], labels: Labels) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), labels)
    slope, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return (slope, shift) if slope > 0 else (1.0, 0.0)


def _fit(seen: Seen, features: FeatureSet, name: str) -> AdditiveModel:
    blank = tuple(_cut(feature, seen.columns[feature.name]) for feature in features.features)
    empty = AdditiveModel(name, features.version, "logit", 0.0, blank)
    cells = empty.cells(seen.columns)
    ages = np.arange(len(seen))[::-1]
    weights = 0.5 ** (ages / _HALF_LIFE)
    tables = (
        _boost(cells, seen.labels, weights, blank, features),
        _regress(cells, seen.labels, weights, blank),
    )
    return _centred(empty, tables, cells)


def _cut(feature: Feature, column: Column) -> Scale:
    if feature.kind == "category":
        counts = Counter(str(value) for value in column)
        levels = tuple(sorted(level for level, count in counts.items() if count >= _FEWEST))
        return Scale(feature.name, (0.0,) * (len(levels) + 1), levels=levels)
    known = column[~np.isnan(column)]
    cuts = max(2, min(_CUTS, len(known) // _FEWEST))
    shares = np.linspace(0, 1, cuts + 1)[1:-1]
    bounds = np.unique(np.quantile(known, shares)) if len(known) else np.zeros(0)
    return Scale(feature.name, (0.0,) * (len(bounds) + 2), upto=tuple(map(float, bounds)))


Table = list[NDArray[np.float64]]


def _boost(
    cells: Cells,
    labels: Labels,
    weights: NDArray[np.float64],
    scales: Sequence[Scale],
    features: FeatureSet,
) -> Table:
    """Return each cell's log-odds by boosted trees that look at one feature each."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    floats = _floats(cells, scales)
    # What is the same for all, or known of none, splits nothing, and no tree may be asked about it.
    live = [place for place, column in enumerate(floats.T) if len(np.unique(column)) > 1]
    live = [place for place in live if not np.isnan(floats[:, place]).all()]
    model = HistGradientBoostingClassifier(
        learning_rate=_RATE,
        max_iter=300,
        max_leaf_nodes=3,
        min_samples_leaf=_FEWEST,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=0,
        interaction_cst="no_interactions",
        categorical_features=[scales[place].levels is not None for place in live],
        monotonic_cst=[features[scales[place].feature].rises for place in live],
    )
    model.fit(floats[:, live], labels, sample_weight=weights)
    return _tabulate(model, scales, live)


def _tabulate(model: Any, scales: Sequence[Scale], live: Sequence[int]) -> Table:
    """Read a model without interactions off: each feature is varied while others stand still."""
    widths = [len(scale.weights) for scale in scales]
    probes = np.zeros((1 + sum(widths), len(scales)), np.uint8)
    row = 1
    for place, width in enumerate(widths):
        probes[row : row + width, place] = np.arange(width)
        row += width
    raw = model.decision_function(_floats(probes, scales)[:, live])
    table = np.split(raw[1:] - raw[0], np.cumsum(widths)[:-1])
    return [*table, raw[:1]]


def _regress(
    cells: Cells, labels: Labels, weights: NDArray[np.float64], scales: Sequence[Scale]
) -> Table:
    """Return each cell's log-odds by a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    widths = [len(scale.weights) for scale in scales]
    hot = np.concatenate([np.eye(w)[cells[:, i]] for i, w in enumerate(widths)], axis=1)
    model = LogisticRegression(C=0.3, max_iter=1_000).fit(hot, labels, sample_weight=weights)
    return [*np.split(model.coef_[0], np.cumsum(widths)[:-1]), model.intercept_]


def _floats(cells: Cells, scales: Sequence[Scale]) -> NDArray[np.float64]:
    """Return cells as numbers, NaN for what is missing."""
    table = cells.astype(np.float64)
    missing = np.array([scale.missing for scale in scales])
    return np.where(cells == missing, np.nan, table)


def _centred(empty: AdditiveModel, tables: Sequence[Table], cells: Cells) -> AdditiveModel:
    """Return the mean of the tables; each feature's mean over the leads goes into the base."""
    mean = [np.mean(parts, axis=0) for parts in zip(*tables, strict=True)]
    base, scales = float(mean[-1][0]), []
    for place, scale in enumerate(empty.scales):
        middle = float(mean[place][cells[:, place]].mean())
        base += middle
        scales.append(replace(scale, weights=tuple(map(float, mean[place] - middle))))
    return replace(empty, base=base, scales=tuple(scales))
