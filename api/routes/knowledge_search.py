"""Searching the institution's documents over HTTP, with what of each passage answers."""

from datetime import date
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field

from api.bodies import Out
from api.dependencies import ServicesDep
from api.routes.knowledge import KnowledgeReader
from api.routing import Chapter
from retrieval.highlight import Highlights, highlight
from retrieval.models import Audience, Hit, Language, Mode, SearchResult
from retrieval.text import MAX_QUERY_CHARS
from tools.catalogue.knowledge import audiences_of

router = Chapter(prefix="/v1/knowledge", tags=["knowledge"])


class SpanOut(Out):
    """A part of `text`, in characters, from the first to the one after the last."""

    start: int
    end: int


class HitOut(Out):
    """A passage that was found. All of it is text as the document has it: escape what you show."""

    document_id: str
    version: int
    title: str
    headings: Annotated[list[str], Field(description="What it stands under, outermost first")]
    text: str
    before: Annotated[str, Field(description="The passage before it under the same heading")]
    after: Annotated[str, Field(description="The passage after it under the same heading")]
    words: Annotated[list[SpanOut], Field(description="What of `text` was asked for")]
    sentence: Annotated[SpanOut | None, Field(description="What of `text` says most of it")]
    language: Language
    audience: Audience
    topic: str
    valid_from: date | None
    url: str
    score: Annotated[float, Field(description="0 to 1, comparable within one result only")]

    @classmethod
    def of(cls, hit: Hit, highlights: Highlights) -> Self:
        """Return a hit for the wire."""
        shown = {name: getattr(hit, name) for name in cls.model_fields.keys() & hit.__slots__}
        return cls(
            **{**shown, "score": round(hit.score, 3)},
            headings=list(hit.heading_path[1:]),
            words=[SpanOut.model_validate(span) for span in highlights.words],
            sentence=SpanOut.model_validate(highlights.sentence) if highlights.sentence else None,
        )


class KnowledgeFoundOut(BaseModel):
    """What was found, best first."""

    items: list[HitOut]
    confidence: Annotated[
        float, Field(description="The chance that the first answers; below 0.5 say so")
    ]
    query_language: Language
    mode: Annotated[Mode, Field(description="`lexical` while there are no vectors")]

    @classmethod
    def of(cls, query: str, found: SearchResult) -> Self:
        """Return what was found for the wire."""
        marked = highlight(query, found.hits, language=found.query_language)
        return cls(
            items=[HitOut.of(hit, marks) for hit, marks in zip(found.hits, marked, strict=True)],
            confidence=round(found.confidence, 3),
            query_language=found.query_language,
            mode=found.mode,
        )


@router.get("/search", summary="Search documents")
async def search_documents(
    staff: KnowledgeReader,
    services: ServicesDep,
    q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY_CHARS)],
    language: Annotated[
        Language | None, Query(description="The question's; else found out")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> KnowledgeFoundOut:
    """Search what is in force today, staff documents among it, as the assistant searches."""
    found = await services.knowledge.search(
        q,
        kind="knowledge",
        audiences=audiences_of(staff),
        on=services.courses.today(),
        query_language=language,
        limit=limit,
    )
    return KnowledgeFoundOut.of(q, found)
