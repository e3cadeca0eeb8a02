"""Plays recommenders against each other: people who are known, and people who are new."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from evals.recommendation.data import CourseData
from retrieval.recommend.associations import fit_ease
from retrieval.recommend.blend import SEED, Blend, Dials, fit_blend
from retrieval.recommend.goals import add_goals
from retrieval.recommend.histories import Histories, Matrix
from retrieval.recommend.measures import Judged, judge
from retrieval.recommend.popularity import fit_popularity
from retrieval.recommend.splits import Split, split_histories, truncate
from retrieval.recommend.texts import unit_rows
from retrieval.recommend.tuning import tune_blend, tune_ease

#: Outer splits: with one alone, an interval says more about the split than about the models.
SPLITS = 5
FOLDS = 5
NEWCOMER_COURSES = (0, 1, 2)

OURS, EASE, POPULARITY = "blend", "EASE^R", "popularity"


@dataclass(frozen=True, slots=True)
class Trial:
    """One split: how each model did, and what was chosen on the part it could see."""

    judged: Mapping[str, Judged]
    ease_ridge: float
    dials: Dials


def try_split(data: CourseData, split: Split) -> Trial:
    """Tune both models on splits of what may be seen, fit them on it, and judge them."""
    ridge = tune_ease(split.seen)
    dials = tune_blend(split.seen, data.side)
    rows = split.seen.dense()
    scores = {
        OURS: fit_blend(split.seen, data.side, dials).score(rows),
        EASE: rows @ fit_ease(split.seen, ridge=ridge),
        POPULARITY: np.tile(fit_popularity(split.seen), (len(rows), 1)),
    }
    judged = {name: judge(s, split.seen, split.hidden) for name, s in scores.items()}
    return Trial(judged, ridge, dials)


def try_splits(data: CourseData, *, count: int = SPLITS) -> list[Trial]:
    """Hide a fifth of each person's courses, several times."""
    return [try_split(data, split_histories(data.seen, seed=SEED + 100 + i)) for i in range(count)]


def try_newcomers(data: CourseData) -> dict[str, dict[str, list[Judged]]]:
    """Meet people of whom no model has seen anything, by what is known of them.

    A fifth of the people at a time is kept apart; a model gets so many of a newcomer's courses,
    drawn by lot, and is judged by the others. Whoever has none may name fields of study: those of
    one of their courses, which then does not count any more.
    """
    order = np.random.default_rng(SEED).permutation(len(data.seen))
    found: dict[str, dict[str, list[Judged]]] = {}
    for fold in np.array_split(order, FOLDS):
        newcomers = _people(data.seen, fold)
        known = _people(data.seen, np.setdiff1d(order, fold))
        model = fit_blend(known, data.side, tune_blend(known, data.side))
        popular = fit_popularity(known)
        for label, split, scores in _meetings(data, model, popular, newcomers):
            judged = found.setdefault(label, {OURS: [], POPULARITY: []})
            everybody = np.tile(popular, (len(scores), 1))
            judged[OURS].append(judge(scores, split.seen, split.hidden, crowd=known))
            judged[POPULARITY].append(judge(everybody, split.seen, split.hidden, crowd=known))
    return found


def _meetings(
    data: CourseData, model: Blend, popular: Matrix, people: Histories
) -> Iterator[tuple[str, Split, Matrix]]:
    for courses in NEWCOMER_COURSES:
        split = _newcomers(people, courses)
        rows = split.seen.dense()
        scores = model.score(rows) if courses else np.tile(popular, (len(rows), 1))
        yield f"{courses} courses", split, scores
    split = _newcomers(people, 1)
    named = split.seen.dense()
    liking = np.tile(popular, (len(named), 1))
    wished = unit_rows(named @ data.fields) @ unit_rows(data.fields).T
    yield "0 courses, fields named", split, add_goals(liking, named, wished)


def _newcomers(people: Histories, courses: int) -> Split:
    kept = truncate(people, courses, seed=SEED)
    pairs = zip(people.taken, kept.taken, strict=True)
    rest = tuple(np.setdiff1d(taken, shown) for taken, shown in pairs)
    return Split(kept, Histories(rest, people.items))


def _people(histories: Histories, places: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Histories:
    return Histories(tuple(histories.taken[i] for i in np.sort(places)), histories.items)
