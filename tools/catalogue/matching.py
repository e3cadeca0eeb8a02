"""Finds the courses that words mean: by meaning, by title, by code; then what the CRM knows."""

import asyncio
import re
from dataclasses import dataclass

from crm.courses.models import CourseDetail
from retrieval.models import Hit
from tools.context import Locale
from tools.services import ToolServices

_CANDIDATES = 20
_CODE = re.compile(r"\b[A-Za-z]{2,5}-\d{2,4}\b")
#: What standing first by title adds to a score of 0 to 1; the next ones get a half, a third, …
_TITLE_WEIGHT = 0.5
#: The least that a first place by meaning and by title is worth together.
_AGREED = 0.8


@dataclass(frozen=True, slots=True)
class Matches:
    """Courses, best first, and the chance that the first is meant."""

    details: list[CourseDetail]
    confidence: float


async def find_matches(services: ToolServices, query: str, locale: Locale) -> Matches:
    """Return the active courses that a text means."""
    result, titles = await asyncio.gather(
        services.knowledge.search(
            query,
            kind="course",
            audiences=frozenset({"public"}),
            query_language=locale,
            limit=_CANDIDATES,
        ),
        services.courses.match_titles(query),
    )
    by_title = [t.code for t in titles]
    named = [code.upper() for code in _CODE.findall(query)]
    codes = _ranked(result.hits, by_title, named)
    details = [d for d in await services.courses.find_courses(codes) if d.course.active]
    first = details[0].course.code if details else None
    confidence = result.confidence
    if first in named:
        confidence = 1.0
    elif by_title and result.hits and first == by_title[0] == result.hits[0].slug:
        confidence = max(confidence, _AGREED)
    return Matches(details, confidence if details else 0.0)


def _ranked(hits: tuple[Hit, ...], by_title: list[str], named: list[str]) -> list[str]:
    scores: dict[str, float] = {}
    for hit in hits:
        scores[hit.slug] = max(scores.get(hit.slug, 0.0), hit.score)
    for place, code in enumerate(by_title):
        scores[code] = scores.get(code, 0.0) + _TITLE_WEIGHT / (place + 1)
    for code in named:
        scores[code] = scores.get(code, 0.0) + 10.0
    return sorted(scores, key=lambda code: (-scores[code], code))
