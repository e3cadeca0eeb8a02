"""Which changes of a score are worth telling an advisor of: pure rules."""

from collections.abc import Sequence

#: A change of so many points is news, whatever the score was.
MOVED_BY = 15
#: From here on a score is of the next band; the three are about equally wide.
BANDS = (34, 67)
#: Nobody acts on more news of one batch; the lists show the rest.
MOST_NEWS = 500


def band_of(score: int) -> int:
    """Return the third that a score is in, 0 to 2."""
    return sum(score >= bound for bound in BANDS)


def is_move(before: int | None, after: int) -> bool:
    """Return whether a score moved so that somebody should know; a first one, if it is high."""
    if before is None:
        return band_of(after) == len(BANDS)
    return abs(after - before) >= MOVED_BY or band_of(before) != band_of(after)


def most_moved(
    places: Sequence[int], before: Sequence[int | None], after: Sequence[int]
) -> list[int]:
    """Return the places of those who moved most, at most `MOST_NEWS`."""
    order = sorted(places, key=lambda i: -abs(after[i] - (before[i] or 0)))
    return order[:MOST_NEWS]
