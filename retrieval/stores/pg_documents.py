"""The SQL of documents, their versions and their chunks."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retrieval.models import Chunk, Document, Kind, Language
from retrieval.stores.pg_search import vector_text
from retrieval.stores.protocol import Origin, ReadyVectors, Scope
from retrieval.stores.versions import StoredVersion

Connection = AsyncConnection[DictRow]

_COLUMNS = (
    "id, version, kind, slug, language, audience, topic, title, format, body, url, valid_from,"
    " metadata"
)

_NEWEST = """
    SELECT version, current, content_hash = %(content_hash)s AS same_content,
           (audience, topic, url, metadata, collection, path, chunks_hash)
             = (%(audience)s, %(topic)s, %(url)s, %(metadata)s, %(collection)s, %(path)s,
                %(chunks_hash)s) AS same_rest
      FROM search_documents WHERE id = %(id)s ORDER BY version DESC LIMIT 1
"""

_INSERT = """
    INSERT INTO search_documents
           (id, version, current, kind, slug, language, audience, topic, title, format, body, url,
            valid_from, metadata, collection, path, content_hash, chunks_hash)
    VALUES (%(id)s, %(version)s, true, %(kind)s, %(slug)s, %(language)s, %(audience)s, %(topic)s,
            %(title)s, %(format)s, %(body)s, %(url)s, %(valid_from)s, %(metadata)s,
            %(collection)s, %(path)s, %(content_hash)s, %(chunks_hash)s)
        ON CONFLICT (id, version) DO UPDATE
       SET current = true, audience = excluded.audience, topic = excluded.topic,
           url = excluded.url, metadata = excluded.metadata, collection = excluded.collection,
           path = excluded.path, chunks_hash = excluded.chunks_hash
"""

_INSERT_CHUNKS = """
    INSERT INTO search_chunks
           (document_id, version, ordinal, kind, slug, language, audience, anchor, headings, body,
            tokens, text_hash, embedding, embedder)
    SELECT %(id)s, %(version)s, c.ordinal, %(kind)s, %(slug)s, %(language)s, %(audience)s,
           c.anchor, c.headings, c.body, c.tokens, c.text_hash, c.embedding::halfvec(384),
           CASE WHEN c.embedding IS NOT NULL THEN %(embedder)s END
      FROM unnest(%(ordinals)s::int[], %(anchors)s::text[], %(headings)s::text[],
                  %(bodies)s::text[], %(tokens)s::int[], %(hashes)s::bytea[],
                  %(vectors)s::text[])
        AS c (ordinal, anchor, headings, body, tokens, text_hash, embedding)
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
    """Make a version the current one; if it exists, only its attributes change."""
    await conn.execute(
        "UPDATE search_documents SET current = false WHERE id = %s AND current", (row["id"],)
    )
    await conn.execute(_INSERT, {**row, "version": version})


async def take_chunks(conn: Connection, document_id: str, embedder_id: str) -> dict[bytes, str]:
    """Delete a document's chunks and return their vectors by the hash of the text."""
    rows = await conn.execute(
        "DELETE FROM search_chunks WHERE document_id = %s"
        " RETURNING text_hash, CASE WHEN embedder = %s THEN embedding::text END AS embedding",
        (document_id, embedder_id),
    )
    return {r["text_hash"]: r["embedding"] for r in await rows.fetchall() if r["embedding"]}


async def insert_chunks(
    conn: Connection,
    row: dict[str, Any],
    version: int,
    *,
    chunks: Sequence[Chunk],
    kept: dict[bytes, str],
    ready: ReadyVectors,
) -> None:
    """Insert the chunks of a version, with the vectors that exist already.

    Args:
        kept: vectors of the version before, as pgvector writes them.
    """
    fresh = {h: vector_text(v) for h, v in ready.by_hash.items()}
    vectors = {**fresh, **kept}
    values = {
        **row,
        "version": version,
        "embedder": ready.embedder_id,
        "ordinals": [c.ordinal for c in chunks],
        "anchors": [c.anchor for c in chunks],
        "headings": ["\n".join(c.heading_path) for c in chunks],
        "bodies": [c.text for c in chunks],
        "tokens": [c.tokens for c in chunks],
        "hashes": [c.text_hash for c in chunks],
        "vectors": [vectors.get(c.text_hash) for c in chunks],
    }
    await conn.execute(_INSERT_CHUNKS, values)


async def withdraw(conn: Connection, ids: Collection[str]) -> int:
    """Leave documents without a current version and without chunks."""
    done = await conn.execute(
        "WITH gone AS (DELETE FROM search_chunks WHERE document_id = ANY (%(ids)s))"
        " UPDATE search_documents SET current = false WHERE id = ANY (%(ids)s) AND current",
        {"ids": list(ids)},
    )
    return done.rowcount


async def list_missing(
    conn: Connection, collection: str, *, kept_ids: Collection[str], kept_paths: Collection[str]
) -> list[str]:
    """Return the current documents of a collection that are neither kept nor from a kept file."""
    rows = await conn.execute(
        "SELECT id FROM search_documents WHERE collection = %s AND current"
        " AND id <> ALL (%s) AND path <> ALL (%s)",
        (collection, list(kept_ids), list(kept_paths)),
    )
    return [r["id"] for r in await rows.fetchall()]


async def delete(conn: Connection, ids: Collection[str]) -> int:
    """Remove documents with all that hangs on them; returns how many versions went."""
    done = await conn.execute("DELETE FROM search_documents WHERE id = ANY (%s)", (list(ids),))
    return done.rowcount


async def select_document(
    conn: Connection, document_id: str, version: int | None
) -> Document | None:
    """Return one version of a document, or its current one."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM search_documents WHERE id = %(id)s"  # noqa: S608
        " AND CASE WHEN %(version)s::int IS NULL THEN current ELSE version = %(version)s END",
        {"id": document_id, "version": version},
    )
    found = await rows.fetchone()
    return Document(**found) if found else None


async def select_by_slug(
    conn: Connection, kind: Kind, slug: str, *, language: Language, version: int | None
) -> Document | None:
    """Return one version of a document by its slug, or its current one."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM search_documents"  # noqa: S608
        " WHERE kind = %(kind)s AND slug = %(slug)s AND language = %(language)s"
        " AND CASE WHEN %(version)s::int IS NULL THEN current ELSE version = %(version)s END",
        {"kind": kind, "slug": slug, "language": language, "version": version},
    )
    found = await rows.fetchone()
    return Document(**found) if found else None


async def select_page(
    conn: Connection, scope: Scope, *, language: Language | None, after: str, limit: int
) -> list[Document]:
    """Return current documents in the order of their ids."""
    rows = await conn.execute(
        f"SELECT {_COLUMNS} FROM search_documents"  # noqa: S608
        " WHERE current AND kind = %(kind)s AND audience = ANY (%(audiences)s) AND id > %(after)s"
        " AND (%(language)s::text IS NULL OR language = %(language)s)"
        " ORDER BY id LIMIT %(limit)s",
        {
            "kind": scope.kind,
            "audiences": sorted(scope.audiences),
            "language": language,
            "after": after,
            "limit": limit,
        },
    )
    return [Document(**r) for r in await rows.fetchall()]
