"""Who took what, without who: sets of items, given out in dense batches."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Indices = NDArray[np.intp]

_BATCH = 4_000


@dataclass(frozen=True, slots=True)
class Histories:
    """What each person took, as numbers of items; nothing names the person.

    Args:
        taken: one array of items a person.
        items: how many items there are.
    """

    taken: tuple[Indices, ...]
    items: int

    def __len__(self) -> int:
        return len(self.taken)

    def counts(self) -> Matrix:
        """Return how many people took each item."""
        every = np.concatenate([*self.taken, np.empty(0, np.intp)])
        return np.bincount(every, minlength=self.items).astype(np.float32)

    def dense(self) -> Matrix:
        """Return people × items, 1 where taken."""
        matrix = np.zeros((len(self.taken), self.items), np.float32)
        rows = np.repeat(np.arange(len(self.taken)), [len(taken) for taken in self.taken])
        matrix[rows, np.concatenate([*self.taken, np.empty(0, np.intp)])] = 1
        return matrix

    def batches(self, size: int = _BATCH) -> Iterator[Matrix]:
        """Yield the dense matrix in slices, so that memory does not grow with the people."""
        for start in range(0, len(self.taken), size):
            yield Histories(self.taken[start : start + size], self.items).dense()

    def sample(self, most: int, *, seed: int) -> "Histories":
        """Return at most so many people, drawn without order."""
        if len(self.taken) <= most:
            return self
        drawn = np.random.default_rng(seed).choice(len(self.taken), most, replace=False)
        return Histories(tuple(self.taken[i] for i in drawn), self.items)


def number_items(taken: Iterable[Iterable[str]], codes: Sequence[str]) -> Histories:
    """Turn codes into numbers, their places in `codes`; codes that are not there are left out."""
    places = {code: place for place, code in enumerate(codes)}
    rows = ({places[code] for code in person if code in places} for person in taken)
    return Histories(tuple(np.array(sorted(row), np.intp) for row in rows), len(codes))
