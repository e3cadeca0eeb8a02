"""Finds the courses that words mean: by code, by title, by meaning; then what the CRM knows."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm.courses.models import Course
from crm.courses.service import CourseService
from crm.courses.titles import title_words
from retrieval.models import Hit
from tools.context import Locale
from tools.services import KnowledgeIndex

_CANDIDATES = 20
_CODE = re.compile(r"\b[A-Za-z]{2,5}-\d{2,4}\b")
#: What standing first by title adds to a score of 0 to 1; the next ones get a half, a third, …
_TITLE_WEIGHT = 0.5
#: What scores less than this part of the best is not shown: "energía solar" found nursing, too.
_WORTH_SHOWING = 0.4
#: The chance that a course is meant whose title or keywords hold every word of the question.
_NAMED = 0.9


@dataclass(frozen=True, slots=True)
class Ranking:
    """Courses that words mean, not all of them still offered.

    Args:
        scores: by code, best first; comparable within one ranking only.
        confidence: of the text search; whoever has the courses may know better.
    """

    scores: Mapping[str, float]
    confidence: float

    @property
    def codes(self) -> Sequence[str]:
        """Return the codes, best first."""
        return tuple(self.scores)


async def rank_courses(
    courses: CourseService,
    knowledge: KnowledgeIndex,
    query: str,
    *,
    locale: Locale | None,
    limit: int = _CANDIDATES,
    among: frozenset[str] | None = None,
) -> Ranking:
    """Return what a text means, by words, by meaning and by names that are only nearly right.

    Args:
        locale: the reader's; None if nobody knows.
        among: the only courses to search; None for all.
    """
    result, titles = await asyncio.gather(
        knowledge.search(
            query,
            kind="course",
            audiences=frozenset({"public"}),
            on=courses.today(),
            query_language=locale,
            slugs=among,
            limit=limit,
        ),
        courses.match_titles(query),
    )
    named = [t.code for t in titles if among is None or t.code in among]
    return Ranking(_ranked(result.hits, named), result.confidence)


def named_codes(query: str) -> list[str]:
    """Return the course codes that a text holds."""
    return [code.upper() for code in _CODE.findall(query)]


def _ranked(hits: Sequence[Hit], by_title: Sequence[str]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for hit in hits:
        scores[hit.slug] = max(scores.get(hit.slug, 0.0), hit.score)
    for place, code in enumerate(by_title):
        scores[code] = scores.get(code, 0.0) + _TITLE_WEIGHT / (place + 1)
    least = _WORTH_SHOWING * max(scores.values(), default=0.0)
    kept = [code for code, score in scores.items() if score >= least]
    return {code: scores[code] for code in sorted(kept, key=lambda c: (-scores[c], c))}


def named_confidence(query: str, course: Course) -> float:
    """Return the chance that a course is meant, by how much of the question its name holds."""
    return _NAMED * _coverage(query, course)


def _coverage(query: str, course: Course) -> float:
    """Return the share of a question's telling words that the course's own name holds."""
    asked = title_words(query)
    names = " ".join((course.title.es, course.title.en, *course.keywords))
    held = set(title_words(names))
    return sum(word in held for word in asked) / len(asked) if asked else 0.0
