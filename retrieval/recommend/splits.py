"""Hides a part of what each person took, to see whether a model finds it."""

from dataclasses import dataclass

import numpy as np

from retrieval.recommend.histories import Histories

HIDDEN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """What a model may see, and what is hidden of the same people."""

    seen: Histories
    hidden: Histories


def split_histories(histories: Histories, *, seed: int, share: float = HIDDEN_SHARE) -> Split:
    """Hide a share of each person's items, at least one; of a single item nothing is hidden."""
    rng = np.random.default_rng(seed)
    seen, hidden = [], []
    for taken in histories.taken:
        shuffled = rng.permutation(taken)
        count = max(1, round(share * len(taken))) if len(taken) > 1 else 0
        hidden.append(np.sort(shuffled[:count]))
        seen.append(np.sort(shuffled[count:]))
    return Split(Histories(tuple(seen), histories.items), Histories(tuple(hidden), histories.items))


def truncate(histories: Histories, most: int, *, seed: int) -> Histories:
    """Keep at most so many items of each person, as if they were new."""
    rng = np.random.default_rng(seed)
    kept = tuple(np.sort(rng.permutation(taken)[:most]) for taken in histories.taken)
    return Histories(kept, histories.items)
