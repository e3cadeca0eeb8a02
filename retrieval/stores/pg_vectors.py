"""The SQL of embedding: claims and vectors."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from retrieval.embed.protocol import Vector
from retrieval.models import embedding_text
from retrieval.stores.pg_search import vector_text
from retrieval.stores.protocol import PendingChunk

Connection = AsyncConnection[DictRow]

#: A claim outlives the slowest batch by far: 32 passages take about 7 s on two loaded cores.
_CLAIM_S = 300

_WITHOUT_VECTOR = """
      FROM search_chunks c
     WHERE NOT EXISTS (SELECT 1 FROM search_vectors v
                        WHERE v.chunk_id = c.id AND v.embedder = %(embedder)s)
"""

_UNCLAIMED = """
       AND NOT EXISTS (SELECT 1 FROM search_claims w
                        WHERE w.chunk_id = c.id AND w.embedder = %(embedder)s
                          AND w.claimed_until >= now())
"""

# Who comes at the same time passes over the rows that are locked; who comes a moment later, and
# still sees no claim, loses at the claim itself.
_CLAIM = f"""
    WITH waiting AS (
        SELECT c.id, c.text_hash, c.headings, c.body {_WITHOUT_VECTOR} {_UNCLAIMED}
         ORDER BY c.id LIMIT %(limit)s FOR NO KEY UPDATE OF c SKIP LOCKED),
    claimed AS (
        INSERT INTO search_claims AS w (chunk_id, embedder, claimed_until)
        SELECT id, %(embedder)s, now() + make_interval(secs => %(claim_s)s) FROM waiting
            ON CONFLICT (chunk_id, embedder) DO UPDATE SET claimed_until = excluded.claimed_until
         WHERE w.claimed_until < now()
        RETURNING chunk_id)
    SELECT id, text_hash, headings, body FROM waiting JOIN claimed ON chunk_id = id ORDER BY id
"""  # noqa: S608 (constants)

_ATTACH = """
    WITH ready AS (
        SELECT c.id, c.kind, c.language, v.embedding
          FROM unnest(%(ids)s::bigint[], %(vectors)s::text[]) AS v (id, embedding)
          JOIN search_chunks c ON c.id = v.id
           FOR KEY SHARE OF c),
    done AS (
        DELETE FROM search_claims WHERE embedder = %(embedder)s AND chunk_id = ANY (%(ids)s))
    INSERT INTO search_vectors (chunk_id, embedder, kind, language, embedding)
    SELECT id, %(embedder)s, kind, language, embedding::halfvec FROM ready
        ON CONFLICT (chunk_id, embedder) DO NOTHING
"""

_ATTACH_BY_HASH = """
    INSERT INTO search_vectors (chunk_id, embedder, kind, language, embedding)
    SELECT c.id, v.embedder, c.kind, c.language, v.embedding::halfvec
      FROM unnest(%(hashes)s::bytea[], %(embedders)s::text[], %(vectors)s::text[])
        AS v (text_hash, embedder, embedding)
      JOIN search_chunks c ON c.text_hash = v.text_hash
                          AND c.document_id = %(document_id)s AND c.version = %(version)s
      JOIN search_embedders e ON e.id = v.embedder AND e.state <> 'retired'
       FOR KEY SHARE OF e
        ON CONFLICT (chunk_id, embedder) DO NOTHING
"""

_OF_DOCUMENT = """
    SELECT DISTINCT ON (c.text_hash, v.embedder)
           c.text_hash, v.embedder, v.embedding::text AS embedding
      FROM search_chunks c JOIN search_vectors v ON v.chunk_id = c.id
     WHERE c.document_id = %s
"""


@dataclass(frozen=True, slots=True)
class KeptVector:
    """The vector of a text, as pgvector writes it."""

    text_hash: bytes
    embedder: str
    embedding: str


async def claim(conn: Connection, embedder_id: str, *, limit: int) -> list[PendingChunk]:
    """Take chunks without this embedder's vector that nobody works on."""
    values = {"embedder": embedder_id, "limit": limit, "claim_s": _CLAIM_S}
    rows = await (await conn.execute(_CLAIM, values)).fetchall()
    return [
        PendingChunk(
            r["id"], r["text_hash"], embedding_text(tuple(r["headings"].split("\n")), r["body"])
        )
        for r in rows
    ]


async def attach(conn: Connection, embedder_id: str, vectors: Mapping[int, Vector]) -> None:
    """Store vectors by chunk; a chunk that is gone meanwhile is left out."""
    texts = [vector_text(v) for v in vectors.values()]
    values = {"embedder": embedder_id, "ids": list(vectors), "vectors": texts}
    await conn.execute(_ATTACH, values)


async def select_of_document(conn: Connection, document_id: str) -> list[KeptVector]:
    """Return the vectors of a document's texts, of every embedder."""
    rows = await (await conn.execute(_OF_DOCUMENT, (document_id,))).fetchall()
    return [KeptVector(**r) for r in rows]


async def attach_by_hash(
    conn: Connection, document_id: str, version: int, vectors: Sequence[KeptVector]
) -> None:
    """Store vectors that exist already for the chunks of a version."""
    values: dict[str, Any] = {
        "document_id": document_id,
        "version": version,
        "hashes": [v.text_hash for v in vectors],
        "embedders": [v.embedder for v in vectors],
        "vectors": [v.embedding for v in vectors],
    }
    await conn.execute(_ATTACH_BY_HASH, values)


async def release(conn: Connection, embedder_id: str, ids: Collection[int]) -> None:
    """Give claims back."""
    await conn.execute(
        "DELETE FROM search_claims WHERE embedder = %s AND chunk_id = ANY (%s)",
        (embedder_id, list(ids)),
    )


async def count_pending(conn: Connection, embedder_id: str, *, claimable_only: bool) -> int:
    """Count the chunks without this embedder's vector."""
    query = f"SELECT count(*) AS n {_WITHOUT_VECTOR} {_UNCLAIMED if claimable_only else ''}"
    row = await (await conn.execute(query, {"embedder": embedder_id})).fetchone()
    return int(row["n"]) if row else 0
