"""What an ingest in the background is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from retrieval.ingest.declared import Declared

SourceKind = Literal["folder", "upload", "sitemap"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
ItemOutcome = Literal["added", "changed", "updated", "unchanged", "set_aside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """An ingest that is asked for.

    Args:
        place: the folder, the file's name, or the sitemap's address.
        complete: these are all the documents of the collection; what else it holds is withdrawn.
    """

    id: UUID
    source: SourceKind
    place: str
    collection: str
    declared: Declared
    complete: bool
    staff_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An ingest and how far it is; the counts are of files or pages.

    Args:
        epoch: grows with each process that takes it up.
    """

    id: UUID
    source: SourceKind
    place: str
    collection: str
    declared: Mapping[str, Any]
    complete: bool
    staff_id: UUID | None = None
    status: JobStatus = "queued"
    error_code: str | None = None
    reason: str | None = None
    listed: bool = False
    items_total: int = 0
    items_done: int = 0
    added: int = 0
    changed: int = 0
    updated: int = 0
    unchanged: int = 0
    set_aside: int = 0
    withdrawn: int = 0
    epoch: int = 0
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Return whether nothing more happens."""
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class AsideItem:
    """A file or page that could not be taken, and why."""

    name: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stands in a file or page.

    Args:
        charset: what its server said.
        name: what it is called where that tells more than the item's name.
        fixed: what is known of it.
        etag: of a page, to ask for it again.
    """

    content: bytes
    name: str
    charset: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class NotChanged:
    """A page is as it was when this document was made of it."""

    document_id: str
