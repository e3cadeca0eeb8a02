"""What serves: a person's taken courses and goals in, ranked courses with their reasons out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from retrieval.recommend.blend import Blend, standardise
from retrieval.recommend.histories import Matrix

ReasonKind = Literal["taken", "resembles", "goals", "popular"]
#: What a ranking rests on besides goals: on what others took after the same courses, on texts like
#: those of the courses taken, or on what many take.
Basis = Literal["trained", "content", "popularity"]

#: A goal that somebody put into words outweighs what others did: who asks for photography and took
#: accounting wants photography.
WISH_WEIGHT = 4.0
#: So many deviations are the most that anything but a wish counts: where one course has most of the
#: enrolments it stands out by 7, and would be the answer to every wish.
_MOST = 2.0
#: What resembling a course one took counts where no model was learnt.
_RESEMBLANCE = 0.5
#: An unknown course stands where so many courses that it resembles stand.
_NEIGHBOURS = 5
#: Among the first so many by liking a course counts as popular.
_POPULAR = 10
#: Of two courses with this much in common one is enough, unless it is much the better.
_DIVERSITY = 0.3
_REASONS = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person.

    Args:
        taken: codes of courses, none of which is recommended again.
        goals: code → how well the course fits what the person asked for, 0 to 1.
        refused: codes the person did not want.
    """

    taken: Sequence[str] = ()
    goals: Mapping[str, float] = field(default_factory=dict)
    refused: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a course is suggested.

    Args:
        kind: `taken`: people who took `code` went on with it; `resembles`: its text is like that
            of `code`; `goals`: it fits what was asked for; `popular`: many take it.
        weight: how much of the score it is; comparable within one suggestion only.
    """

    kind: ReasonKind
    weight: float
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A course, how well it fits, and why."""

    code: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Recommender:
    """All there is to rank courses: matrices of courses, nothing of any person.

    Args:
        version: of the stored model; 0 is made up on the spot.
        codes: of every course there was when it was made.
        popularity: one value a course.
        texts: course × dimension, rows of length 1.
        learnt: the places in `codes` that `blend` speaks of.
        blend: None where popularity could not be beaten: then it and the texts serve.
    """

    version: int
    codes: tuple[str, ...]
    popularity: Matrix
    texts: Matrix
    learnt: tuple[int, ...] = ()
    blend: Blend | None = None

    def shortlist(self, profile: Profile, *, limit: int) -> list[str]:
        """Return the codes that score best, however alike they are."""
        if not self.codes:
            return []
        total, free = self._scores(profile)
        best = sorted(free, key=lambda i: (-float(total[i]), i))[:limit]
        return [self.codes[i] for i in best]

    def rank(
        self, profile: Profile, *, limit: int, costs: Mapping[str, float] | None = None
    ) -> list[Suggestion]:
        """Return courses, best first, each unlike the ones before it.

        Args:
            costs: the only courses to rank, by code, with what speaks against each, in standard
                deviations of the score; None ranks all alike.
        """
        if not self.codes:
            return []
        total, free = self._scores(profile)
        if costs is not None:
            free = [i for i in free if self.codes[i] in costs]
            total = total - np.array([costs.get(c, 0.0) for c in self.codes], np.float32)
        row = self._row(profile)
        chosen = diversify(total, self.texts, free, limit=limit)
        return [
            Suggestion(
                self.codes[i],
                float(total[i]),
                self._reasons(i, row, profile.goals.get(self.codes[i], 0.0)),
            )
            for i in chosen
        ]

    def basis_of(self, profile: Profile) -> Basis:
        """Return what a profile's ranking rests on, its goals aside."""
        known = set(np.flatnonzero(self._row(profile)[0]).tolist())
        if self.blend is not None and known & set(self.learnt):
            return "trained"
        return "content" if known and self.blend is None else "popularity"

    def _row(self, profile: Profile) -> Matrix:
        """Return what a person took as a row of all courses."""
        taken = frozenset(profile.taken)
        return np.array([[code in taken for code in self.codes]], np.float32)

    def _scores(self, profile: Profile) -> tuple[Matrix, list[int]]:
        """Return every course's score, and the places of those that may be suggested."""
        row = self._row(profile)
        goals = np.array([[profile.goals.get(c, 0.0) for c in self.codes]], np.float32)
        base = _MOST * np.tanh(self._base(row) / _MOST)
        total: Matrix = (base + WISH_WEIGHT * _scaled(goals))[0]
        barred = frozenset(profile.taken) | frozenset(profile.refused)
        return total, [i for i, code in enumerate(self.codes) if code not in barred]

    def _base(self, row: Matrix) -> Matrix:
        """Return what history and liking say, before any goal."""
        if self.blend is None:
            liking = standardise(self.popularity[None, :], row)
            alike = self.texts @ (row @ self.texts).T
            return liking + _RESEMBLANCE * standardise(alike.T, row)
        learnt = list(self.learnt)
        known = row[:, learnt]
        if not known.any():
            return standardise(self.popularity[None, :], row)
        return standardise(self._spread(self.blend.score(known)[0])[None, :], row)

    def _spread(self, learnt_scores: Matrix) -> Matrix:
        """Let a course of which nothing was learnt stand where those stand that it resembles."""
        learnt = list(self.learnt)
        scores = np.zeros(len(self.codes), np.float32)
        scores[learnt] = learnt_scores
        unknown = np.setdiff1d(np.arange(len(self.codes)), learnt)
        near = np.maximum(self.texts[unknown] @ self.texts[learnt].T, 0) ** 2
        few = min(_NEIGHBOURS, near.shape[1])
        best = np.argsort(-near, axis=1)[:, :few]
        weights = np.take_along_axis(near, best, axis=1)
        scores[unknown] = (weights * learnt_scores[best]).sum(1) / (weights.sum(1) + 1)
        return scores

    def _reasons(self, item: int, row: Matrix, goal: float) -> tuple[Reason, ...]:
        found = [Reason("goals", goal)] if goal > 0 else []
        found += self._from_history(item, [int(t) for t in np.flatnonzero(row[0])])
        if int((self.popularity > self.popularity[item]).sum()) < _POPULAR:
            found.append(Reason("popular", float(self.popularity[item])))
        return tuple(found[:_REASONS])

    def _from_history(self, item: int, taken: Sequence[int]) -> list[Reason]:
        """Return the taken course that says most for an item."""
        if not taken:
            return []
        places = {place: i for i, place in enumerate(self.learnt)}
        known = [t for t in taken if t in places]
        if self.blend is not None and item in places and known:
            weights = [float(self.blend.associations[places[t], places[item]]) for t in known]
            if (best := max(weights)) > 0:
                return [Reason("taken", best, self.codes[known[weights.index(best)]])]
        alike = [float(self.texts[item] @ self.texts[t]) for t in taken]
        best = max(alike)
        code = self.codes[taken[alike.index(best)]]
        return [Reason("resembles", best, code)] if best > _DIVERSITY else []


def _scaled(goals: Matrix) -> Matrix:
    most = float(goals.max())
    return goals / most if most > 0 else goals


def diversify(
    scores: Matrix, texts: Matrix, among: Sequence[int], *, limit: int, share: float = _DIVERSITY
) -> list[int]:
    """Choose items by score less their likeness to those chosen before.

    Args:
        share: how much of the score likeness may take away.
    Source: maximal marginal relevance, Carbonell and Goldstein, 1998.
    """
    best = sorted(among, key=lambda i: (-float(scores[i]), i))[: max(limit * 5, 20)]
    if not best:
        return []
    low, high = float(scores[best[-1]]), float(scores[best[0]])
    worth = {i: (float(scores[i]) - low) / (high - low or 1.0) for i in best}
    alike = dict.fromkeys(best, 0.0)
    chosen: list[int] = []
    while len(chosen) < limit and len(chosen) < len(best):
        left = [i for i in best if i not in chosen]
        following = max(left, key=lambda i: ((1 - share) * worth[i] - share * alike[i], -i))
        chosen.append(following)
        alike = {i: max(alike[i], float(texts[i] @ texts[following])) for i in best}
    return chosen
