"""What serves: a person's taken courses and goals in, ranked courses with their reasons out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from retrieval.recommend.blend import Blend, standardise
from retrieval.recommend.histories import Matrix

ReasonKind = Literal["taken", "resembles", "goals", "popular"]

#: A goal that somebody put into words outweighs what others did: who asks for photography and took
#: accounting wants photography.
WISH_WEIGHT = 4.0
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

    def rank(self, profile: Profile, *, limit: int) -> list[Suggestion]:
        """Return courses, best first, each unlike the ones before it."""
        if not self.codes:
            return []
        places = {code: i for i, code in enumerate(self.codes)}
        row = np.zeros((1, len(self.codes)), np.float32)
        row[0, [places[c] for c in profile.taken if c in places]] = 1
        goals = np.array([[profile.goals.get(c, 0.0) for c in self.codes]], np.float32)
        base = self._base(row)
        total = (base + WISH_WEIGHT * (_scaled(goals) if profile.goals else goals))[0]
        refused = {places[c] for c in profile.refused if c in places}
        free = [i for i in range(len(total)) if not row[0, i] and i not in refused]
        chosen = diversify(total, self.texts, free, limit=limit)
        return [
            Suggestion(self.codes[i], float(total[i]), self._reasons(i, row, float(goals[0, i])))
            for i in chosen
        ]

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
