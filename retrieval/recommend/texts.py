"""What courses say, as vectors: weighed words and labels, numpy alone."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from retrieval.recommend.histories import Matrix
from retrieval.text import words_of

#: A word of more than this share of the texts tells none of them apart.
_COMMON = 0.3


def weigh_texts(texts: Sequence[str]) -> Matrix:
    """Return text × word, by how often and how rare, rows of length 1.

    Words of a single text are left out: they make it resemble nothing.
    """
    bags = [Counter(words_of(text)) for text in texts]
    spread = Counter(word for bag in bags for word in bag)
    most = max(2, _COMMON * len(texts))
    known = {w: i for i, w in enumerate(sorted(w for w, n in spread.items() if 2 <= n <= most))}
    matrix = np.zeros((len(texts), len(known)), np.float32)
    for row, bag in zip(matrix, bags, strict=True):
        for word, count in bag.items():
            if (place := known.get(word)) is not None:
                row[place] = math.log1p(count) * math.log(len(texts) / spread[word])
    return unit_rows(matrix)


def unit_rows(matrix: Matrix) -> Matrix:
    """Bring rows to length 1; rows of nothing stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled: Matrix = (matrix / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled


def project(matrix: Matrix, width: int, *, seed: int) -> Matrix:
    """Return rows in fewer dimensions whose inner products stay nearly the same.

    Source: Johnson and Lindenstrauss, 1984.
    """
    if matrix.shape[1] <= width:
        return matrix
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((matrix.shape[1], width), dtype=np.float32)
    return unit_rows(matrix @ directions)
