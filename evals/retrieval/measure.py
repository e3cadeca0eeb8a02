"""What is measured of a search: ranks, refusals, and how sure the figures are."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evals.retrieval.question import Question

#: Answers further down than this are not looked at.
DEPTH = 10
_RESAMPLES = 1_000
_SEED = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked.

    Args:
        found: the names of what was found, best first, each once.
        seconds: from the question to the result.
    """

    question: Question
    found: tuple[str, ...]
    answered: bool
    confidence: float
    seconds: float

    @property
    def rank(self) -> int | None:
        """Return at which place the first right one stands, from 1; None if it was not found."""
        places = [n for n, name in enumerate(self.found[:DEPTH], 1) if name in self.question.gold]
        return places[0] if places else None


Score = Callable[[Asked], float]


def recall_at(depth: int) -> Score:
    """Score 1 where a right one is among the first `depth`."""
    return lambda asked: float(asked.rank is not None and asked.rank <= depth)


def reciprocal_rank(asked: Asked) -> float:
    """Score 1, 1/2, 1/3 … by the place of the first right one."""
    return 1 / asked.rank if asked.rank else 0.0


def gain(asked: Asked) -> float:
    """Score the discounted gain at 10 as a share of the best possible; a hit is right or wrong."""
    places = [n for n, name in enumerate(asked.found[:DEPTH], 1) if name in asked.question.gold]
    best = sum(1 / math.log2(1 + n) for n in range(1, min(len(asked.question.gold), DEPTH) + 1))
    return sum(1 / math.log2(1 + n) for n in places) / best if best else 0.0


def was_refused(asked: Asked) -> float:
    """Score 1 where the confidence did not suffice."""
    return float(not asked.answered)


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over questions.

    Args:
        low: of the interval that holds it with 95 % certainty.
        least: what it must reach; None only informs.
        most: what it must not exceed; None likewise.
    """

    corpus: str
    name: str
    value: float
    low: float
    high: float
    count: int
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool | None:
        """Return whether it is within its bounds; None where it has none."""
        if self.least is None and self.most is None:
            return None
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)


def figure(
    corpus: str,
    name: str,
    asked: Sequence[Asked],
    score: Score,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    """Return the mean of a score with its interval.

    Raises: ValueError: nothing was asked.
    """
    if not asked:
        raise ValueError(f"{corpus}, {name}: nothing was asked")
    scores = [score(a) for a in asked]
    low, high = interval(scores, [a.question.group for a in asked])
    return Figure(corpus, name, sum(scores) / len(scores), low, high, len(asked), least, most)


def interval(scores: Sequence[float], groups: Sequence[str]) -> tuple[float, float]:
    """Return the interval that holds the mean with 95 % certainty.

    Source: bootstrap over groups, as questions about one text are easy or hard together.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(member, weights=scores)
    counts = np.bincount(member)
    drawn = np.random.default_rng(_SEED).integers(len(names), size=(_RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
