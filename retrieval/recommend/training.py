"""Makes the recommender of an institution from its own enrolments, and lets it prove itself."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from retrieval.recommend.blend import SEED, Dials, fit_blend
from retrieval.recommend.histories import Histories, Matrix, number_items
from retrieval.recommend.measures import judge, paired_interval
from retrieval.recommend.popularity import fit_popularity
from retrieval.recommend.recommender import Recommender
from retrieval.recommend.splits import split_histories
from retrieval.recommend.texts import project, weigh_texts
from retrieval.recommend.tuning import tune_blend

#: A course must have been taken by so many before anything is learnt of it: of fewer, what goes
#: together would tell what single people did.
MIN_PEOPLE = 5
#: With fewer people who took two courses there is nothing to learn, and nothing to judge it by.
MIN_HISTORIES = 50
_MOST_LEARNT = 1_500
_TEXT_WIDTH = 64
_TUNING_PEOPLE = 5_000
_JUDGING_PEOPLE = 20_000

Kind = Literal["blend", "prior"]


@dataclass(frozen=True, slots=True)
class CourseText:
    """A course by what is written about it, in whatever languages."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A recommender and why it is what it is.

    Args:
        kind: `prior` where the blend did not beat popularity on what was hidden from both.
        measures: what was found out, for people who look.
    """

    recommender: Recommender
    kind: Kind
    measures: dict[str, object]


def train(taken: Iterable[Sequence[str]], courses: Sequence[CourseText]) -> Trained:
    """Train on what people took, and keep the blend only if it beats popularity.

    Args:
        taken: codes of courses, one list a person; nothing says whose.
        courses: every course that may be suggested.
    """
    codes = tuple(course.code for course in courses)
    everything = number_items(taken, codes)
    weighed = weigh_texts([course.text for course in courses])
    learnt = _learnable(everything)
    histories = _restricted(everything, learnt)
    side = weighed[list(learnt)] if learnt else weighed[:0]
    dials, measures = _prove(histories, side)
    return Trained(
        Recommender(
            version=0,
            codes=codes,
            popularity=fit_popularity(everything),
            texts=project(weighed, _TEXT_WIDTH, seed=SEED),
            learnt=learnt if dials else (),
            blend=fit_blend(histories, side, dials) if dials else None,
        ),
        "blend" if dials else "prior",
        measures | {"people": len(everything), "courses": len(codes), "learnt": len(learnt)},
    )


def untrained(courses: Sequence[CourseText], people: Sequence[int]) -> Recommender:
    """Return what serves before anything was trained: what courses say, and how many are in them.

    Args:
        people: in each of the courses.
    """
    weighed = weigh_texts([course.text for course in courses])
    return Recommender(
        version=0,
        codes=tuple(course.code for course in courses),
        popularity=np.log1p(np.array(people, np.float32)),
        texts=project(weighed, _TEXT_WIDTH, seed=SEED),
    )


def _prove(histories: Histories, side: Matrix) -> tuple[Dials | None, dict[str, object]]:
    """Return the dials if the blend beats popularity on a part that neither has seen."""
    if len(histories) < MIN_HISTORIES or histories.items < 2:
        return None, {"reason": "too few histories", "histories": len(histories)}
    split = split_histories(histories.sample(_JUDGING_PEOPLE, seed=SEED), seed=SEED)
    dials = tune_blend(split.seen.sample(_TUNING_PEOPLE, seed=SEED), side)
    people = split.seen.dense()
    popular = np.tile(fit_popularity(split.seen), (len(people), 1))
    ours = judge(fit_blend(split.seen, side, dials).score(people), split.seen, split.hidden)
    theirs = judge(popular, split.seen, split.hidden)
    interval = paired_interval(ours.ndcg, theirs.ndcg, seed=SEED, draws=1_000)
    measures: dict[str, object] = {
        "histories": len(histories),
        "dials": asdict(dials),
        "ndcg": round(float(ours.ndcg.mean()), 4),
        "popularity_ndcg": round(float(theirs.ndcg.mean()), 4),
        "recall": round(float(ours.recall.mean()), 4),
        "popularity_recall": round(float(theirs.recall.mean()), 4),
        "difference": [round(v, 4) for v in (interval.mean, interval.low, interval.high)],
    }
    return (dials if interval.low > 0 else None), measures


def _learnable(everything: Histories) -> tuple[int, ...]:
    counts = everything.counts()
    by_liking = np.argsort(-counts, kind="stable")[:_MOST_LEARNT]
    return tuple(sorted(int(i) for i in by_liking if counts[i] >= MIN_PEOPLE))


def _restricted(everything: Histories, learnt: Sequence[int]) -> Histories:
    """Return the people who took two learnable courses or more, by the new numbers."""
    place = np.full(everything.items, -1, np.intp)
    place[list(learnt)] = np.arange(len(learnt))
    rows = (place[taken] for taken in everything.taken)
    kept = tuple(row[row >= 0] for row in rows)
    return Histories(tuple(row for row in kept if len(row) > 1), len(learnt))
