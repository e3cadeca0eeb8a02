"""Which items go together: a linear autoencoder in closed form, drawn towards what texts say."""

import numpy as np

from retrieval.recommend.histories import Histories, Matrix

#: On five inner splits of the IBM data (Recall@10 / nDCG@10), a person's row divided by the number
#: of items to the power 0, .25, .5, 1: .677/.450, .684/.452, .686/.456, .680/.451. Without it,
#: those who took everything decide what goes together.
_ACTIVITY = 0.5


def fit_associations(
    histories: Histories, side: Matrix, *, ridge: float, side_weight: float
) -> Matrix:
    """Return item × item weights: what having taken the row says about the column.

    Args:
        side: item × feature, rows of length 1 or 0; items that share features count as if so many
            people had taken both.
        ridge: how many people's worth of evidence it takes to be believed.
        side_weight: people's worth of one shared feature; 0 is plain EASE^R.
    Source: H. Steck, Embarrassingly Shallow Autoencoders, 2019; the side information as in
        Jeunen, Van Balen, Goethals, Closed-Form Models for Collaborative Filtering, 2020.
    """
    gram = np.zeros((histories.items, histories.items), np.float64)
    mass = entries = 0.0
    for rows in histories.batches():
        sizes = np.maximum(rows.sum(1, keepdims=True), 1)
        scaled = rows / sizes**_ACTIVITY
        gram += scaled.T @ scaled
        mass, entries = mass + float(scaled.sum()), entries + float(rows.sum())
    unit = mass / entries if entries else 1.0
    return _solve(gram + unit * side_weight * (side @ side.T), unit * ridge)


def fit_ease(histories: Histories, *, ridge: float) -> Matrix:
    """Return the weights of plain EASE^R: the peer."""
    rows = histories.dense()
    return _solve((rows.T @ rows).astype(np.float64), ridge)


def _solve(
    gram: Matrix | np.ndarray[tuple[int, int], np.dtype[np.float64]], ridge: float
) -> Matrix:
    precision = np.linalg.inv(gram + ridge * np.eye(len(gram)))
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)
