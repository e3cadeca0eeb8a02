"""Tells which passages say what another one says already."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.models import Hit, Language
from retrieval.text import words_of

_SHINGLE = 4
#: The share of word sequences that two passages of the same words must have in common: in another
#: order they may say something else.
_ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class _Print:
    """What a passage is compared by.

    Args:
        words: all: one of them, a "not" or a figure, may be all that tells two long rules apart.
    """

    language: Language
    words: frozenset[str]
    shingles: frozenset[tuple[str, ...]]

    def says_the_same_as(self, other: "_Print") -> bool:
        if (self.language, self.words) != (other.language, other.words):
            return False
        common = len(self.shingles & other.shingles)
        return common >= _ALIKE * (len(self.shingles) + len(other.shingles) - common)


def drop_repeats(hits: Sequence[Hit], *, limit: int) -> list[Hit]:
    """Return the first hits of which none repeats a better one.

    It may differ in case, accents, marks and layout; with another word it is no repeat.
    """
    kept: list[Hit] = []
    prints: list[_Print] = []
    for hit in hits:
        if len(kept) == limit:
            break
        own = _print_of(hit)
        if not any(own.says_the_same_as(other) for other in prints):
            kept.append(hit)
            prints.append(own)
    return kept


def _print_of(hit: Hit) -> _Print:
    words = words_of(hit.text)
    starts = range(max(1, len(words) - _SHINGLE + 1))
    # The same words under "Article 22" and "Article 26" are two rules.
    figures = (w for w in words_of(hit.heading_path[-1]) if any(c.isdigit() for c in w))
    return _Print(
        hit.language,
        frozenset((*words, *figures)),
        frozenset(tuple(words[n : n + _SHINGLE]) for n in starts),
    )
