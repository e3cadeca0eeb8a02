"""Makes nearness comparable: what all texts of a language have in common is taken away."""

import math
from collections.abc import Mapping

from retrieval.models import Language
from retrieval.stores.protocol import Centre

#: So many chunks' worth of the common mean go into that of a language: without any, a language with
#: one chunk would have no signal left; on 60 paragraphs a language, 0/1/5/20 give R@1 .900/.903/
#: .896/.880.
_PRIOR = 1
#: The share of the centre that is taken from the query, too. On XQuAD, R@1 with 0/.5/.75/1 from
#: Spanish to English .867/.889/.898/.889, where each paragraph is in one language .891/.902/.908/
#: .913.
_OF_QUERY = 0.75
#: Less than any chunk's distance from the centre, unless the corpus is that chunk.
_LEAST_SPREAD = 0.1


class Centring:
    """Scores chunks by the cosine of query and chunk as seen from their language's centre.

    Args:
        centres: as the query sees them.
    """

    def __init__(self, centres: Mapping[Language, Centre]) -> None:
        self._centres = centres
        self._shares = {language: self._shares_of(language) for language in centres}

    def score(
        self, language: Language, similarity: float, products: Mapping[Language, float]
    ) -> float:
        """Return a chunk's nearness.

        Args:
            similarity: the inner product of query and chunk.
            products: those of the chunk with the centres.
        """
        shares = self._shares.get(language)
        if shares is None or any(o not in products for o in shares):
            return similarity
        of_query = self._mixed(shares, {o: c.similarity for o, c in self._centres.items()})
        of_chunk = self._mixed(shares, products)
        inner = {o: self._mixed(shares, self._centres[o].products) for o in shares}
        squared = self._mixed(shares, inner)
        near = similarity - of_query - _OF_QUERY * (of_chunk - squared)
        # Vectors are of length 1.
        spread = math.sqrt(max(1 - 2 * of_chunk + squared, 0.0))
        return near / max(spread, _LEAST_SPREAD)

    def _shares_of(self, language: Language) -> dict[Language, float]:
        """Return of which centres a language's own is mixed: that of few chunks says little."""
        total = sum(c.chunks for c in self._centres.values())
        own = self._centres[language].chunks
        shares = {o: _PRIOR * c.chunks / total for o, c in self._centres.items()}
        shares[language] += own
        return {o: share / (own + _PRIOR) for o, share in shares.items()}

    @staticmethod
    def _mixed(shares: Mapping[Language, float], values: Mapping[Language, float]) -> float:
        return sum(share * values[o] for o, share in shares.items())
