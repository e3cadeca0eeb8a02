"""The SQL by which people look after documents: lists with their state, versions, where from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row

from retrieval.models import Audience, BodyFormat, Language

Connection = AsyncConnection[DictRow]

#: In force today; only later; no more; taken out of the search.
DocumentState = Literal["in_force", "scheduled", "ended", "withdrawn"]
#: Of a version also: another one has taken its place.
VersionState = Literal["in_force", "scheduled", "ended", "superseded", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """A document as the newest version has it.

    Args:
        in_force: the version that is found today.
        path: the file or page that it was made of, within its collection.
    """

    id: str
    slug: str
    language: Language
    title: str
    topic: str
    audience: Audience
    collection: str
    path: str
    state: DocumentState
    version: int
    in_force: int | None
    ingested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEntry:
    """A version of a document.

    Args:
        ends_on: when it holds no more, by its own end or by the next version's start.
    """

    version: int
    state: VersionState
    title: str
    audience: Audience
    topic: str
    format: BodyFormat
    valid_from: date | None
    valid_to: date | None
    ends_on: date | None
    collection: str
    path: str
    source: str
    chunks: int
    ingested_at: datetime


_ENTRIES = """
    SELECT * FROM (
        SELECT d.id, d.slug, d.language, d.title, d.topic, d.audience, d.collection, d.path,
               d.version, f.version AS in_force, d.ingested_at,
               CASE WHEN f.version IS NOT NULL THEN 'in_force'
                    WHEN NOT d.current THEN 'withdrawn'
                    WHEN d.valid_from > %(on)s THEN 'scheduled'
                    ELSE 'ended' END AS state
          FROM search_documents d
          LEFT JOIN LATERAL (
               SELECT version FROM search_documents v
                WHERE v.id = d.id AND v.current
                  AND (v.valid_from IS NULL OR v.valid_from <= %(on)s)
                  AND (v.ends_on IS NULL OR v.ends_on > %(on)s)
                ORDER BY version DESC LIMIT 1) f ON true
         WHERE d.kind = 'knowledge' AND {where}
           AND NOT EXISTS (SELECT FROM search_documents n
                            WHERE n.id = d.id AND n.version > d.version)) AS entries
"""

_CONDITIONS = {
    "collection": "d.collection = %(collection)s",
    "language": "d.language = %(language)s",
    "id": "d.id = %(id)s",
    "after": "d.id > %(after)s",
}

_VERSIONS = """
    SELECT d.version, d.title, d.audience, d.topic, d.format, d.valid_from, d.valid_to, d.ends_on,
           d.collection, d.path, coalesce(d.metadata ->> 'source', '') AS source, d.ingested_at,
           (SELECT count(*) FROM search_chunks c
             WHERE c.document_id = d.id AND c.version = d.version) AS chunks,
           CASE WHEN NOT d.current AND EXISTS (
                         SELECT FROM search_documents n WHERE n.id = d.id AND n.version > d.version)
                     THEN 'superseded'
                WHEN NOT d.current THEN 'withdrawn'
                WHEN d.valid_from > %(on)s THEN 'scheduled'
                WHEN d.valid_to <= %(on)s AND d.ends_on = d.valid_to THEN 'ended'
                WHEN d.ends_on <= %(on)s THEN 'superseded'
                ELSE 'in_force' END AS state
      FROM search_documents d
     WHERE d.id = %(id)s AND d.kind = 'knowledge' AND d.version < %(below)s
     ORDER BY d.version DESC LIMIT %(limit)s
"""


async def select_entries(
    conn: Connection, filters: Mapping[str, Any], *, on: date, after: str, limit: int
) -> list[CatalogueEntry]:
    """Return documents by id.

    Args:
        filters: `collection`, `language`, `state`, `id`; None leaves one open.
    """
    values = {k: v for k, v in filters.items() if v is not None} | {"after": after}
    where = " AND ".join(c for name, c in _CONDITIONS.items() if name in values)
    state = " WHERE state = %(state)s" if "state" in values else ""
    async with conn.cursor(row_factory=class_row(CatalogueEntry)) as cursor:
        await cursor.execute(
            _ENTRIES.format(where=where) + state + " ORDER BY id LIMIT %(limit)s",
            {**values, "on": on, "limit": limit},
        )
        return await cursor.fetchall()


async def select_versions(
    conn: Connection, document_id: str, *, on: date, below: int, limit: int
) -> list[VersionEntry]:
    """Return a document's versions, the newest first."""
    async with conn.cursor(row_factory=class_row(VersionEntry)) as cursor:
        await cursor.execute(
            _VERSIONS, {"id": document_id, "on": on, "below": below, "limit": limit}
        )
        return await cursor.fetchall()


async def is_knowledge(conn: Connection, document_id: str) -> bool:
    """Return whether there is such a document, in whatever state, and keep it till the commit."""
    rows = await conn.execute(
        "SELECT 1 FROM search_documents WHERE id = %s AND kind = 'knowledge' LIMIT 1 FOR UPDATE",
        [document_id],
    )
    return await rows.fetchone() is not None
