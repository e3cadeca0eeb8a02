"""What a classifier sees of a text: its meaning as a vector, and its words and their parts."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p

import numpy as np
from numpy.typing import NDArray

from agents.runtime.guards.input import fold

Matrix = NDArray[np.float32]

#: Numbers that words and parts of words are hashed into; 8,192 gained nothing on our phrases.
BUCKETS = 4_096
#: Lengths of parts of words: short ones survive a slip of the thumb.
_PARTS = (3, 4, 5)
#: Both halves weigh in by these; chosen on our phrases, see `train.py`.
MEANING_WEIGHT, WORDS_WEIGHT = 3.0, 1.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """How raw features are brought to one scale, learnt with the weights.

    Args:
        centre: the mean vector of meaning, which all texts share.
        rarity: of each bucket; what is in every text says nothing.
    """

    centre: Matrix
    rarity: Matrix

    def rows(self, vectors: Matrix, counts: Matrix) -> Matrix:
        """Return one row of features a text."""
        meaning = _unit(vectors - self.centre) * MEANING_WEIGHT
        words = _unit(counts * self.rarity) * WORDS_WEIGHT
        return np.concatenate([meaning, words], axis=1, dtype=np.float32)


def learn_scaling(vectors: Matrix, counts: Matrix) -> Scaling:
    """Return the scaling that fits the texts that are learnt from."""
    texts = np.count_nonzero(counts, axis=0)
    rarity = np.log((1 + len(counts)) / (1 + texts)) + 1
    return Scaling(vectors.mean(axis=0), rarity.astype(np.float32))


def count_words(texts: Sequence[str], *, buckets: int = BUCKETS) -> Matrix:
    """Return how often each bucket occurs in each text, damped."""
    rows = np.zeros((len(texts), buckets), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for bucket, count in _buckets_of(text, buckets).items():
            row[bucket] = log1p(count)
    return rows


def _buckets_of(text: str, buckets: int) -> Mapping[int, int]:
    return Counter(zlib.crc32(part.encode()) % buckets for part in _parts_of(text))


def _parts_of(text: str) -> Iterator[str]:
    words = re.findall(r"\w+|[?👍🙏]", fold(text))
    yield from words
    yield from map(" ".join, pairwise(words))
    for word in words:
        framed = f"<{word}>"
        for length in _PARTS:
            yield from (f"#{framed[i : i + length]}" for i in range(len(framed) - length + 1))


def _unit(rows: Matrix) -> Matrix:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-9), dtype=np.float32)
