"""Writes a course as a document that can be searched."""

from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.models import Document, Language

_LABELS: dict[Language, dict[str, str]] = {
    "es": {
        "outcomes": "Aprenderás a:",
        "keywords": "Temas",
        "area": "Área",
        "level": "Nivel",
        "intro": "básico, inicial, para principiantes",
        "intermediate": "intermedio",
        "advanced": "avanzado",
    },
    "en": {
        "outcomes": "You will learn to:",
        "keywords": "Topics",
        "area": "Area",
        "level": "Level",
        "intro": "introductory, basic, for beginners",
        "intermediate": "intermediate",
        "advanced": "advanced",
    },
}


def course_document(
    code: str,
    language: Language,
    *,
    title: str,
    summary: str,
    outcomes: Sequence[str],
    keywords: Sequence[str],
    area: str,
    level: str,
    url: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> Document:
    """Write a course in one language as a document.

    What changes from day to day (prices, dates, seats) stays out: it would make a new version
    each time, and answers take it from the course tools.

    Args:
        area: the area's name in this language.
        level: `intro`, `intermediate` or `advanced`.
    """
    labels = _LABELS[language]
    body = "\n\n".join(
        [
            summary,
            "\n".join([labels["outcomes"], "", *(f"- {o}" for o in outcomes)]),
            f"{labels['area']}: {area}. {labels['level']}: {labels.get(level, level)}.",
            f"{labels['keywords']}: {', '.join(keywords)}.",
        ]
    )
    return Document(
        id=f"course:{code}:{language}",
        kind="course",
        slug=code,
        language=language,
        title=title,
        body=body,
        topic=area,
        url=url,
        metadata=metadata or {},
    )
