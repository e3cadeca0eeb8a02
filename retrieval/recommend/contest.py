"""Lets a newly trained recommender replace the one that serves only if it is not worse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.recommend.blend import SEED
from retrieval.recommend.measures import TOP, Interval, discounts, paired_interval
from retrieval.recommend.recommender import Profile, Recommender
from retrieval.recommend.training import CourseText, train

_JUDGES = 2_000
_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What one person took before and since the serving recommender was trained."""

    before: Sequence[str]
    since: Sequence[str]


@dataclass(frozen=True, slots=True)
class Contest:
    """How a challenger did against the champion.

    Args:
        people: by whose new courses both were judged.
        interval: of the difference in nDCG, challenger less champion; None where there was nobody.
    """

    people: int
    interval: Interval | None

    @property
    def is_won(self) -> bool:
        """Return whether the challenger serves from now on: unless it is worse beyond chance."""
        return self.interval is None or self.interval.high >= 0

    def measures(self) -> dict[str, object]:
        """Return what is kept of it, for people who look."""
        found = self.interval
        bounds = [round(v, 4) for v in (found.mean, found.low, found.high)] if found else None
        return {"judges": self.people, "ndcg_difference": bounds, "won": self.is_won}


def contend(
    champion: Recommender, people: Iterable[Taken], courses: Sequence[CourseText]
) -> Contest:
    """Judge both by what half of the people with new courses took, which neither has seen.

    The challenger is trained for this as it is to serve, but without the new courses of its judges;
    the champion has seen none of the new ones at all.
    """
    everybody = list(people)
    judges = _draw_judges(everybody)
    told = [t.before if i in judges else (*t.before, *t.since) for i, t in enumerate(everybody)]
    if not judges:
        return Contest(0, None)
    challenger = train(told, courses).recommender
    found = [[_quality(r, everybody[i]) for i in sorted(judges)] for r in (challenger, champion)]
    ours, theirs = (np.array(values, np.float64) for values in found)
    return Contest(len(judges), paired_interval(ours, theirs, seed=SEED, draws=_DRAWS))


def _draw_judges(people: Sequence[Taken]) -> frozenset[int]:
    """Return the places of half of those who took something new, drawn by lot."""
    fit = [i for i, taken in enumerate(people) if set(taken.since) - set(taken.before)]
    count = min(len(fit) // 2, _JUDGES)
    drawn = np.random.default_rng(SEED).choice(len(fit), count, replace=False) if count else ()
    return frozenset(fit[int(place)] for place in drawn)


def _quality(recommender: Recommender, taken: Taken) -> float:
    """Return the nDCG of what a recommender would have suggested to somebody."""
    wanted = set(taken.since) - set(taken.before)
    found = recommender.shortlist(Profile(taken.before), limit=TOP)
    worth = discounts(TOP)
    gain = sum(worth[place] for place, code in enumerate(found) if code in wanted)
    return float(gain / worth[: min(len(wanted), TOP)].sum())
