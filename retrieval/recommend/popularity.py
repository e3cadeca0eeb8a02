"""The prior: how much an item is liked by everybody."""

import numpy as np

from retrieval.recommend.histories import Histories, Matrix


def fit_popularity(histories: Histories) -> Matrix:
    """Return the logarithm of how many took each item, so that nobody's favourite is not absent."""
    return np.log1p(histories.counts())
