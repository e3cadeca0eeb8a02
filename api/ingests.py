"""What is to be read into the knowledge, and which document a file renews."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from crm.db import Connection
from crm.errors import NotFound, RuleBroken
from crm.uploads import Upload
from retrieval.ingest.jobs.models import SourceKind
from retrieval.stores import pg_catalogue, pg_jobs

_PART = 256 * 1024
_PARTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StartIngest:
    """What is to be read.

    Args:
        place: the file's name, the sitemap's address, or a folder of this machine.
        fields: what holds whatever the files say: slug, language, audience, …
        defaults: what holds where the files say nothing.
        replaces: the document that a file renews; it says slug, language and collection itself,
            and what else is not in `fields`.
    """

    source: SourceKind
    place: str
    collection: str
    fields: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False
    replaces: str | None = None


async def renewing(conn: Connection, command: StartIngest, *, on: date) -> StartIngest:
    """Return a command that says all that the document says that it renews.

    Raises: NotFound("knowledge.unknown"); RuleBroken("knowledge.replaces").
    """
    if command.replaces is None:
        return command
    rows = await pg_catalogue.select_entries(
        conn, {"id": command.replaces}, on=on, after="", limit=1
    )
    if not rows:
        raise unknown_document()
    current, said = rows[0], command.fields
    pinned = {"slug": current.slug, "language": current.language}
    if any(said.get(name, value) != value for name, value in pinned.items()):
        raise RuleBroken("knowledge.replaces", "`replaces` says slug and language itself.")
    kept = {"audience": current.audience, "topic": current.topic, "title": current.title}
    return replace(command, collection=current.collection, fields={**kept, **said, **pinned})


async def keep_upload(conn: Connection, job_id: UUID, upload: Upload) -> None:
    """Store a file in pieces, a few at a time."""
    waiting, first = upload.parts(_PART), 0
    while parts := list(islice(waiting, _PARTS_AT_ONCE)):
        await pg_jobs.insert_parts(conn, job_id, first, parts)
        first += len(parts)


def unknown_document() -> NotFound:
    """Return that there is no such document."""
    return NotFound("knowledge.unknown", "There is no such document.")
