"""What is sent and answered about the institution's documents."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.bodies import Body, Out
from api.ingests import StartIngest
from api.moments import Day
from retrieval.ingest.declared import SLUG
from retrieval.ingest.jobs.models import JobStatus, SourceKind
from retrieval.models import Audience, BodyFormat, Language
from retrieval.stores.pg_catalogue import DocumentState, VersionState

COLLECTION = r"^[a-z0-9][a-z0-9_-]{0,39}$"


class DocumentOut(Out):
    """A document as its newest version has it."""

    id: str
    slug: str
    language: Language
    title: str
    topic: str
    audience: Audience
    collection: str
    path: str = Field(description="The file or page that it was made of")
    state: DocumentState
    version: int
    in_force: int | None = Field(description="The version that is found today")
    ingested_at: datetime


class DocumentPage(BaseModel):
    """A page of documents."""

    items: list[DocumentOut]
    next_cursor: str | None


class VersionOut(Out):
    """A version of a document."""

    version: int
    state: VersionState
    title: str
    audience: Audience
    topic: str
    format: BodyFormat
    valid_from: date | None
    valid_to: date | None
    ends_on: date | None = Field(description="The first day on which it holds no more")
    collection: str
    path: str
    source: str = Field(description="Where the text comes from, as it says itself")
    chunks: int
    ingested_at: datetime


class VersionPage(Out):
    """A page of versions."""

    items: list[VersionOut]
    next_cursor: str | None


class IngestOut(Out):
    """An ingest and how far it is; the counts are of files or pages."""

    id: UUID
    source: SourceKind
    place: str
    collection: str
    complete: bool
    status: JobStatus
    error_code: str | None
    reason: str | None
    items_total: int
    items_done: int
    added: int
    changed: int
    updated: int
    unchanged: int
    set_aside: int
    withdrawn: int
    created_at: datetime
    ended_at: datetime | None


class IngestPage(BaseModel):
    """A page of ingests."""

    items: list[IngestOut]
    next_cursor: str | None


class AsideOut(Out):
    """A file or page that could not be taken."""

    name: str
    code: str
    reason: str


class AsidePage(Out):
    """A page of what was set aside."""

    items: list[AsideOut]
    next_cursor: str | None


class Fields(Body):
    """What holds for a document whatever it says of itself."""

    audience: Audience | None = None
    topic: str | None = Field(None, max_length=80)
    language: Literal["es", "en"] | None = None

    def declared(self) -> dict[str, Any]:
        """Return what is declared."""
        names = ("audience", "topic", "language", "slug", "title", "valid_from", "valid_to")
        found = {name: getattr(self, name, None) for name in names}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in found.items()
            if value is not None
        }


class FieldsQuery(Fields):
    """What is declared of a file that is sent."""

    file_name: str = Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")
    collection: str = Field("uploads", pattern=COLLECTION)
    slug: str | None = Field(None, pattern=SLUG, max_length=80)
    title: str | None = Field(None, min_length=1, max_length=300)
    valid_from: Day | None = Field(None, description="The first day on which it holds")
    valid_to: Day | None = Field(None, description="The first day on which it holds no more")
    replaces: str | None = Field(
        None, pattern=r"^kb:[a-z0-9-]{1,80}:(es|en)$", description="The document that it renews"
    )

    def command(self) -> StartIngest:
        """Return what is to be read."""
        return StartIngest(
            source="upload",
            place=self.file_name,
            collection=self.collection,
            fields=self.declared(),
            replaces=self.replaces,
        )


class SitemapBody(Fields):
    """A sitemap to read."""

    url: str = Field(min_length=8, max_length=2_000, pattern=r"^https?://[^\s\x00-\x1f]+$")
    collection: str = Field("website", pattern=COLLECTION)
    complete: bool = Field(True, description="Withdraw what the collection holds besides")
