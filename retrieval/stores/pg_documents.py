"""The SQL of documents, their versions and their chunks."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retrieval.models import Chunk, Document, Kind, Language
from retrieval.stores.pg_search import scope_values
from retrieval.stores.protocol import Origin, Scope
from retrieval.stores.versions import StoredVersion

Connection = AsyncConnection[DictRow]

_COLUMNS = (
    "id, version, kind, slug, language, audience, topic, title, format, body, url, valid_from,"
    " valid_to, metadata"
)

# A version is in force from `valid_from` until `ends_on`: its own end, or the day on which the
# next version begins. One a document at most, on any day.
_IN_FORCE = """
    current AND (valid_from IS NULL OR valid_from <= %(on)s)
    AND (ends_on IS NULL OR ends_on > %(on)s)
"""

_NEWEST = """
    SELECT version, current, content_hash = %(content_hash)s AS same_content,
           (audience, topic, url, metadata, collection, path, chunks_hash)
             = (%(audience)s, %(topic)s, %(url)s, %(metadata)s, %(collection)s, %(path)s,
                %(chunks_hash)s)
             AND valid_to IS NOT DISTINCT FROM %(valid_to)s AS same_rest
      FROM search_documents WHERE id = %(id)s ORDER BY version DESC LIMIT 1
"""

_INSERT = """
    INSERT INTO search_documents
           (id, version, current, kind, slug, language, audience, topic, title, format, body, url,
            valid_from, valid_to, ends_on, metadata, collection, path, content_hash, chunks_hash)
    VALUES (%(id)s, %(version)s, true, %(kind)s, %(slug)s, %(language)s, %(audience)s, %(topic)s,
            %(title)s, %(format)s, %(body)s, %(url)s, %(valid_from)s, %(valid_to)s,
            %(valid_to)s, %(metadata)s, %(collection)s, %(path)s, %(content_hash)s, %(chunks_hash)s)
        ON CONFLICT (id, version) DO UPDATE
       SET current = true, audience = excluded.audience, topic = excluded.topic,
           url = excluded.url, valid_to = excluded.valid_to, ends_on = excluded.ends_on,
           metadata = excluded.metadata, collection = excluded.collection, path = excluded.path,
           chunks_hash = excluded.chunks_hash
"""

# The newest version holds from the day on which it begins, whatever earlier ones say of it.
_SUPERSEDE = """
    WITH ended AS (
        UPDATE search_chunks SET valid_to = least(valid_to, %(valid_from)s::date)
         WHERE document_id = %(id)s AND version < %(version)s)
    UPDATE search_documents
       SET ends_on = least(ends_on, %(valid_from)s::date),
           current = coalesce(%(valid_from)s::date > coalesce(valid_from, '-infinity'), false)
     WHERE id = %(id)s AND version < %(version)s AND current
"""

_DELETE_CHUNKS = """
    DELETE FROM search_chunks c
     WHERE c.document_id = %(id)s
       AND (c.version = %(version)s OR NOT EXISTS (
            SELECT 1 FROM search_documents d
             WHERE d.id = c.document_id AND d.version = c.version AND d.current))
"""

_INSERT_CHUNKS = """
    INSERT INTO search_chunks
           (document_id, version, ordinal, kind, slug, language, audience, topic, valid_from,
            valid_to, anchor, headings, body, tokens, text_hash)
    SELECT %(id)s, %(version)s, c.ordinal, %(kind)s, %(slug)s, %(language)s, %(audience)s,
           %(topic)s, %(valid_from)s, %(valid_to)s, c.anchor, c.headings, c.body, c.tokens,
           c.text_hash
      FROM unnest(%(ordinals)s::int[], %(anchors)s::text[], %(headings)s::text[],
                  %(bodies)s::text[], %(tokens)s::int[], %(hashes)s::bytea[])
        AS c (ordinal, anchor, headings, body, tokens, text_hash)
"""


async def lock(conn: Connection, document_id: str) -> None:
    """Let one transaction at a time change a document."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6))", (document_id,))


def row_of(document: Document, chunks: Sequence[Chunk], origin: Origin) -> dict[str, Any]:
    """Return the values of a document's row, without its version."""
    hashes = b"".join(c.text_hash + c.anchor.encode() for c in chunks)
    return {
        "id": document.id,
        "kind": document.kind,
        "slug": document.slug,
        "language": document.language,
        "audience": document.audience,
        "topic": document.topic,
        "title": document.title,
        "format": document.format,
        "body": document.body,
        "url": document.url,
        "valid_from": document.valid_from,
        "valid_to": document.valid_to,
        "metadata": Jsonb(dict(document.metadata)),
        "collection": origin.collection,
        "path": origin.path,
        "content_hash": document.content_hash,
        "chunks_hash": hashlib.sha256(hashes).digest(),
    }


async def newest_version(conn: Connection, row: dict[str, Any]) -> StoredVersion | None:
    """Return the newest stored version, compared with an incoming row."""
    found = await (await conn.execute(_NEWEST, row)).fetchone()
    return StoredVersion(**found) if found else None


async def insert_document(conn: Connection, row: dict[str, Any], version: int) -> None:
    """Let a version hold from its day on; if it exists, only its attributes change."""
    values = {**row, "version": version}
    await conn.execute(_SUPERSEDE, values)
    await conn.execute(_INSERT, values)


async def delete_chunks(conn: Connection, document_id: str, version: int) -> None:
    """Delete the chunks of a version and of those that it leaves no day."""
    await conn.execute(_DELETE_CHUNKS, {"id": document_id, "version": version})


async def insert_chunks(
    conn: Connection, row: dict[str, Any], version: int, chunks: Sequence[Chunk]
) -> None:
    """Insert the chunks of a version."""
    values = {
        **row,
        "version": version,
        "ordinals": [c.ordinal for c in chunks],
        "anchors": [c.anchor for c in chunks],
        "headings": ["\n".join(c.heading_path) for c in chunks],
        "bodies": [c.text for c in chunks],
        "tokens": [c.tokens for c in chunks],
        "hashes": [c.text_hash for c in chunks],
    }
    await conn.execute(_INSERT_CHUNKS, values)


async def withdraw(conn: Connection, ids: Collection[str]) -> int:
    """Leave documents without a current version and without chunks; returns how many."""
    rows = await conn.execute(
        "WITH gone AS (DELETE FROM search_chunks WHERE document_id = ANY (%(ids)s))"
        " UPDATE search_documents SET current = false WHERE id = ANY (%(ids)s) AND current"
        " RETURNING id",
        {"ids": list(ids)},
    )
    return len({r["id"] for r in await rows.fetchall()})


async def list_missing(
    conn: Connection, collection: str, *, kept_ids: Collection[str], kept_paths: Collection[str]
) -> list[str]:
    """Return the current documents of a collection that are neither kept nor from a kept file."""
    rows = await conn.execute(
        "SELECT DISTINCT id FROM search_documents WHERE collection = %s AND current"
        " AND id <> ALL (%s) AND path <> ALL (%s)",
        (collection, list(kept_ids), list(kept_paths)),
    )
    return [r["id"] for r in await rows.fetchall()]


async def delete(conn: Connection, ids: Collection[str]) -> int:
    """Remove documents with all that hangs on them; returns how many versions went."""
    done = await conn.execute("DELETE FROM search_documents WHERE id = ANY (%s)", (list(ids),))
    return done.rowcount


async def select_document(
    conn: Connection, document_id: str, *, version: int | None, on: date
) -> Document | None:
    """Return one version of a document, or the one in force on a day."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM search_documents WHERE id = %(id)s"  # noqa: S608
        f" AND CASE WHEN %(version)s::int IS NULL THEN {_IN_FORCE} ELSE version = %(version)s END",
        {"id": document_id, "version": version, "on": on},
    )
    found = await rows.fetchone()
    return Document(**found) if found else None


async def select_by_slug(
    conn: Connection, kind: Kind, slug: str, *, language: Language, version: int | None, on: date
) -> Document | None:
    """Return one version of a document by its slug, or the one in force on a day."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM search_documents"  # noqa: S608
        " WHERE kind = %(kind)s AND slug = %(slug)s AND language = %(language)s"
        f" AND CASE WHEN %(version)s::int IS NULL THEN {_IN_FORCE} ELSE version = %(version)s END",
        {"kind": kind, "slug": slug, "language": language, "version": version, "on": on},
    )
    found = await rows.fetchone()
    return Document(**found) if found else None


async def select_page(
    conn: Connection, scope: Scope, *, language: Language | None, after: str, limit: int
) -> list[Document]:
    """Return the documents in force in the order of their ids."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM search_documents"  # noqa: S608
        f" WHERE {_IN_FORCE} AND kind = %(kind)s AND audience = ANY (%(audiences)s)"
        " AND (%(topics)s::text[] IS NULL OR topic = ANY (%(topics)s))"
        " AND (%(slugs)s::text[] IS NULL OR slug = ANY (%(slugs)s)) AND id > %(after)s"
        " AND (%(language)s::text IS NULL OR language = %(language)s)"
        " ORDER BY id LIMIT %(limit)s",
        {**scope_values(scope), "language": language, "after": after, "limit": limit},
    )
    return [Document(**r) for r in await rows.fetchall()]
