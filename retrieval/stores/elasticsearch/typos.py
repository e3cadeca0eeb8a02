"""Judges what a word that nobody knows may have meant."""

from collections.abc import Iterable, Mapping
from typing import Any

from retrieval.stores.terms import Correction


def trigram_similarity(one: str, other: str) -> float:
    """Return how alike two words are, as `pg_trgm` counts: shared trigrams among all, 0 to 1."""
    a, b = _trigrams(one), _trigrams(other)
    return len(a & b) / len(a | b)


def best_correction(
    typed: str, options: Iterable[Mapping[str, Any]], *, least: float
) -> Correction | None:
    """Return the most similar word of the corpus that a suggester offers, if it is near enough."""
    found = [
        Correction(o["text"], int(o["freq"]), trigram_similarity(typed, o["text"])) for o in options
    ]
    near = [c for c in found if c.similarity >= least and c.chunks]
    return max(near, key=lambda c: (c.similarity, c.chunks, c.lexeme), default=None)


def _trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}
