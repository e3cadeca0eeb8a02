"""The benchmark's SQL: passages in bulk, and what their indexes weigh."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

Connection = AsyncConnection[DictRow]

_COPY_DOCUMENTS = """
    COPY search_documents (id, version, current, kind, slug, language, audience, topic, title,
         format, body, url, metadata, collection, path, content_hash, chunks_hash) FROM STDIN
"""
_COPY_CHUNKS = """
    COPY search_chunks (document_id, version, ordinal, kind, slug, language, audience, topic,
         anchor, headings, body, tokens, text_hash) FROM STDIN
"""
_COPY_VECTORS = "COPY search_vectors (chunk_id, embedder, kind, language, embedding) FROM STDIN"


async def empty(conn: Connection) -> None:
    """Remove all documents with what hangs on them."""
    await conn.execute("DELETE FROM search_documents")


async def copy_documents(conn: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Copy documents in."""
    await _copy(conn, _COPY_DOCUMENTS, rows)


async def copy_chunks(conn: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Copy chunks in."""
    await _copy(conn, _COPY_CHUNKS, rows)


async def copy_vectors(conn: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Copy vectors in."""
    await _copy(conn, _COPY_VECTORS, rows)


async def _copy(conn: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    async with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row(row)


async def chunk_ids(conn: Connection, language: str) -> list[int]:
    """Return the ids of a language's chunks in the order in which they were made up."""
    rows = await conn.execute(
        "SELECT id FROM search_chunks WHERE language = %s ORDER BY document_id, ordinal",
        (language,),
    )
    return [r["id"] for r in await rows.fetchall()]


async def tidy(conn: Connection) -> None:
    """Do what the server does by itself in a quiet moment."""
    await conn.execute("VACUUM (ANALYZE) search_documents, search_chunks, search_vectors")
    await conn.execute("VACUUM (ANALYZE) search_vocabulary, search_corpora, search_centres")
    await conn.execute("CHECKPOINT")


async def index_bytes(conn: Connection) -> int:
    """Return how much the vector indexes take."""
    rows = await conn.execute(
        "SELECT coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint AS bytes FROM pg_index i"
        " JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam"
        " WHERE a.amname = 'hnsw'"
    )
    found = await rows.fetchone()
    return int(found["bytes"]) if found else 0


def copy_peer(
    connection: psycopg.Connection[Any],
    collection: str,
    rows: Iterable[tuple[str, str, str, dict[str, Any]]],
) -> None:
    """Copy passages into the tables of langchain-postgres, as it writes them itself."""
    found = connection.execute(
        "SELECT uuid FROM langchain_pg_collection WHERE name = %s", (collection,)
    ).fetchone()
    if found is None:
        raise LookupError("the peer has made no collection")
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY langchain_pg_embedding (id, collection_id, embedding, document, cmetadata)"
            " FROM STDIN"
        ) as copy,
    ):
        for name, vector, text, metadata in rows:
            copy.write_row((name, found[0], vector, text, Jsonb(metadata)))
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM (ANALYZE) langchain_pg_embedding")
